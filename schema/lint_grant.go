package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/names"
)

// on names what a grant is on.
func (g Grant) on() string {
	if g.Repository == "" {
		return "project " + g.Project
	}
	return g.Project + "/" + g.Repository
}

// grantTwice finds grants of one connection on one thing, whichever way they
// are spelled.
func (l *loader) grantTwice() {
	for _, c := range l.fleet.Connections {
		if len(c.Grants) < 2 {
			continue
		}
		seen := make(map[string]Grant, len(c.Grants))
		for _, g := range c.Grants {
			first, twice := seen[g.on()]
			if !twice {
				seen[g.on()] = g
				continue
			}
			l.grantPair(c, first, g)
		}
	}
}

func (l *loader) grantPair(c *Connection, first, second Grant) {
	p := problem{rule: ruleGrantSpelling, warning: true, at: second.Range, summary: "Granted twice: " + second.on()}
	if c.Key != "" {
		p.in = c.Address
	}
	p.detail = fmt.Sprintf("%s is granted at %s already, whichever way it is spelled: case does not count, and \"KEY/slug\" is project and repository.",
		second.on(), place(first.Range))
	if first.Permission != second.Permission {
		p.rule, p.warning = ruleGrantConflict, false
		p.summary = "Two permissions on " + second.on()
		p.detail = fmt.Sprintf("%s is granted with %s here, and with %s at %s.", second.on(), second.Permission, first.Permission, place(first.Range))
		p.hint = "keep the one that is meant: Terraform needs admin"
	}
	l.add(p)
}

// grantConflict finds connections that ask for different permissions of one
// user on one thing. Grants are additive, so that the larger one holds.
func (l *loader) grantConflict() {
	type target struct{ bitbucket, user, on string }
	type asked struct {
		permission string
		at         hcl.Range
		by         *Connection
	}
	seen := map[target]asked{}
	for _, c := range l.fleet.Connections {
		if !l.sound(c, "service_user") {
			continue
		}
		for _, g := range c.Grants {
			t := target{names.URLKey(c.Bitbucket.URL), names.UserKey(c.ServiceUser), g.on()}
			first, ok := seen[t]
			if !ok {
				seen[t] = asked{g.Permission, g.Range, c}
				continue
			}
			if first.permission == g.Permission || first.by == c {
				continue
			}
			l.add(problem{
				rule: ruleGrantConflict, warning: true, at: g.Range, summary: "Two permissions on " + g.on(),
				detail: fmt.Sprintf("%s asks for %s of %s, and %s (%s) for %s: the larger one will hold for both.",
					c.Address, g.Permission, c.ServiceUser, first.by.Address, place(first.at), first.permission),
			})
		}
	}
}
