package record

import (
	"strings"

	"github.com/bbsync/bbsync/internal/secret"
)

// Decode returns the record that is stored as fields, with public halves and
// fingerprints derived from its private keys. It uses fields up. ErrNotRecord and
// ErrNewerFormat come without a record. A ContradictionError comes with it, so that
// the caller can say whose it is.
func Decode(fields Fields) (Record, error) {
	r := reader{left: fields}
	if err := r.checkFormat(); err != nil {
		return Record{}, err
	}
	r.text("nonce")
	have := r.record()
	if r.err != nil {
		return Record{}, r.err
	}
	if len(r.left) > 0 {
		have.unknown = r.left
	}
	return have, have.deriveKeys()
}

func (r *reader) record() Record {
	have := Record{
		Generation: r.text("generation"), Fleet: r.text("fleet"), Address: r.text("address"),
		Terraform: r.text("terraform"), Organization: r.text("organization"), Bitbucket: r.text("bitbucket"),
		ServiceUser: r.text("service_user"), Protected: r.bool("protected"),
		Tombstone:    present(Tombstone{How: r.text("ended"), At: r.time("ended_at"), To: r.text("ended_to")}),
		MovedFrom:    r.text("moved_from"),
		Moving:       r.moving(),
		Consumer:     r.consumer("consumer_", true),
		Authorized:   present(Authorized{Token: r.text("authorized_token"), User: r.text("authorized_user"), Account: r.number("authorized_account")}),
		Link:         present(Link{ID: r.text("link_id"), URL: r.text("link_url"), Made: r.time("link_made")}),
		Client:       present(OAuthClient{ID: r.text("client_id"), Made: r.time("client_made")}),
		RefusedToken: r.text("refused_token"),
		Retired: present(RetiredKey{
			Fingerprint: r.text("retired_fingerprint"), At: r.time("retired_at"), Why: r.text("retired_why"), Destroyed: r.bool("retired_destroyed"),
		}),
		Lease: present(Lease{
			Holder: r.text("lease_holder"), Nonce: r.text("lease_nonce"), Taken: r.time("lease_taken"), Expires: r.time("lease_expires"),
		}),
	}
	for _, stored := range have.SSH.all() {
		*stored.key = r.ssh(stored.prefix)
	}
	if keys := r.text("host_keys"); keys != "" {
		have.HostKeys = strings.Split(keys, "\n")
	}
	return have
}

// present returns a pointer to what was read; nil when none of its fields was there.
func present[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}

// consumer returns nil when no field of the pair is there.
func (r *reader) consumer(prefix string, previous bool) *Consumer {
	if !r.any(prefix) {
		return nil
	}
	before := r.taken
	c := &Consumer{
		Key: r.text(prefix + "key"), Private: secret.New(r.text(prefix + "private")), Public: r.text(prefix + "public"),
		Fingerprint: r.text(prefix + "fingerprint"), Created: r.time(prefix + "created"), UserSupplied: r.bool(prefix + "brought"),
		Compromised: r.text(prefix + "condemned"),
	}
	if previous {
		c.Previous = r.consumer(prefix+"previous_", false)
	}
	if r.taken == before {
		return nil
	}
	return c
}

// ssh returns nil when no field of the pair is there.
func (r *reader) ssh(prefix string) *SSHKey {
	if !r.any(prefix) {
		return nil
	}
	before := r.taken
	k := &SSHKey{
		Private: secret.New(r.text(prefix + "private")), Public: r.text(prefix + "public"), Fingerprint: r.text(prefix + "fingerprint"),
		Created: r.time(prefix + "created"), UserSupplied: r.bool(prefix + "brought"), Published: r.time(prefix + "published"),
		Token: r.text(prefix + "token"), Set: r.time(prefix + "set"), SwitchNoted: r.bool(prefix + "switch_noted"),
		Proved: r.time(prefix + "proved"), Left: r.time(prefix + "left"), Compromised: r.text(prefix + "condemned"),
	}
	if r.taken == before {
		return nil
	}
	return k
}
