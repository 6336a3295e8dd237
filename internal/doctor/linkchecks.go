package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// linkChecks are Bitbucket's side of OAuth: the link, its consumer, and the proof
// that both work.
func (f *connectionFacts) linkChecks() []Check {
	if err := f.unread("bitbucket"); err != nil {
		var out []Check
		for _, name := range []string{"application-link", "consumer", "request-token"} {
			out = append(out, undecided(name, err))
		}
		return out
	}
	return []Check{f.link(), f.consumer(), f.requestToken()}
}

func (f *connectionFacts) link() Check {
	const name = "application-link"
	have, want, hand := f.have.Link, f.want.Link, plan.FindHandMade(f.want, f.have)
	switch {
	case have == nil && hand != nil:
		return failed(name, fmt.Sprintf("none on %s, but the organization is linked by hand: %q on the main URL %s", want.URL, hand.Link.Name, hand.Link.URL),
			fmt.Sprintf("its consumer key %s is that of OAuth client %q (%s) of this organization", hand.ConsumerKey, hand.Client.Name, hand.Client.ID),
			`to take that connection over, write application_link { url = "main" } and run with --adopt '`+f.want.Address+"'; the main URL goes with one organization only")
	case have == nil:
		return failed(name, "none on "+want.URL, f.otherLinks(), "bbsync apply makes it: generic, incoming")
	case have.Type != "generic":
		return failed(name, fmt.Sprintf("%q is on the URL, and is %s", have.Name, have.Type),
			`Terraform needs OAuth 1.0a ("Atlassian product" in newer dialogs), and an "External application" link is OAuth 2.0`, "delete that link, or choose another url in application_link")
	case have.Name != want.Name:
		return warning(name, fmt.Sprintf("named %q, want %q", have.Name, want.Name), "somebody renamed it, or another link has the name", "bbsync apply renames it where Bitbucket lets it")
	}
	return ok(name, "%q on %s, generic, incoming", have.Name, have.URL)
}

// otherLinks tells of links that a person may have taken for the right one.
func (f *connectionFacts) otherLinks() string {
	for _, l := range f.bitbucket.links.value {
		if l.OAuth2() && (l.Name == f.want.Link.Name || leadsTo(f.want, l.URL)) {
			return fmt.Sprintf("%q is an OAuth 2.0 link (\"External application\"), which Terraform cannot use", l.Name)
		}
	}
	return "it was deleted, or never made"
}

// leadsTo reports whether an address is of the connection's Terraform, and not of
// another of its organizations.
func leadsTo(c *schema.Connection, address string) bool {
	path, here := strings.CutPrefix(names.URLKey(address), names.URLKey(c.Terraform.Address))
	rest, ofOne := strings.CutPrefix(path, "/app/")
	organization, _, _ := strings.Cut(rest, "/")
	return here && (!ofOne || names.SameOrganization(organization, c.Organization))
}

func (f *connectionFacts) consumer() Check {
	const name = "consumer"
	have, record := f.have.Consumer, f.have.Record
	switch {
	case f.have.Link == nil:
		return unknown(name, "there is no link", "see application-link")
	case have == nil:
		return failed(name, "the link has no incoming consumer", "it was removed by hand, or never set", "bbsync apply sets it")
	case record == nil || record.Consumer == nil:
		return unknown(name, "the record has no consumer key to compare with", "see record")
	case have.Key != record.Consumer.Key:
		return failed(name, "consumer key "+have.Key+", the record has "+record.Consumer.Key, "somebody changed it by hand", "bbsync apply makes the link anew, since Bitbucket would keep the other consumer alive beside it")
	case have.Fingerprint != record.Consumer.Fingerprint:
		return failed(name, "public key "+cmp.Or(have.Fingerprint, "none")+", the record has "+record.Consumer.Fingerprint, "somebody changed it by hand", "bbsync apply sets the record's")
	}
	return ok(name, "%s with the record's public key %s", have.Key, have.Fingerprint)
}

// requestToken is what Connect does first. Where it fails Terraform shows a person
// nothing but an error 500.
func (f *connectionFacts) requestToken() Check {
	const name = "request-token"
	var problem *bitbucket.OAuthProblem
	switch err := f.proof; {
	case errors.Is(err, errNotAsked):
		return unknown(name, "there is no consumer, or no private key in the record to prove it with", "see application-link, consumer and record")
	case errors.Is(err, errPrivateElsewhere):
		return unknown(name, err.Error(), ownConsumer)
	case errors.As(err, &problem):
		return failure(name, fmt.Sprintf("Bitbucket answers %s (%d)", problem.Problem, problem.Status), err)
	case err != nil:
		return failure(name, "Bitbucket does not answer as an OAuth provider", err)
	}
	return ok(name, "Bitbucket gives a request token to the record's key: link, consumer, key pair and clock are right")
}
