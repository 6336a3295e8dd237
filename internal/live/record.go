package live

import (
	"context"
	"errors"
	"strings"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/vault"
)

// readRecord returns the public half of the record at a path, nil when Vault has
// none. A record whose newest version was deleted is none too, but its
// version counts on.
func (r *reader) readRecord(ctx context.Context, path string) (*plan.Record, error) {
	record, version, err := r.sys.Vault().Read(ctx, path)
	var deleted *vault.DeletedError
	var differs *vault.KeyError
	switch {
	case errors.As(err, &differs):
		return contradicting(facts(r.sys.Vault(), record, version), differs), nil
	case errors.As(err, &deleted):
		return &plan.Record{Version: int(deleted.Version), Deleted: deleted.Error()}, nil
	case errors.Is(err, vault.ErrNotFound):
		return nil, nil //nolint:nilnil // no record is an answer
	case err != nil:
		return nil, err
	}
	return facts(r.sys.Vault(), record, version), nil
}

// contradicting marks the facts of a record as contradicting its keys.
func contradicting(facts *plan.Record, differs *vault.KeyError) *plan.Record {
	facts.Contradiction = &plan.Contradiction{Text: differs.Error(), Remedy: differs.Remedy()}
	return facts
}

// facts returns what may be known of a record, with the lease judged by Vault's
// clock.
func facts(client *vault.Client, record vault.Record, version vault.Version) *plan.Record {
	out, l := RecordFacts(record, version), record.Lease
	if state := client.LeaseState(l); state != vault.LeaseFree {
		out.Lease = &plan.Lease{
			Holder: l.Holder, Taken: l.Taken, Age: client.LeaseAge(l), Expires: client.Local(l.Expires), Broken: state == vault.LeaseBroken,
		}
	}
	return out
}

// RecordFacts returns what may be known of a record without its secrets, but for
// its lease.
func RecordFacts(record vault.Record, version vault.Version) *plan.Record {
	out := &plan.Record{
		Version: int(version),
		Deletes: record.Deletes,
		Fleet:   record.Fleet,
		Address: record.Address,
		Pending: keyFacts(record.SSH.Pending), Current: keyFacts(record.SSH.Current), Previous: keyFacts(record.SSH.Previous),
		RefusedToken: record.RefusedToken, MovedFrom: record.MovedFrom, HostKeys: strings.Join(record.HostKeys, "\n"),
	}
	if c := record.Consumer; c != nil {
		out.Consumer = &plan.ConsumerKey{Unheld: c.Private.Empty(), Key: c.Key, Fingerprint: c.Fingerprint, Created: c.Created, Brought: c.Brought, Condemned: c.Condemned}
		if c.Previous != nil {
			out.Consumer.Previous, out.Consumer.PreviousCondemned = c.Previous.Fingerprint, c.Previous.Condemned
		}
	}
	if record.Link != nil {
		out.LinkID, out.LinkURL = record.Link.ID, record.Link.URL
	}
	if m := record.Moving; m != nil {
		out.Moving = &plan.Moving{From: m.From, To: m.To}
		for _, w := range m.Workspaces {
			out.Moving.Names = append(out.Moving.Names, w.Name)
		}
	}
	out.About = plan.About{
		Terraform: record.Terraform, Organization: record.Organization, Bitbucket: record.Bitbucket,
		ServiceUser: record.ServiceUser, Protected: record.Protected,
	}
	if record.Ended != nil {
		out.Ended = record.Ended.How
	}
	if a := record.Authorized; a != nil {
		out.Authorized = &plan.Authorized{Token: a.Token, User: a.User, Account: a.Account}
	}
	if record.Client != nil {
		out.ClientID = record.Client.ID
	}
	if x := record.Retired; x != nil {
		out.Retired = &plan.RetiredKey{Fingerprint: x.Fingerprint, Destroyed: x.Destroyed}
	}
	return out
}

func keyFacts(k *vault.SSHKey) *plan.Key {
	if k == nil {
		return nil
	}
	return &plan.Key{
		Unheld: k.Private.Empty(), Fingerprint: k.Fingerprint, Created: k.Created, Published: k.Published, Token: k.Token, Set: k.Set,
		Brought: k.Brought, Proved: k.Proved, Left: k.Left, Condemned: k.Condemned,
	}
}
