package record

import (
	"strings"

	"github.com/bbsync/bbsync/internal/plan"
)

// Facts returns what the planner may know of a record at a version: everything but
// its secrets and its lease, which a caller judges by Vault's clock.
func Facts(r Record, version int) *plan.Record {
	out := &plan.Record{
		Version: version,
		Deletes: r.Deletes,
		Fleet:   r.Fleet,
		Address: r.Address,
		Pending: keyFacts(r.SSH.Pending), Current: keyFacts(r.SSH.Current), Previous: keyFacts(r.SSH.Previous),
		Consumer:     consumerFacts(r.Consumer),
		RefusedToken: r.RefusedToken, MovedFrom: r.MovedFrom, HostKeys: strings.Join(r.HostKeys, "\n"),
		About: plan.About{
			Terraform: r.Terraform, Organization: r.Organization, Bitbucket: r.Bitbucket,
			ServiceUser: r.ServiceUser, Protected: r.Protected,
		},
	}
	if l := r.Link; l != nil {
		out.LinkID, out.LinkURL = l.ID, l.URL
	}
	if m := r.Moving; m != nil {
		out.Moving = &plan.Moving{From: m.From, To: m.To}
		for _, w := range m.Workspaces {
			out.Moving.Names = append(out.Moving.Names, w.Name)
		}
	}
	if t := r.Tombstone; t != nil {
		out.Ended = t.How
	}
	if a := r.Authorized; a != nil {
		out.Authorized = &plan.Authorized{Token: a.Token, User: a.User, Account: a.Account}
	}
	if c := r.Client; c != nil {
		out.ClientID = c.ID
	}
	if k := r.Retired; k != nil {
		out.Retired = &plan.RetiredKey{Fingerprint: k.Fingerprint, Destroyed: k.Destroyed}
	}
	return out
}

func consumerFacts(c *Consumer) *plan.ConsumerKey {
	if c == nil {
		return nil
	}
	out := &plan.ConsumerKey{
		PrivateElsewhere: c.Private.Empty(), Key: c.Key, Fingerprint: c.Fingerprint, Created: c.Created,
		UserSupplied: c.UserSupplied, Compromised: c.Compromised,
	}
	if c.Previous != nil {
		out.Previous, out.PreviousCompromised = c.Previous.Fingerprint, c.Previous.Compromised
	}
	return out
}

func keyFacts(k *SSHKey) *plan.Key {
	if k == nil {
		return nil
	}
	return &plan.Key{
		PrivateElsewhere: k.Private.Empty(), Fingerprint: k.Fingerprint, Created: k.Created, Published: k.Published, Token: k.Token, Set: k.Set, SwitchNoted: k.SwitchNoted,
		UserSupplied: k.UserSupplied, Proved: k.Proved, Left: k.Left, Compromised: k.Compromised,
	}
}
