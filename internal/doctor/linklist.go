package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// linkList says what the list of application links shows, and which entries only look
// like links to Terraform.
func (b *bitbucketFacts) linkList() Check {
	const name = "application-links"
	if b.links.err != nil {
		return undecided(name, b.links.err)
	}
	links := b.links.value
	text := fmt.Sprintf("%d, with their consumer keys in one request", len(links))
	if !slices.ContainsFunc(links, func(l bitbucket.Link) bool { return l.KeyListed }) {
		text = fmt.Sprintf("%d; the list shows no consumer keys, which takes a request for each link", len(links))
	}
	if others := b.lookalikes(); len(others) > 0 {
		text += "; told apart by id and consumer key, and left alone: " + strings.Join(others, ", ")
	}
	return ok(name, "%s", text)
}

// lookalikes are the OAuth 2.0 entries whose address leads to a Terraform of the
// connections.
func (b *bitbucketFacts) lookalikes() []string {
	var out []string
	for _, l := range b.links.value {
		if l.OAuth2() && slices.ContainsFunc(b.connections, func(c *schema.Connection) bool { return leadsTo(c, l.URL) }) {
			out = append(out, fmt.Sprintf("%q on %s, which is OAuth 2.0 (\"External application\")", l.Name, l.URL))
		}
	}
	return out
}

// consumersOf returns the connections' addresses by the consumer keys of their records.
func consumersOf(connections []*schema.Connection, have []plan.Have) map[string]string {
	out := map[string]string{}
	for i, c := range connections {
		if r := have[i].Record; r != nil && r.Consumer != nil {
			out[r.Consumer.Key] = c.Address
		}
	}
	return out
}

// orphanedConsumers reports consumers that Bitbucket still accepts though they belong to
// no link. ours are the connections by consumer key.
func (b *bitbucketFacts) orphanedConsumers(ours map[string]string) Check {
	const name = "orphaned-consumers"
	switch {
	case errors.Is(b.orphans.err, bitbucket.ErrTooOld):
		return ok(name, "this version does not list them")
	case b.orphans.err != nil:
		return undecided(name, b.orphans.err)
	case len(b.orphans.value) == 0:
		return ok(name, "every OAuth consumer belongs to an application link")
	}
	lines := slices.Clone(b.orphans.value)
	for i, key := range lines {
		if address, found := ours[key]; found {
			lines[i] = key + " of " + address + ", which bbsync apply puts back into its link"
		}
	}
	return warning(name, fmt.Sprintf("%d: %s", len(lines), strings.Join(lines, "; ")),
		"an application link was given another consumer key, and Bitbucket keeps the consumer before and accepts what is signed with its key",
		"delete those that nothing uses, as an administrator: DELETE "+b.want.URL+"/rest/applinks/latest/orphaned-trust/OAUTH/KEY")
}
