// Package fleet is the program on one page. What works on a fleet (a command, doctor,
// the laws, a benchmark) loads its configuration with schema.Load and calls
//
//	run, err := fleet.New(configuration, scope, env) // what the run is about
//	err = run.Open(ctx)                              // log in
//	planned, err := run.Plan(ctx)                    // read the systems and compare
//	result := run.Apply(ctx, fleet.Everything(planned), opts)
//	left, err := run.Check(ctx, planned, result)     // read again: nothing is left
//
// The Scope decides which connections are planned, which are removed, and what may
// be taken over, once and for all of them. The process (flags, environment, clock,
// streams) stays outside: its parts come in an Env.
package fleet

import (
	"context"
	"maps"
	"time"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/schema"
)

// Env is what a run takes from the process.
type Env struct {
	Systems  systems.Env
	Now      func() time.Time // decides what is due; nil: time.Now
	Observer Observer         // nil: nobody watches
}

// An Observer shows what a run is doing.
type Observer interface {
	// Reading is called before connections are read. stats returns the figures of the
	// systems' limiters.
	Reading(connections int, stats func() map[string]limit.Figures) Progress
	// AwaitingLeases is called before a run waits for leases that other runs hold.
	AwaitingLeases(leased []plan.Connection, most time.Duration) Progress
}

// Progress shows how far a piece of work is. Done may be called from several
// goroutines.
type Progress interface {
	Done(n int)
	Close()
}

// A Run is the work of one command on one fleet.
type Run struct {
	Configuration *schema.Fleet
	Scope         Scope
	Targeted      []*schema.Connection // the connections that the targets name
	Connections   []*schema.Connection // of those, the ones in the shard
	Systems       *systems.Systems

	env      Env
	adopted  map[string]bool // addresses
	patience *apply.Patience
	planned  bool                 // before: an address to remove may name nothing any more
	asked    map[string]*plan.Ask // by the plan before, by address
}

// New returns a run. It asks no system.
func New(configuration *schema.Fleet, scope Scope, env Env) (*Run, error) {
	if env.Now == nil {
		env.Now = time.Now
	}
	r := &Run{Configuration: configuration, Scope: scope, env: env, patience: apply.NewPatience(scope.WaitLease)}
	if err := r.choose(); err != nil {
		return nil, err
	}
	r.Systems = systems.New(configuration, env.Systems)
	return r, nil
}

// Open logs in to Vault. Terraform and Bitbucket are opened when they are first
// asked for.
func (r *Run) Open(ctx context.Context) error { return r.Systems.Login(ctx) }

// Close ends the logins.
func (r *Run) Close() { r.Systems.Close() }

// Plan reads the systems and plans the run's connections and removals.
func (r *Run) Plan(ctx context.Context) (plan.Plan, error) { return r.PlanOnly(ctx, nil) }

// PlanOnly is Plan for the connections that keep accepts. nil accepts all of them.
func (r *Run) PlanOnly(ctx context.Context, keep func(address string) bool) (plan.Plan, error) {
	read, err := r.Read(ctx, keep)
	return read.Plan, err
}

// Apply carries out what was approved. opts says how fast, and who watches; the
// rest of them follows from the run.
func (r *Run) Apply(ctx context.Context, approved Approval, opts apply.Options) apply.Result {
	opts.AllowUnlink, opts.Patience, opts.Now, opts.Replan = r.Scope.Removal.AllowUnlink, r.patience, r.env.Now, r.after(approved.Plan).replan
	result := apply.Run(ctx, r.Systems, known{live.NewHostKeys(r.Systems), r.Systems}, approved.Plan, opts)
	result.Connections = append(result.Connections, approved.Outdated...)
	return result
}

// Check plans again what the apply of a plan wrote to: what is left did not work.
// Connections that were not begun are left out.
func (r *Run) Check(ctx context.Context, applied plan.Plan, result apply.Result) (plan.Plan, error) {
	wrote, deferred := map[string]bool{}, map[string]bool{}
	for _, o := range result.Connections {
		wrote[o.Address] = len(o.Done) > 0
		deferred[o.Address] = o.Status == apply.Later
	}
	left, err := r.Settled(applied).PlanOnly(ctx, func(address string) bool { return wrote[address] })
	left.Connections = without(left.Connections, deferred)
	return left, err
}

// Settled returns the run after it applied a plan: what was asked for must be so,
// time alone begins no other rotation, and no lease is broken any more.
func (r *Run) Settled(applied plan.Plan) *Run {
	settled := r.after(applied)
	settled.Scope.Rotate, settled.Scope.BreakLeases = plan.Rotation{Hold: true}, ""
	return settled
}

// after returns the run for the next plan: what was asked for is the condition that
// the plan before made of it.
func (r *Run) after(before plan.Plan) *Run {
	again := *r
	again.planned, again.asked = true, maps.Clone(r.asked)
	if again.asked == nil {
		again.asked = map[string]*plan.Ask{}
	}
	for _, c := range before.Connections {
		if again.asked[c.Address] == nil {
			again.asked[c.Address] = &c.Ask
		}
	}
	return &again
}

func without(connections []plan.Connection, addresses map[string]bool) []plan.Connection {
	var out []plan.Connection
	for _, c := range connections {
		if !addresses[c.Address] {
			out = append(out, c)
		}
	}
	return out
}
