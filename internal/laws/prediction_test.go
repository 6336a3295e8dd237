package laws_test

import (
	"context"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/schema"
)

// TestPrediction carries plans out step by step against the sandbox. After each
// step, what is read must be what the planner predicted, and each kind of step must
// occur.
func TestPrediction(t *testing.T) {
	t.Parallel()
	b, states := transitBed(t)
	w := &walker{bed: b, kinds: map[string]int{}}
	for _, c := range predictions() {
		t.Run(c.name, func(t *testing.T) { w.walk(t, c, states) })
	}
	for _, kind := range kindsOfSteps(t) {
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
	p, err := w.start(t.Context())
	w.must(t, err)
	defer p.sys.Close()
	p.adopt, p.rotate = c.adopt, c.rotate
	p.now = func() time.Time { return time.Now().Add(c.later) }
	planned := p.everything(t, c)
	done := true
	for _, shared := range planned.Bitbuckets {
		for _, change := range shared.Changes {
			done = false
			w.shared(t, p, shared, change)
		}
	}
	for _, one := range planned.Connections {
		if len(one.Blocks) > 0 {
			t.Fatalf("%s is blocked: %v", one.Address, one.Blocks)
		}
		done = done && len(one.Changes) == 0
		w.connection(t, p, one)
	}
	return done
}

// everything plans what the configuration describes and, with prune, what it does not.
func (p *process) everything(t *testing.T, c prediction) plan.Plan {
	t.Helper()
	planned, err := p.plan(t.Context(), p.fleet.Connections, true)
	p.must(t, err)
	if !c.prune {
		return planned
	}
	records, err := live.FleetRecords(t.Context(), p.sys)
	p.must(t, err)
	leaving := plan.Orphans(p.fleet, records)
	var wants []*schema.Connection
	for _, l := range leaving {
		wants = append(wants, l.Want)
	}
	world, err := live.Read(t.Context(), p.sys, append(slices.Clone(wants), p.fleet.Connections...), live.Options{})
	p.must(t, err)
	affected, err := live.Affected(t.Context(), p.sys, wants, world.Have[:len(leaving)])
	p.must(t, err)
	r := plan.Removals{
		Fleet: p.fleet.Name, Why: "no file describes it", Max: 9, Records: records, Now: p.now(), Moves: planned.Moves(),
		Affected: affected, AllowUnlink: unlinks,
		Stay: p.fleet.Connections, StayHave: world.Have[len(leaving):],
	}
	planned.Connections = append(planned.Connections, r.Plan(leaving, world.Have[:len(leaving)])...)
	return planned
}

func (w *walker) shared(t *testing.T, p *process, b plan.BitbucketPlan, change plan.Change) {
	t.Helper()
	b.Changes = []plan.Change{change}
	w.carry(t, p, plan.Plan{Fleet: p.fleet.Name, Bitbuckets: []plan.BitbucketPlan{b}}, change.Step)
}

// connection carries out the steps of one connection and compares after each.
func (w *walker) connection(t *testing.T, p *process, c plan.Connection) {
	t.Helper()
	before := p.reading(t, c)
	for _, change := range c.Changes {
		one := c
		one.Changes, one.After, one.Basis = []plan.Change{change}, "", before.Record.Basis()
		waited := w.carry(t, p, plan.Plan{Fleet: p.fleet.Name, Connections: []plan.Connection{one}}, change.Step)
		after := p.reading(t, c)
		for _, d := range differences(before, after) {
			t.Logf("%s: %s", change.Step.Kind(), d)
		}
		before = after
		if waited {
			return // what is behind a person's step is planned again
		}
	}
}

// reading reads the connection that a plan is of, as its configuration or its record
// describes it.
func (p *process) reading(t *testing.T, c plan.Connection) plan.Have {
	t.Helper()
	want := p.described(t, c)
	world, err := live.Read(t.Context(), p.sys, []*schema.Connection{want}, live.Options{})
	p.must(t, err)
	have := world.Have[0]
	if len(have.Unread) > 0 {
		t.Fatalf("reading %s: %v", c.Address, have.Unread)
	}
	return have
}

func (p *process) described(t *testing.T, c plan.Connection) *schema.Connection {
	t.Helper()
	for _, want := range p.fleet.Connections {
		if want.Address == c.Address {
			return want
		}
	}
	return &schema.Connection{
		Address: c.Address, Organization: c.Organization, ServiceUser: c.ServiceUser, Record: c.Record, Link: schema.ApplicationLink{URL: c.LinkURL},
		Terraform: p.fleet.Terraforms[0], Bitbucket: p.fleet.Bitbuckets[0],
	}
}

// carry carries out one step and reports whether a person did it.
func (w *walker) carry(t *testing.T, p *process, one plan.Plan, step plan.Step) bool {
	t.Helper()
	w.kinds[step.Kind()]++
	result := apply.Run(context.WithoutCancel(t.Context()), p.sys, one, apply.Options{Holder: "laws", Now: p.now, AllowUnlink: unlinks})
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

// kindsOfSteps reads from the source which kinds of step a connection can have.
func kindsOfSteps(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("../plan/kind.go")
	if err != nil {
		t.Fatal(err)
	}
	shared := []string{"grant_permission", "remove_unknown_key", "install_plugin", "enable_plugin", "enable_hook"}
	var out []string
	for _, m := range regexp.MustCompile(`Kind\(\) string +\{ return "(.*)" \}`).FindAllStringSubmatch(string(source), -1) {
		if !slices.Contains(shared, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}
