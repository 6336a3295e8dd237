package laws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/plan/plantest"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/schema"
)

// TestPrediction carries plans out against the sandbox, each step as a run of its own.
// After each step, what is read is what the planner predicted. Each kind of step occurs.
func TestPrediction(t *testing.T) {
	t.Parallel()
	b, states := transitBed(t)
	w := &walker{bed: b, kinds: map[string]int{}}
	for _, c := range predictions() {
		t.Run(c.name, func(t *testing.T) { w.walk(t, c, states) })
	}
	for _, kind := range plantest.ConnectionKinds(t) {
		if w.kinds[kind] == 0 && !t.Failed() {
			t.Errorf("no step of kind %s was carried out", kind)
		}
	}
	t.Logf("steps carried out: %v", w.kinds)
}

// A prediction is where a walk begins.
type prediction struct {
	name   string
	state  string // "": nothing
	files  string // "": those of the bed
	people []string
	change func(*testing.T, *bed) // of the systems; nil: none
	later  time.Duration          // that passes before
	rotate plan.Rotation
	adopt  bool
	prune  bool
}

// unlinks is how many workspaces a removal may unlink: those of the bed's connection.
const unlinks = 3

// A walker carries plans out step by step.
type walker struct {
	*bed
	kinds map[string]int // steps carried out
}

func (w *walker) walk(t *testing.T, c prediction, states map[string]snapshot) {
	w.restore(t, states[c.state])
	w.describe(t, 1, c.configuration())
	for _, what := range c.people {
		w.must(t, w.disturb(t, what, sandbox.OrgName(1)))
	}
	if c.change != nil {
		c.change(t, w.bed)
	}
	for range maxRounds {
		if w.round(t, c) {
			return
		}
		c.rotate = plan.Rotation{} // carried out
	}
	t.Errorf("still not in sync after %d rounds:\n%s", maxRounds, w.leftOver())
}

func (c prediction) configuration() string {
	if c.files == "" {
		return files
	}
	return c.files
}

// round plans, carries every step out by itself, up to the first that a person does
// (which is done, too), and reports whether there was nothing to do.
func (w *walker) round(t *testing.T, c prediction) bool {
	t.Helper()
	scope := fleet.Scope{Rotate: c.rotate, Removal: fleet.Removal{Prune: c.prune, Max: new(9), AllowUnlink: unlinks}}
	for _, one := range w.fleet.Connections {
		if c.adopt {
			scope.Adopt = append(scope.Adopt, one.Address)
		}
	}
	run, err := w.start(t.Context(), scope, func() time.Time { return time.Now().Add(c.later) })
	w.must(t, err)
	defer run.Close()
	planned, err := run.Plan(t.Context())
	w.must(t, err)
	done := true
	for _, shared := range planned.Bitbuckets {
		for _, change := range shared.Changes {
			done = false
			shared.Changes = []plan.SharedChange{change}
			w.carry(t, run, plan.Plan{Fleet: planned.Fleet, Bitbuckets: []plan.BitbucketPlan{shared}}, change.Step)
		}
	}
	for _, one := range planned.Connections {
		if len(one.Blocks) > 0 {
			t.Fatalf("%s is blocked: %v", one.Address, one.Blocks)
		}
		done = done && len(one.Changes) == 0
		w.connection(t, run, one)
	}
	return done
}

// connection carries out the steps of one connection and compares after each.
func (w *walker) connection(t *testing.T, run *fleet.Run, c plan.Connection) {
	t.Helper()
	before := reading(t, run, c)
	for _, change := range c.Changes {
		one := c
		one.Changes, one.After, one.Basis = []plan.Change{change}, "", before.Record.Basis()
		waited := w.carry(t, run, plan.Plan{Fleet: c.Fleet, Connections: []plan.Connection{one}}, change.Step)
		after := reading(t, run, c)
		predicted := plan.Effect(change.Step, plan.Read(c.Fleet, described(run, c, before), before, time.Now()))
		for _, d := range plantest.Differences(before.Taken(), predicted.Have, after.Taken()) {
			if !waited || !strings.Contains(d, "Token") {
				t.Errorf("%s\n\t%s", change.Step, d)
			}
		}
		before = after
		if waited {
			return // someone authorized: whether the token is another one is not known, and what follows is planned again
		}
	}
}

// reading reads the connection that a plan is of, as the configuration or its record
// describes it.
func reading(t *testing.T, run *fleet.Run, c plan.Connection) plan.Have {
	t.Helper()
	world, err := live.Read(t.Context(), run.Systems, []*schema.Connection{described(run, c, plan.Have{})}, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	have := world.Have[0]
	if len(have.Unread) > 0 {
		t.Fatalf("reading %s: %v", c.Address, have.Unread)
	}
	return have
}

// described returns the connection that a plan is of. A record that is removed keeps the
// address that it says.
func described(run *fleet.Run, c plan.Connection, have plan.Have) *schema.Connection {
	for _, want := range run.Connections {
		if want.Address == c.Address {
			return want
		}
	}
	address := c.Address
	if have.Record != nil {
		address = have.Record.Address
	}
	return &schema.Connection{
		Address: address, Organization: c.Organization, ServiceUser: c.ServiceUser, Record: c.Record, Link: schema.ApplicationLink{URL: c.LinkURL},
		Terraform: run.Configuration.Terraforms[0], Bitbucket: run.Configuration.Bitbuckets[0],
	}
}

// carry carries out one step and reports whether a person did it.
func (w *walker) carry(t *testing.T, run *fleet.Run, one plan.Plan, step plan.AnyStep) bool {
	t.Helper()
	w.kinds[step.Type().Kind]++
	result := run.Apply(t.Context(), fleet.Everything(one), apply.Options{Holder: "laws"})
	waited := false
	for _, o := range append(result.Bitbuckets, result.Connections...) {
		if o.Err != nil {
			t.Fatalf("%s: %v", step, o.Err)
		}
		waited = waited || o.Status == apply.Waiting
	}
	w.peopleFollow(t, result)
	return waited
}
