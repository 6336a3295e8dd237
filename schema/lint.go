package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
)

// lint checks what one connection cannot know of another. Every rule goes over
// the fleet once with a map, so that the whole is linear.
func (l *loader) lint() {
	l.bitbucketTwice()
	twins := l.connectedTwice()
	alone := slices.DeleteFunc(slices.Clone(l.fleet.Connections), func(c *Connection) bool { return twins[c] })
	l.linkTwice(alone)
	l.linkNameTwice(alone)
	l.clientTwice(alone)
	l.recordTwice(alone)
	l.broughtTwice(alone)
	l.relocateTwice(alone)
	l.grantTwice()
	l.grantConflict()
}

func (l *loader) bitbucketTwice() {
	seen := map[string]*Bitbucket{}
	for _, b := range l.fleet.Bitbuckets {
		if b.URL == "" {
			continue
		}
		if first := seen[names.URLKey(b.URL)]; first != nil {
			l.add(problem{
				rule: ruleBitbucketTwice, at: b.Range, summary: "One Bitbucket twice",
				detail: fmt.Sprintf("bitbucket %q is %s, as is bitbucket %q at %s.", b.Label, b.URL, first.Label, place(first.Range)),
				hint:   "describe it once and refer to that; what is shared on a Bitbucket is planned once for each block",
			})
			continue
		}
		seen[names.URLKey(b.URL)] = b
	}
}

// sound reports whether all of the names could be read.
func (l *loader) sound(c *Connection, names ...string) bool {
	broken := l.broken[c]
	for _, name := range names {
		if broken[name] {
			return false
		}
	}
	return c.Terraform != nil && c.Bitbucket != nil && c.Terraform.Address != "" && c.Bitbucket.URL != "" && c.Organization != ""
}

// twice reports each pair of connections with the same key; a key of ok false
// takes no part.
func twice[K comparable](cs []*Connection, key func(*Connection) (K, bool), found func(first, second *Connection)) {
	seen := make(map[K]*Connection, len(cs))
	for _, c := range cs {
		k, ok := key(c)
		if !ok {
			continue
		}
		if first := seen[k]; first != nil {
			found(first, c)
			continue
		}
		seen[k] = c
	}
}

// clash reports a mistake of two connections, at the second.
func (l *loader) clash(rule Rule, first, second *Connection, attr, summary, detail, hint string) {
	p := problem{
		rule: rule, at: second.Where(attr), summary: summary, hint: hint,
		detail: fmt.Sprintf("%s: %s and %s (%s).", detail, second.Address, first.Address, place(first.Where(attr))),
	}
	if second.Key != "" {
		p.in = second.Address
	}
	l.add(p)
}

type pairing struct{ terraform, organization, bitbucket string }

// connectedTwice returns the connections that repeat another, which the other
// rules then leave alone.
func (l *loader) connectedTwice() map[*Connection]bool {
	twins := map[*Connection]bool{}
	key := func(c *Connection) (pairing, bool) {
		return pairing{names.URLKey(orEmpty(c.Terraform).Address), names.OrganizationKey(c.Organization), names.URLKey(orEmpty(c.Bitbucket).URL)}, l.sound(c, "organization")
	}
	twice(l.fleet.Connections, key, func(first, second *Connection) {
		var shared []string
		if names.SameURL(first.Link.URL, second.Link.URL) {
			shared = append(shared, "the application link "+first.Link.URL)
		}
		if first.Record == second.Record {
			shared = append(shared, "the record "+first.Record)
		}
		if first.Name == second.Name {
			shared = append(shared, "the client "+shown(first.Name))
		}
		if len(shared) > 0 {
			twins[second] = true
			l.clash(ruleConnectedTwice, first, second, "organization", "One organization twice on one Bitbucket",
				fmt.Sprintf("Two connections join %s to %s and would share %s", second.Organization, second.Bitbucket.URL, strings.Join(shared, ", ")),
				"leave one of them, or give the second its own application_link url, name and record")
			return
		}
		l.add(problem{
			rule: ruleConnectedTwice, warning: true, at: second.Where("organization"), summary: "One organization twice on one Bitbucket",
			detail: fmt.Sprintf("%s joins %s to %s, as does %s (%s): people will see two providers.",
				second.Address, second.Organization, second.Bitbucket.URL, first.Address, place(first.Where("organization"))),
		})
	})
	return twins
}

func orEmpty[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}

type onBitbucket struct{ bitbucket, what string }

