package cli

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

var fleetSize = flag.Int("fleet", 6, "connections of TestRotateFiftyNoOutage")

// TestRotateFiftyNoOutage rotates the SSH keys of a fleet (of fifty with
// -fleet=50, which takes minutes) from age to retirement, and has Terraform's side log in to Bitbucket
// after every write: on Bitbucket and Terraform all connections, on Vault the
// one that the record is of. It prints how often that was tried, how often it
// failed, and what the rotation cost without anybody watching.
func TestRotateFiftyNoOutage(t *testing.T) {
	orgs := *fleetSize
	w := &watcher{}
	world, err := sandbox.Start(t.Context(), sandbox.Options{
		Orgs: orgs, Bitbuckets: []string{"9.4.0"}, Terraform: terraformd.Options{OnWrite: func(string) { w.all() }},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	w.terraform = world.Terraform
	world.Bitbuckets[0].OnWrite(func(string) { w.all() })
	err = world.Fronts["vault"].Order(front.Fault{Kind: front.Call, Path: "^/v1/secret/(data|destroy)/bbsync/", Times: -1, After: w.record})
	if err != nil {
		t.Fatal(err)
	}
	e := exampleWorld{t: t, world: world, env: append(os.Environ(), world.Facts.Environment()...)}
	e.env = append(e.env, fmt.Sprint("BBSYNC_VAR_orgs=", orgs), "BBSYNC_VAR_rotate_after=90d")
	e.bbsync("testdata/rotation", exitWaiting, "apply", "--auto-approve")
	e.bbsync("testdata/rotation", exitDone, "sandbox", "approve")
	e.bbsync("testdata/rotation", exitDone, "apply", "--auto-approve")
	at := func(hours int) { e.env = append(e.env, fmt.Sprintf("BBSYNC_TEST_AHEAD=%dh", hours)) }

	for round, watched := range []bool{false, true} {
		w.on.Store(watched)
		for _, step := range []struct {
			name string
			hour int
		}{{"switch", 100 * 24}, {"retire", 100*24 + 25}} {
			for _, f := range world.Fronts {
				f.ResetCounts()
			}
			at(round*101*24 + step.hour)
			began := time.Now()
			e.bbsync("testdata/rotation", exitDone, "apply", "--auto-approve")
			t.Logf("%s, watched %t: %d connections in %.1f s; requests: terraform %d, bitbucket %d, vault %d", step.name, watched, orgs,
				time.Since(began).Seconds(), world.Fronts["terraform"].Counts().Total, world.Fronts["bitbucket-9.4.0"].Counts().Total, world.Fronts["vault"].Counts().Total)
		}
		if out := e.bbsync("testdata/rotation", exitDone, "plan"); !strings.Contains(out, "In sync: ") || strings.Contains(out, "previous") {
			t.Errorf("the rotation has not ended:\n%s", out)
		}
	}
	w.on.Store(false)
	t.Logf("logins of Terraform's side tried by the watcher: %d, failed: %d", w.tried.Load(), w.failed.Load())
	if w.tried.Load() < int64(8*orgs) || w.failed.Load() > 0 {
		t.Errorf("want more logins tried, and none failed: %v", w.why)
	}
	e.bbsync("testdata/rotation", exitDone, "sandbox", "break", "delete-ssh-keys", "acme-01")
	for _, c := range world.Terraform.Connections()[:1] {
		before := w.failed.Load()
		if w.try(c); w.failed.Load() != before+1 {
			t.Error("the watcher does not see an outage")
		}
	}
}

// A watcher tries whether Terraform's side could clone.
type watcher struct {
	terraform     *terraformd.Server
	on            atomic.Bool
	tried, failed atomic.Int64

	mu    sync.Mutex
	why   []string
	next  *sync.Once // the round that has not begun
	round sync.Mutex // held by the one that runs
}

// all tries every connected client. Writers that come while a round runs share
// the one after it: each has its answer after a whole round that began after
// its write.
func (w *watcher) all() {
	if !w.on.Load() {
		return
	}
	w.mu.Lock()
	if w.next == nil {
		w.next = new(sync.Once)
	}
	mine := w.next
	w.mu.Unlock()
	mine.Do(func() {
		w.round.Lock()
		defer w.round.Unlock()
		w.mu.Lock()
		w.next = nil
		w.mu.Unlock()
		w.tryAll()
	})
}

func (w *watcher) tryAll() {
	group := new(errgroup.Group)
	group.SetLimit(4) // more would only wait for each other
	for _, c := range w.terraform.Connections() {
		if c.Connected {
			group.Go(func() error { w.try(c); return nil })
		}
	}
	_ = group.Wait() // try keeps the failures
}

// record tries the clients of the organization that a request to Vault is about.
func (w *watcher) record(r *http.Request) {
	if !w.on.Load() || r.Method == http.MethodGet {
		return
	}
	organization := regexp.MustCompile(`acme-[0-9]+`).FindString(r.URL.Path)
	for _, c := range w.terraform.Connections() {
		if c.Connected && c.Organization == organization {
			w.try(c)
		}
	}
}

func (w *watcher) try(c terraformd.Connection) {
	w.tried.Add(1)
	if err := w.terraform.CanClone(context.Background(), c.Organization, c.Client); err != nil {
		w.failed.Add(1)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.why = append(w.why, fmt.Sprintf("%s: %v", c.Organization, err))
	}
}
