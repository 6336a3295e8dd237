package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
)

// addSSHKey adds the public half to the service user and notes when.
func (r *runner) addSSHKey(ctx context.Context, s plan.AddSSHKey) error {
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	key, err := r.sshKey(s.Role)
	if err != nil {
		return err
	}
	pair, err := sshHalf(key, s.Label)
	if err != nil {
		return err
	}
	expiry, err := r.keyExpiry(ctx, client)
	if err != nil {
		return err
	}
	if _, err := client.AddSSHKey(ctx, r.ServiceUser, pair.Public, s.Label, expiry); err != nil {
		return r.keyRefused(ctx, s.Role, key, err)
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		if k := *slot(rec, s.Role); k != nil && k.Published.IsZero() {
			k.Published = r.now()
		}
		if s.Role == plan.Current {
			rec.ServiceUser = r.ServiceUser
		}
		return nil
	})
}

// keyRefused names the key that the server would not take. One that no system ever
// had is taken out of the record, so that the next apply makes or fetches another:
// a key of somebody else, or one that the rules forbid, does not get better.
func (r *runner) keyRefused(ctx context.Context, role plan.Role, key *record.SSHKey, refused error) error {
	refused = fmt.Errorf("SSH key %s: %w", key.Fingerprint, refused)
	if !errors.Is(refused, bitbucket.ErrExists) && !errors.Is(refused, bitbucket.ErrPolicy) || !key.Published.IsZero() || key.Token != "" {
		return refused
	}
	err := r.held.Update(ctx, func(rec *record.Record) error {
		if k := *slot(rec, role); k != nil && k.Fingerprint == key.Fingerprint {
			*slot(rec, role) = nil
		}
		return nil
	})
	return errors.Join(refused, err)
}

// keyExpiry returns how many days a key may live where the server says that
// keys must expire (8.7 and newer), else 0.
func (r *runner) keyExpiry(ctx context.Context, client bitbucketServer) (int, error) {
	policy, err := client.KeyPolicy(ctx)
	switch {
	case errors.Is(err, bitbucket.ErrTooOld):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return policy.MaxExpiryDays, nil
}

func (r *runner) deleteSSHKey(ctx context.Context, s plan.DeleteSSHKey) error {
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	user, id := cmp.Or(s.User, r.ServiceUser), s.ID
	if id == 0 { // the key was added in this plan
		have, err := client.SSHKeys(ctx, user)
		if err != nil {
			return err
		}
		if id = keyID(have, s.Fingerprint); id == 0 {
			return nil // it is gone
		}
	}
	return client.DeleteSSHKey(ctx, user, id)
}

// keyID returns Bitbucket's id of the SSH key with a fingerprint, 0 for none.
func keyID(have []bitbucket.SSHKey, fingerprint string) int {
	for _, k := range have {
		if print, err := keys.SSHFingerprint(k.Line); err == nil && print == fingerprint {
			return k.ID
		}
	}
	return 0
}

// proveSSH logs in with the key; whoami must answer the service user. A host
// key that nobody pinned is learned into the record, once, with a warning.
func (r *runner) proveSSH(ctx context.Context, s plan.ProveSSH) error {
	key, err := r.sshKey(s.Role)
	if err != nil {
		return err
	}
	proof, err := r.login(ctx, key)
	if err != nil {
		return err
	}
	if !names.SameUser(proof.User, r.ServiceUser) {
		return fmt.Errorf("the key logs in as %q, not as the service user %q: the key belongs to somebody else", proof.User, r.ServiceUser)
	}
	fingerprint, err := keys.SSHFingerprint(proof.HostKey)
	if err != nil {
		return err
	}
	r.proof = fmt.Sprintf("the server with host key %s answered whoami with %s", fingerprint, proof.User)
	if proof.first {
		r.warn(s, "learned Bitbucket's SSH host key, %s, into the record; pin it in ssh.host_keys of bitbucket.%s to be sure of the first contact", fingerprint, r.Bitbucket)
	}
	return r.noteProof(ctx, s.Role, proof)
}

// A login is one over SSH that succeeded.
type login struct {
	bitbucket.SSHProof
	first bool // nobody knew the host key before
	files bool // the files pin it
}

// login logs in with a key.
func (r *runner) login(ctx context.Context, key *record.SSHKey) (login, error) {
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return login{}, err
	}
	server, err := r.sys.SSHServer(ctx, r.Bitbucket)
	if err != nil {
		return login{}, err
	}
	out := login{files: len(server.HostKeys) > 0}
	err = r.sys.PinnedLogin(ctx, r.BitbucketURL, server.HostKeys, r.held.Record().HostKeys, func(pinned []string) (string, error) {
		out.first = len(pinned) == 0
		out.SSHProof, err = client.WhoamiSSH(ctx, server.Address, key.Private, pinned)
		return out.HostKey, err
	})
	return out, err
}

// noteProof notes what the next runs need of a login: the host key, unless the
// files pin it, and in a rotation the time, since Bitbucket tells when a key was
// used last and not by whom.
func (r *runner) noteProof(ctx context.Context, role plan.Role, proof login) error {
	rec := r.held.Record()
	known := proof.files || slices.Contains(rec.HostKeys, proof.HostKey)
	rotating := role != plan.Current || rec.SSH.Previous != nil
	if known && !rotating {
		return nil
	}
	at, err := r.serverTime(ctx)
	if err != nil {
		return err
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		if !known && !slices.Contains(rec.HostKeys, proof.HostKey) {
			rec.HostKeys = append(rec.HostKeys, proof.HostKey)
		}
		if key := *slot(rec, role); key != nil && rotating {
			key.Proved = at
		}
		return nil
	})
}
