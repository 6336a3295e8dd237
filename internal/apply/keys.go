package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/schema"
)

var errNoKeys = errors.New("the record in Vault has no such key; plan again")

// createConsumerKey puts the pair into the record unless one is there; where one
// is to be replaced it stays as the pair to go back to.
func (r *runner) createConsumerKey(ctx context.Context, s plan.CreateConsumerKey) error {
	before := r.held.Record().Consumer
	lost := before != nil && before.Private.Empty() && !s.Again // only Terraform had it, and has it no more
	if before != nil && !lost && (!s.Again || before.Previous != nil) {
		return nil
	}
	if err := r.keepsKeys(); err != nil {
		return err
	}
	pair, err := r.consumerPair(ctx, s)
	if err != nil {
		return err
	}
	if before != nil && pair.Fingerprint == before.Fingerprint {
		return fmt.Errorf("%s still holds the pair that is in use, %s: put the new one there first", s.From, pair.Fingerprint)
	}
	key := s.Key
	if key == "" {
		key = keys.ConsumerKey()
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		if c := rec.Consumer; c != nil && c.Fingerprint == pair.Fingerprint {
			return nil // an answer was lost
		}
		rec.Consumer = &record.Consumer{
			Key: key, Private: pair.Private, Public: pair.Public, Fingerprint: pair.Fingerprint,
			Created: r.now(), UserSupplied: s.From != "", Previous: rec.Consumer,
		}
		if lost {
			rec.Consumer.Previous = nil
		}
		if p := rec.Consumer.Previous; p != nil && s.Reason != "" {
			p.Compromised = s.Reason
		}
		if s.Client != "" {
			rec.Client = &record.OAuthClient{ID: s.Client, Made: r.now()}
		}
		return nil
	})
}

// keepsKeys refuses a new key in a record that Vault deletes by itself. The lease,
// which the record holds, was written before: Vault said then how long it lives. The
// plan knows it only if the token may read the settings of the mount.
func (r *runner) keepsKeys() error {
	deletes := r.held.Record().Deletes
	if deletes.IsZero() {
		return nil
	}
	return fmt.Errorf("creating a key: Vault deletes what is written to the record on %s (delete_version_after of the mount or of the record), and the key would be lost with it: "+
		"set it to 0s, with vault write MOUNT/config or vault kv metadata put, and run again", deletes.UTC().Format("2006-01-02 15:04 UTC"))
}

func (r *runner) consumerPair(ctx context.Context, s plan.CreateConsumerKey) (keys.Pair, error) {
	if s.From == "" {
		return keys.GenerateConsumer(s.Bits)
	}
	private, err := r.brought(ctx, s.From)
	if err != nil {
		return keys.Pair{}, err
	}
	return keys.ConsumerFrom(private)
}

// createSSHKey puts the pair into the record unless its role is taken.
func (r *runner) createSSHKey(ctx context.Context, s plan.CreateSSHKey) error {
	rec := r.held.Record()
	if k := *slot(&rec, s.Role); k != nil && !k.Private.Empty() {
		return nil
	}
	if err := r.keepsKeys(); err != nil {
		return err
	}
	pair, err := r.sshPair(ctx, s)
	if err != nil {
		return err
	}
	if c := rec.SSH.Current; c != nil && c.Fingerprint == pair.Fingerprint {
		return fmt.Errorf("%s still holds the key that is in use, %s: put the new one there first", s.From, pair.Fingerprint)
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		*slot(rec, s.Role) = &record.SSHKey{
			Private: pair.Private, Public: pair.Public, Fingerprint: pair.Fingerprint,
			Created: r.now(), UserSupplied: s.From != "", SwitchNoted: s.Role == plan.Pending,
		}
		return nil
	})
}

func (r *runner) sshPair(ctx context.Context, s plan.CreateSSHKey) (keys.Pair, error) {
	if s.From == "" {
		return keys.GenerateSSH(s.Bits, s.Comment)
	}
	private, err := r.brought(ctx, s.From)
	if err != nil {
		return keys.Pair{}, err
	}
	return keys.SSHFrom(private, s.Comment)
}

// brought fetches the user's own private key.
func (r *runner) brought(ctx context.Context, from string) (secret.Text, error) {
	where, name, _ := strings.Cut(from, ":")
	ref := schema.SecretRef{Vault: name}
	if where == "env" {
		ref = schema.SecretRef{Env: name}
	}
	text, err := r.sys.Secret(ctx, ref)
	if err != nil {
		return secret.Text{}, fmt.Errorf("fetching the private key from %s: %w", from, err)
	}
	return text, nil
}

// slot is where the record keeps the key of a role.
func slot(rec *record.Record, role plan.Role) **record.SSHKey {
	switch role {
	case plan.Pending:
		return &rec.SSH.Pending
	case plan.Previous:
		return &rec.SSH.Previous
	case plan.Current:
	}
	return &rec.SSH.Current
}

// sshKey returns the record's key of a role.
func (r *runner) sshKey(role plan.Role) (*record.SSHKey, error) {
	rec := r.held.Record()
	if key := *slot(&rec, role); key != nil {
		return key, nil
	}
	return nil, fmt.Errorf("%s SSH key: %w", role, errNoKeys)
}

// consumer returns the record's consumer.
func (r *runner) consumer() (*record.Consumer, error) {
	if c := r.held.Record().Consumer; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("consumer key: %w", errNoKeys)
}