func (l *loader) linkTwice(cs []*Connection) {
	key := func(c *Connection) (onBitbucket, bool) {
		return onBitbucket{names.URLKey(orEmpty(c.Bitbucket).URL), names.URLKey(c.Link.URL)}, l.sound(c, "organization", "application_link.url")
	}
	twice(cs, key, func(first, second *Connection) {
		const attr = "application_link.url"
		if names.SameURL(second.Link.URL, second.Terraform.Address) {
			l.clash(ruleMainURLTwice, first, second, attr, "The main URL twice on one Bitbucket",
				fmt.Sprintf("%s can have one link to the main URL %s, and two connections would own it", second.Bitbucket.URL, second.Link.URL),
				`let one of them keep "main", and give the others url = "organization"`)
			return
		}
		l.clash(ruleLinkURLTwice, first, second, attr, "One link URL for two connections",
			fmt.Sprintf("%s can have one link to %s, and two connections would own it", second.Bitbucket.URL, second.Link.URL),
			`url = "organization" gives each its own`)
	})
}

func (l *loader) linkNameTwice(cs []*Connection) {
	key := func(c *Connection) (onBitbucket, bool) {
		return onBitbucket{names.URLKey(orEmpty(c.Bitbucket).URL), c.Link.Name}, l.sound(c, "organization", "application_link.name")
	}
	twice(cs, key, func(first, second *Connection) {
		l.clash(ruleLinkNameTwice, first, second, "application_link.name", "One link name for two connections",
			fmt.Sprintf("Bitbucket would rename the second link %s without telling", shown(second.Link.Name)),
			`put into application_link { name = ... } what tells them apart, as in "Terraform (${each.value.org})"`)
	})
}

func (l *loader) clientTwice(cs []*Connection) {
	type client struct{ terraform, organization, name string }
	key := func(c *Connection) (client, bool) {
		return client{names.URLKey(orEmpty(c.Terraform).Address), names.OrganizationKey(c.Organization), c.Name}, l.sound(c, "organization", "name")
	}
	twice(cs, key, func(first, second *Connection) {
		l.clash(ruleClientTwice, first, second, "name", "One client name for two connections",
			fmt.Sprintf("In organization %s the OAuth client is known by its name %s, and two connections would own it", second.Organization, shown(second.Name)),
			"give them different names")
	})
}

func (l *loader) recordTwice(cs []*Connection) {
	key := func(c *Connection) (string, bool) {
		return c.Record, l.sound(c, "organization", "record")
	}
	twice(cs, key, func(first, second *Connection) {
		l.clash(ruleRecordTwice, first, second, "record", "One record for two connections",
			fmt.Sprintf("Both would keep their keys at %s", second.Record), "give one of them a record of its own, or leave record out")
	})
}

// relocateTwice keeps two connections from taking each other's workspaces: which
// OAuth client on the Bitbucket that they leave was whose, nothing says.
func (l *loader) relocateTwice(cs []*Connection) {
	key := func(c *Connection) (pairing, bool) {
		if c.Relocate == nil || c.Relocate.From == nil {
			return pairing{}, false
		}
		return pairing{names.URLKey(orEmpty(c.Terraform).Address), names.OrganizationKey(c.Organization), names.URLKey(c.Relocate.From.URL)}, l.sound(c, "organization")
	}
	twice(cs, key, func(first, second *Connection) {
		l.clash(ruleRelocateTwice, first, second, "relocate.from", "Two connections that relocate one organization",
			fmt.Sprintf("The workspaces of organization %s on %s would go to either of two connections", second.Organization, second.Relocate.From.URL),
			"let one relocate after the other: a connection that still is on the old Bitbucket keeps its workspaces")
	})
}

// broughtTwice keeps a key that two share from being replaced or withdrawn
// under one of them.
func (l *loader) broughtTwice(cs []*Connection) {
	consumer := func(c *Connection) (onBitbucket, bool) {
		return onBitbucket{names.URLKey(orEmpty(c.Bitbucket).URL), c.Consumer.Key}, c.Consumer.Key != "" && l.sound(c, "consumer.key")
	}
	twice(cs, consumer, func(first, second *Connection) {
		l.clash(ruleBroughtTwice, first, second, "consumer.key", "One consumer key for two connections",
			fmt.Sprintf("A consumer key belongs to one link of a Bitbucket, and %s is that of two", shown(second.Consumer.Key)), "bring one for each")
	})
	key := func(c *Connection) (SecretRef, bool) {
		if c.SSHKey.Private == nil {
			return SecretRef{}, false
		}
		return SecretRef{Vault: c.SSHKey.Private.Vault, Env: c.SSHKey.Private.Env}, l.sound(c, "ssh_key.private_key.vault", "ssh_key.private_key.env")
	}
	twice(cs, key, func(first, second *Connection) {
		l.clash(ruleBroughtTwice, first, second, "ssh_key.private_key", "One SSH key for two connections",
			"A key that two connections use cannot be replaced or withdrawn for one of them", "bring one for each, or leave private_key out and bbsync makes one for each")
	})
}
