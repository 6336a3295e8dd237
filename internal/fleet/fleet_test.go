package fleet_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/bench"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/schema"
)

// A bed is a fleet in sync, in a sandbox.
type bed struct {
	t      *testing.T
	world  *sandbox.World
	folder string
	fleet  *schema.Fleet
}

func newBed(t *testing.T, organizations int) *bed {
	t.Helper()
	b := &bed{t: t, folder: t.TempDir()}
	var err error
	b.world, b.fleet, err = bench.Start(t.Context(), b.folder, sandbox.Options{Bitbuckets: []string{"9.4.0"}}, bench.Shape{Organizations: organizations})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.world.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// describe makes the configuration describe so many of the connections.
func (b *bed) describe(organizations int) {
	b.t.Helper()
	if err := bench.Write(b.folder, b.world.Facts, bench.Shape{Organizations: organizations}); err != nil {
		b.t.Fatal(err)
	}
	configuration, _, diags := schema.Load(b.folder, schema.Options{})
	if diags.HasErrors() {
		b.t.Fatal(diags)
	}
	b.fleet = configuration
}

func (b *bed) open(scope fleet.Scope) *fleet.Run {
	b.t.Helper()
	env := systems.Env{Getenv: func(name string) string {
		return map[string]string{"VAULT_TOKEN": b.world.Facts.Vault.Token}[name]
	}}
	run, err := fleet.New(b.fleet, scope, fleet.Env{Systems: env})
	if err == nil {
		err = run.Open(b.t.Context())
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(run.Close)
	return run
}

// removed returns the addresses that a plan removes, and insists that it does
// nothing else.
func removed(t *testing.T, p plan.Plan, err error) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range p.Connections {
		switch {
		case len(c.Blocks) > 0:
			t.Errorf("%s: %s", c.Address, c.Blocks[0].Text)
		case c.Removal:
			out = append(out, c.Address)
		case len(c.Changes) > 0:
			t.Errorf("%s: %v", c.Address, c.Changes)
		}
	}
	return out
}

// TestDestroy removes one connection and then all that is left of a name: while an
// address names nothing from the start, it is wrong; once it was planned, it is gone.
func TestDestroy(t *testing.T) {
	b := newBed(t, 3)
	second := b.fleet.Connections[1].Address
	ten := 10
	scope := fleet.Scope{Removal: fleet.Removal{Destroy: true, Names: []string{second}, Max: &ten}}
	run := b.open(scope)
	p, err := run.Plan(t.Context())
	if have := removed(t, p, err); !slices.Equal(have, []string{second}) {
		t.Fatalf("removed: %v", have)
	}
	result := run.Apply(t.Context(), fleet.Everything(p), apply.Options{Holder: "test"})
	for _, o := range result.Connections {
		if o.Status != apply.Applied {
			t.Fatalf("%s: %s: %v", o.Address, o.Status, o.Err)
		}
	}
	b.describe(1) // nor does a file name it
	left, err := b.open(scope).Settled(p).Plan(t.Context())
	if have := removed(t, left, err); len(have) > 0 {
		t.Errorf("left: %v", have)
	}
	if left, err = run.Check(t.Context(), p, result); err != nil || left.Pending() {
		t.Errorf("the check: %v %v", left, err)
	}
	_, err = b.open(scope).Plan(t.Context())
	if refused, ok := errors.AsType[*fleet.Error](err); !ok || refused.Kind != fleet.Usage {
		t.Errorf("have %v, want a usage error", err)
	}
}

// TestPrune: connections with a record and without a block are removed only where
// the scope says so, and not beyond its limit. A record that does not
// name its service user keeps nobody from removing what else it names.
func TestPrune(t *testing.T) {
	b := newBed(t, 3)
	gone, path := b.fleet.Connections[2].Address, b.fleet.Connections[2].Record
	b.describe(2)
	p, err := b.open(fleet.Scope{}).Plan(t.Context())
	if have := removed(t, p, err); len(have) > 0 || len(p.Connections) != 2 {
		t.Errorf("without prune: %v", p)
	}
	one := 1
	p, err = b.open(fleet.Scope{Removal: fleet.Removal{Prune: true, Max: &one}}).Plan(t.Context())
	if have := removed(t, p, err); !slices.Equal(have, []string{gone}) {
		t.Errorf("removed: %v", have)
	}
	vault := b.open(fleet.Scope{}).Systems.Vault()
	stored, version, err := vault.Read(t.Context(), path)
	if err == nil {
		stored.ServiceUser = ""
		_, err = vault.Write(t.Context(), path, stored, version)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err = b.open(fleet.Scope{Removal: fleet.Removal{Prune: true, Max: &one}}).Plan(t.Context())
	if have := removed(t, p, err); !slices.Equal(have, []string{gone}) {
		t.Errorf("a record without its service user: removed: %v", have)
	}
	p, err = b.open(fleet.Scope{Removal: fleet.Removal{Prune: true, Max: new(int)}}).Plan(t.Context())
	if err != nil || p.Connections[2].State() != plan.StateRefused {
		t.Errorf("no removal is allowed: %v %v", p.Connections, err)
	}
}

// TestAnEmptyConfigurationIsRefused: it would look like a fleet in sync.
func TestAnEmptyConfigurationIsRefused(t *testing.T) {
	b := newBed(t, 1)
	b.fleet.Connections = nil
	_, err := b.open(fleet.Scope{}).Plan(t.Context())
	if refused, ok := errors.AsType[*fleet.Error](err); !ok || refused.Kind != fleet.Refused {
		t.Errorf("have %v, want a refusal", err)
	}
}

// TestARotationIsAskedForOnce: the run that asked for a new pair has it after its
// apply, however often it plans; another run asks for one more.
func TestARotationIsAskedForOnce(t *testing.T) {
	b := newBed(t, 1)
	scope := fleet.Scope{Rotate: plan.Rotation{Consumer: true}}
	run := b.open(scope)
	p, err := run.Plan(t.Context())
	if err != nil || rotations(p) != 1 {
		t.Fatalf("no new pair is planned: %v %v", p.Connections, err)
	}
	result := run.Apply(t.Context(), fleet.Everything(p), apply.Options{Holder: "test"})
	for _, o := range result.Connections {
		if o.Status != apply.Waiting { // the sandbox's Terraform wants a click for a new pair
			t.Fatalf("%s: %v", o.Status, o.Err)
		}
	}
	left, err := run.Check(t.Context(), p, result)
	if have := rotations(left); err != nil || have != 0 {
		t.Errorf("the check plans %d new pairs: %v", have, err)
	}
	left, err = run.Again(p).Plan(t.Context())
	if have := rotations(left); err != nil || have != 0 {
		t.Errorf("the run plans %d new pairs again: %v", have, err)
	}
	if p, err = b.open(scope).Plan(t.Context()); err != nil || rotations(p) != 1 {
		t.Errorf("another run plans no new pair: %v %v", p.Connections, err)
	}
}

// rotations counts the new pairs that a plan makes.
func rotations(p plan.Plan) (n int) {
	for _, c := range p.Connections {
		for _, s := range c.Steps() {
			if _, ok := s.(plan.CreateConsumerKey); ok {
				n++
			}
		}
	}
	return n
}
