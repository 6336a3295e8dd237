package record

import (
	"errors"
	"maps"
	"strconv"
	"strings"
)

// Encode returns the stored form, with nonce as the mark of this one write.
func Encode(r Record, nonce string) (Fields, error) {
	if err := r.storable(); err != nil {
		return nil, err
	}
	f := maps.Clone(r.unknown)
	if f == nil {
		f = Fields{}
	}
	f.put("format", strconv.Itoa(format))
	f.put("nonce", nonce)
	f.putConnection(r)
	f.putTombstone(r.Tombstone)
	f.putMoving(r.Moving)
	f.putConsumer("consumer_", r.Consumer)
	for _, stored := range r.SSH.all() {
		f.putSSH(stored.prefix, *stored.key)
	}
	f.putSystems(r)
	f.putRetired(r.Retired)
	f.put("host_keys", strings.Join(r.HostKeys, "\n"))
	f.putLease(r.Lease)
	return f, nil
}

// storable returns an error for what the stored form cannot hold.
func (r Record) storable() error {
	if r.Consumer != nil && r.Consumer.Previous != nil && r.Consumer.Previous.Previous != nil {
		return errors.New("the consumer has more than one previous key pair")
	}
	for _, key := range r.HostKeys {
		if strings.ContainsAny(key, "\r\n") {
			return errors.New("a host key has more than one line")
		}
	}
	return r.Moving.storable()
}

func (f Fields) putConnection(r Record) {
	f.put("generation", r.Generation)
	f.put("fleet", r.Fleet)
	f.put("address", r.Address)
	f.put("terraform", r.Terraform)
	f.put("organization", r.Organization)
	f.put("bitbucket", r.Bitbucket)
	f.put("service_user", r.ServiceUser)
	f.putBool("protected", r.Protected)
	f.put("moved_from", r.MovedFrom)
}

func (f Fields) putTombstone(t *Tombstone) {
	if t != nil {
		f.put("ended", t.How)
		f.putTime("ended_at", t.At)
		f.put("ended_to", t.To)
	}
}

// putSystems stores which objects in Terraform and Bitbucket are the connection's.
func (f Fields) putSystems(r Record) {
	if l := r.Link; l != nil {
		f.put("link_id", l.ID)
		f.put("link_url", l.URL)
		f.putTime("link_made", l.Made)
	}
	if a := r.Authorized; a != nil {
		f.put("authorized_token", a.Token)
		f.put("authorized_user", a.User)
		f.put("authorized_account", strconv.Itoa(a.Account))
	}
	if c := r.Client; c != nil {
		f.put("client_id", c.ID)
		f.putTime("client_made", c.Made)
	}
	f.put("refused_token", r.RefusedToken)
}

func (f Fields) putRetired(k *RetiredKey) {
	if k != nil {
		f.put("retired_fingerprint", k.Fingerprint)
		f.putTime("retired_at", k.At)
		f.put("retired_why", k.Why)
		f.putBool("retired_destroyed", k.Destroyed)
	}
}

func (f Fields) putLease(l *Lease) {
	if l != nil {
		f.put("lease_holder", l.Holder)
		f.put("lease_nonce", l.Nonce)
		f.putTime("lease_taken", l.Taken)
		f.putTime("lease_expires", l.Expires)
	}
}

func (f Fields) putConsumer(prefix string, c *Consumer) {
	if c == nil {
		return
	}
	f.put(prefix+"key", c.Key)
	f.put(prefix+"private", c.Private.Reveal())
	f.put(prefix+"public", c.Public)
	f.put(prefix+"fingerprint", c.Fingerprint)
	f.putTime(prefix+"created", c.Created)
	f.putBool(prefix+"brought", c.UserSupplied)
	f.put(prefix+"condemned", c.Compromised)
	f.putConsumer(prefix+"previous_", c.Previous)
}

func (f Fields) putSSH(prefix string, k *SSHKey) {
	if k == nil {
		return
	}
	f.put(prefix+"private", k.Private.Reveal())
	f.put(prefix+"public", k.Public)
	f.put(prefix+"fingerprint", k.Fingerprint)
	f.putTime(prefix+"created", k.Created)
	f.putBool(prefix+"brought", k.UserSupplied)
	f.putTime(prefix+"published", k.Published)
	f.put(prefix+"token", k.Token)
	f.putTime(prefix+"set", k.Set)
	f.putBool(prefix+"switch_noted", k.SwitchNoted)
	f.putTime(prefix+"proved", k.Proved)
	f.putTime(prefix+"left", k.Left)
	f.put(prefix+"condemned", k.Compromised)
}
