package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// A world is what the three systems hold, in memory, and how they fail.
type world struct {
	mu sync.Mutex // of all that follows, while a request is carried out

	records map[string]*stored
	leased  map[string]vault.LeasedError // leases of other runs, by path
	held    []*fakeLease

	links     map[string]bitbucket.Link     // by id
	consumers map[string]bitbucket.Consumer // by id of the link
	sshKeys   map[string][]bitbucket.SSHKey // by user
	strange   bool                          // nothing knows the key that FindUnknownKey is asked for
	misses    map[string]bool               // permissions that a grant does not bring about
	other     []string                      // permissions and plugins, as they were set
	policy    bitbucket.KeyPolicy
	policyErr error

	orphansErr error
	skew       time.Duration
	hostKey    string
	pinned     []string // in the configuration
	learned    []string // in other records of the fleet
	lags       int      // logins with a deleted key that still succeed
	renames    string   // what CreateLink names a link; "": as asked

	clients   []tfe.OAuthClient
	pairs     map[string]string // private half of a client, by id
	tokenKeys map[string]string // SSH key of a token, by id
	affected  tfe.Affected
	repos     []string
	reposErr  error
	users     []tfe.Workspace // all workspaces
	*terraform

	secrets map[string]secret.Text // by name in Vault or the environment

	calls  []string // of all requests, what they are
	faults map[int]fault
	abort  func()
	lostAt []string // what the world held when the lease was lost
	events []string
	opened []string // systems that were asked for
	closed string   // the one that cannot be opened
	deeds  []Deed
}

// stored is a record as Vault keeps it.
type stored struct {
	record    record.Record
	version   vault.Version
	destroyed vault.Version // versions below it are destroyed
}

// othersHostKey is what somebody else adds to a record.
const othersHostKey = "ssh-ed25519 somebody-elses"

// A failure is how a request fails.
type failure int

const (
	refused    failure = iota + 1 // nothing was done
	answerLost                    // it was done
	leaseLost                     // another run has the lease by then
	aborted                       // the run is aborted by then
	changed                       // somebody else has changed the record by then
)

type fault struct {
	failure
	kind error // of what is returned; nil: the system is not available
}

// enter begins a request. It returns false when the request is not to be carried
// out.
func (w *world) enter(ctx context.Context, name string) (fault, bool) {
	w.calls = append(w.calls, name)
	f := w.faults[len(w.calls)]
	switch f.failure {
	case leaseLost:
		if len(w.held) > 0 {
			w.lostAt = w.show()
			w.held[0].lose()
			synctest.Wait()
		}
	case aborted:
		w.abort()
		synctest.Wait()
	case changed:
		for _, r := range w.records {
			r.record.HostKeys = append(slices.Clone(r.record.HostKeys), othersHostKey)
		}
	case refused, answerLost:
	}
	return f, f.failure != refused && ctx.Err() == nil
}

// do carries a request out, or lets it fail as the test says.
func (w *world) do(ctx context.Context, unavailable error, name string, work func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, ok := w.enter(ctx, name)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case f.kind != nil:
		unavailable = f.kind
	}
	if !ok {
		return fmt.Errorf("%s: %w", name, unavailable)
	}
	if err := work(); err != nil {
		return err
	}
	if f.failure == answerLost {
		return fmt.Errorf("%s: answer lost: %w", name, unavailable)
	}
	return nil
}

// open returns an error for what cannot be opened.
func (w *world) open(what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, what)
	if w.closed == what {
		return errors.New("no credential for " + what)
	}
	return nil
}

func (w *world) Terraform(_ context.Context, label, organization string) (terraformServer, error) {
	return fakeTerraform{w}, w.open("terraform " + label + " " + organization)
}

func (w *world) Bitbucket(_ context.Context, label string) (bitbucketServer, error) {
	return fakeBitbucket{w}, w.open("bitbucket " + label)
}

func (w *world) SSHServer(_ context.Context, label string) (systems.SSHServer, error) {
	return systems.SSHServer{Address: "bitbucket.example:7999", HostKeys: w.pinned}, w.open("ssh " + label)
}

func (w *world) Secret(_ context.Context, ref schema.SecretRef) (secret.Text, error) {
	name := "vault:" + ref.Vault
	if ref.Env != "" {
		name = "env:" + ref.Env
	}
	text, ok := w.secrets[name]
	if !ok {
		return text, errors.New("no such secret")
	}
	return text, nil
}

func (w *world) PinnedLogin(_ context.Context, _ string, files, own []string, login func([]string) (string, error)) error {
	own = slices.DeleteFunc(slices.Clone(own), func(key string) bool { return key == othersHostKey })
	for _, pinned := range [][]string{files, own} {
		if len(pinned) > 0 {
			_, err := login(pinned)
			return err
		}
	}
	_, err := login(w.learned)
	return err
}

func (w *world) FindUnknownKey(ctx context.Context, _, user string, id int, _ string) (bool, error) {
	err := w.do(ctx, bitbucket.ErrUnavailable, "find unknown key", func() error { return nil })
	return w.strange && slices.ContainsFunc(w.sshKeys[user], func(k bitbucket.SSHKey) bool { return k.ID == id }), err
}

func (w *world) Lease(ctx context.Context, path, holder string, _ time.Duration, seed record.Record, broken *record.Lease) (lease, error) {
	w.mu.Lock()
	other, ok := w.leased[path]
	w.mu.Unlock()
	if ok && (broken == nil || broken.Holder != other.Holder) {
		return nil, &other
	}
	h := &fakeLease{w: w, path: path, lost: make(chan struct{})}
	err := w.do(ctx, vault.ErrUnavailable, "lease "+path, func() error {
		s, ok := w.records[path]
		if !ok {
			s = &stored{record: seed}
			w.records[path] = s
		}
		delete(w.leased, path)
		s.version++
		s.record.Lease = &record.Lease{Holder: holder}
		w.held = append(w.held, h)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (w *world) DestroyOlder(ctx context.Context, path string, newest vault.Version) error {
	return w.do(ctx, vault.ErrUnavailable, "destroy versions", func() error {
		w.records[path].destroyed = newest
		return nil
	})
}
