package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/tfe"
)

// markCompromised notes that keys must go at once, and why.
func (r *runner) markCompromised(ctx context.Context, s plan.MarkCompromised) error {
	return r.held.Update(ctx, func(rec *record.Record) error {
		for _, k := range []*record.SSHKey{rec.SSH.Pending, rec.SSH.Current, rec.SSH.Previous} {
			if k != nil && slices.Contains(s.Fingerprints, k.Fingerprint) {
				k.Compromised = s.Reason
			}
		}
		if c := rec.Consumer; c != nil && s.Consumer != "" && c.Fingerprint == s.Consumer {
			c.Compromised = s.Reason
		}
		return nil
	})
}

// restageKey makes the previous key the pending one, unless it is so already.
func (r *runner) restageKey(ctx context.Context, s plan.RestageKey) error {
	return r.held.Update(ctx, func(rec *record.Record) error {
		ssh := &rec.SSH
		if ssh.Pending != nil && ssh.Pending.Fingerprint == s.Fingerprint {
			return nil
		}
		if ssh.Pending != nil || ssh.Previous == nil || ssh.Previous.Fingerprint != s.Fingerprint {
			return fmt.Errorf("previous SSH key %s: %w", s.Fingerprint, errNoKeys)
		}
		ssh.Pending, ssh.Previous = ssh.Previous, nil
		ssh.Pending.Token, ssh.Pending.Set, ssh.Pending.SwitchNoted = "", time.Time{}, true // that it has been left tells that this goes back
		return nil
	})
}

// switchKey gives Terraform the pending key, then shifts the roles in one write.
// A crash in between leaves the key pending, and it is set once more. Both keys
// are on Bitbucket all the while, so that it does not matter which of them
// Terraform holds.
func (r *runner) switchKey(ctx context.Context, s plan.SwitchKey) error {
	key, err := r.sshKey(plan.Pending)
	if err != nil {
		return err
	}
	if s.Fingerprint != "" && s.Fingerprint != key.Fingerprint {
		return fmt.Errorf("the pending SSH key is %s by now; plan again", key.Fingerprint)
	}
	if r.held.Record().SSH.Previous != nil {
		return errors.New("the record has a previous SSH key that is not retired; plan again")
	}
	token, err := r.switchToken(ctx, s, key)
	if err != nil {
		return err
	}
	left, err := r.serverTime(ctx)
	if err != nil {
		return err
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		ssh := &rec.SSH
		if ssh.Pending == nil && ssh.Current != nil && ssh.Current.Fingerprint == key.Fingerprint {
			return nil // an answer was lost
		}
		if ssh.Pending == nil || ssh.Pending.Fingerprint != key.Fingerprint {
			return fmt.Errorf("pending SSH key %s: %w", key.Fingerprint, errNoKeys)
		}
		if ssh.Current != nil {
			ssh.Current.Left = left
		}
		ssh.Previous, ssh.Current, ssh.Pending = ssh.Current, ssh.Pending, nil
		ssh.Current.Token, ssh.Current.Set, ssh.Current.SwitchNoted = token, time.Time{}, false
		if token != "" {
			ssh.Current.Set = r.now()
		}
		return nil
	})
}

// switchToken puts the key on the service user's OAuth token and returns its id,
// "" when there is none and need be none.
func (r *runner) switchToken(ctx context.Context, s plan.SwitchKey, key *record.SSHKey) (string, error) {
	client, err := r.terraformClient(ctx)
	if err != nil {
		return "", err
	}
	found, err := r.findClient(ctx, client)
	if s.NoToken && errors.Is(err, errNoClient) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if takes, err := r.takesKey(found, s.NoToken); err != nil || !takes {
		return "", err
	}
	if err := r.noteClient(ctx, found.ID); err != nil { // before, as in setTokenKey
		return "", err
	}
	if err := r.noteSwitch(ctx, key, found.Token); err != nil {
		return "", err
	}
	return found.Token.ID, client.SetSSHKey(ctx, found.Token.ID, key.Private)
}

// takesKey reports whether the client has a token that may be given a key: one of
// the service user. Where there need be none, somebody else's is left alone.
func (r *runner) takesKey(c tfe.OAuthClient, noToken bool) (bool, error) {
	err := r.checkUser(c)
	if c.Token == nil {
		err = errTokenGone
	}
	if noToken && err != nil {
		return false, nil
	}
	return err == nil, err
}

// noteSwitch notes, before Terraform is given the pending key, which token may hold
// it from then on: should the run be cut off, the next plan still knows.
func (r *runner) noteSwitch(ctx context.Context, key *record.SSHKey, token *tfe.Token) error {
	return r.held.Update(ctx, func(rec *record.Record) error {
		if k := rec.SSH.Pending; k != nil && k.Fingerprint == key.Fingerprint {
			k.Token = token.ID
		}
		r.noteAuthorized(rec, token)
		return nil
	})
}

// serverTime is now by Bitbucket's clock, as far as its answers tell: what it
// says of a key's use is by that clock.
func (r *runner) serverTime(ctx context.Context) (time.Time, error) {
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return time.Time{}, err
	}
	skew, _ := client.Clock()
	return time.Now().Add(skew).UTC(), nil // not Options.Now: the skew is measured against time.Now
}

const (
	refusedTries = 5
	refusedPause = time.Second
)

// proveRefused tries to log in with a key that was deleted. The nodes of a
// cluster may take a moment to learn of it.
func (r *runner) proveRefused(ctx context.Context, s plan.ProveRefused) error {
	key, err := r.sshKey(s.Role)
	if err != nil {
		return err
	}
	if key.Fingerprint != s.Fingerprint {
		return fmt.Errorf("the %s SSH key is %s by now; plan again", s.Role, key.Fingerprint)
	}
	for try := 1; ; try++ {
		proof, err := r.login(ctx, key)
		switch {
		case errors.Is(err, bitbucket.ErrKeyRefused):
			r.proof = "Bitbucket refuses a login with " + key.Fingerprint
			return nil
		case err != nil:
			return fmt.Errorf("whether the key is refused is not known: %w", err)
		case try == refusedTries:
			return fmt.Errorf("the key %s still logs in, as %q: somebody has added it again, or it is an access key of a project or repository; remove it in Bitbucket", key.Fingerprint, proof.User)
		}
		if err := httpx.Sleep(ctx, refusedPause); err != nil {
			return err
		}
	}
}

// retireKey drops a key from the record and destroys the versions that held it.
// The note of what was dropped outlives a crash in between.
func (r *runner) retireKey(ctx context.Context, s plan.RetireKey) error {
	err := r.held.Update(ctx, func(rec *record.Record) error {
		key := slot(rec, s.Role)
		if *key == nil || (*key).Fingerprint != s.Fingerprint {
			return nil // dropped already
		}
		rec.Retired = &record.RetiredKey{Fingerprint: s.Fingerprint, At: r.now(), Why: (*key).Compromised}
		*key = nil
		return nil
	})
	if err != nil {
		return err
	}
	return r.destroyOld(ctx)
}

func (r *runner) destroyOld(ctx context.Context) error {
	if err := r.held.DestroyOlder(ctx); err != nil {
		return err
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		if rec.Retired != nil {
			rec.Retired.Destroyed = true
		}
		return nil
	})
}
