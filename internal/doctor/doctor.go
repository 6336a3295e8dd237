// Package doctor looks at connections and says of each thing that the vendor's
// procedure asks for whether it is so: one check each, and for each that fails
// what the cause is and what to do. What it asks the systems changes nothing in
// them, but for the proof of Prove, which is asked for by name; what it makes of
// the answers is decided in functions that ask nothing.
//
// What it sees of names, ports, certificates and clocks is true of the machine it
// runs on. What Terraform itself can reach, only Terraform can tell, and is asked
// where its version has an answer.
package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/schema"
)

// Options of a look.
type Options struct {
	Parallel int // connections at once; 0: 16
	Now      time.Time
}

// Run checks the run's connections and the systems they use. The run is not open
// yet: whether it can log in is the first thing to find out.
func Run(ctx context.Context, run *fleet.Run, opts Options) (Report, error) {
	if opts.Parallel == 0 {
		opts.Parallel = 16
	}
	d := &doctor{sys: run.Systems, run: run, connections: run.Connections, opts: opts, bitbuckets: map[string]*bitbucketFacts{}, terraforms: map[string]*terraformFacts{}}
	var report Report
	vault := d.readVault(ctx)
	report.Sections = append(report.Sections, Section{Kind: Vault, Name: "vault", Checks: vault.checks()})
	d.readShared(ctx, vault.login == nil)
	for _, t := range d.usedTerraforms() {
		report.Sections = append(report.Sections, Section{Kind: Terraform, Name: "terraform." + t.want.Label, Checks: t.checks(opts.Now)})
	}
	for _, b := range d.usedBitbuckets() {
		report.Sections = append(report.Sections, Section{Kind: Bitbucket, Name: "bitbucket." + b.want.Label, Checks: b.checks(opts.Now)})
	}
	if vault.login != nil {
		for _, c := range run.Connections {
			report.Sections = append(report.Sections, section(c, []Check{
				unknown("connection", "the credentials and keys are in Vault, which cannot be used", "see vault above"),
			}))
		}
		return report, ctx.Err()
	}
	sections, err := d.readConnections(ctx)
	for i, s := range report.Sections {
		label, ofBitbucket := strings.CutPrefix(s.Name, "bitbucket.")
		if b := d.bitbuckets[label]; ofBitbucket && b != nil && b.reached() == nil && err == nil {
			s.Checks = append(s.Checks, b.orphanedConsumers(d.consumers))
		}
		if found, asked := d.strange[s.Name]; asked {
			s.Checks = append(s.Checks, unknownKeys(found))
		}
		s.Checks = append(s.Checks, endChecks(s.Name, d.ends, opts.Now)...)
		report.Sections[i] = s
	}
	report.Sections = append(report.Sections, sections...)
	return report, err
}

// A doctor is one look.
type doctor struct {
	sys         *systems.Systems
	run         *fleet.Run
	connections []*schema.Connection
	opts        Options
	bitbuckets  map[string]*bitbucketFacts
	terraforms  map[string]*terraformFacts
	ends        []expiry.End
	strange     map[string]plan.UnknownKeys // by section, where the whole fleet is looked at
	consumers   map[string]string           // the connections' addresses by consumer key
}

// readShared reads what is read once for all connections of a system.
func (d *doctor) readShared(ctx context.Context, loggedIn bool) {
	for _, c := range d.connections {
		b := d.bitbuckets[c.Bitbucket.Label]
		if b == nil {
			b = &bitbucketFacts{want: c.Bitbucket}
			d.bitbuckets[c.Bitbucket.Label] = b
		}
		b.connections = append(b.connections, c)
		if d.terraforms[c.Terraform.Label] == nil {
			d.terraforms[c.Terraform.Label] = &terraformFacts{want: c.Terraform, organization: c.Organization}
		}
	}
	var group errgroup.Group
	for _, b := range d.bitbuckets {
		group.Go(func() error { b.read(ctx, d.sys, loggedIn); return nil })
	}
	for _, t := range d.terraforms {
		group.Go(func() error { t.read(ctx, d.sys, loggedIn); return nil })
	}
	_ = group.Wait() // what went wrong is among the facts
}

func (d *doctor) usedTerraforms() []*terraformFacts {
	var out []*terraformFacts
	for _, t := range d.run.Configuration.Terraforms {
		if facts := d.terraforms[t.Label]; facts != nil {
			out = append(out, facts)
		}
	}
	return out
}

func (d *doctor) usedBitbuckets() []*bitbucketFacts {
	var out []*bitbucketFacts
	for _, b := range d.run.Configuration.Bitbuckets {
		if facts := d.bitbuckets[b.Label]; facts != nil {
			out = append(out, facts)
		}
	}
	return out
}

// readConnections reads the connections as plan does, and then what plan does not
// ask.
func (d *doctor) readConnections(ctx context.Context) ([]Section, error) {
	whole := d.run.Whole()
	read, err := d.run.Read(ctx, nil)
	if err != nil {
		return nil, err
	}
	world, planned := read.World, read.Plan
	d.ends = planned.Ends
	d.strange = map[string]plan.UnknownKeys{}
	for label, b := range world.Bitbuckets {
		if whole && len(b.Unread) == 0 {
			d.strange["bitbucket."+label] = b.Strange
		}
	}
	d.consumers = consumersOf(d.connections, world.Have)
	hostKeys := live.NewHostKeys(d.sys)
	out := make([]Section, len(d.connections))
	var group errgroup.Group
	group.SetLimit(d.opts.Parallel)
	for i, c := range d.connections {
		group.Go(func() error {
			facts := &connectionFacts{
				want: c, have: world.Have[i].Taken(), shared: world.Bitbuckets[c.Bitbucket.Label], planned: planned.Connections[i],
				bitbucket: d.bitbuckets[c.Bitbucket.Label], terraform: d.terraforms[c.Terraform.Label], hostKeys: hostKeys,
			}
			facts.read(ctx, d.sys)
			out[i] = section(c, facts.checks(d.opts.Now))
			return ctx.Err()
		})
	}
	return out, group.Wait()
}

func section(c *schema.Connection, checks []Check) Section {
	return Section{
		Kind: Connection, Name: c.Address, Checks: checks,
		Needs: []string{"vault", "terraform." + c.Terraform.Label, "bitbucket." + c.Bitbucket.Label},
	}
}

// An answer is what a system said to one question, or why it did not.
type answer[T any] struct {
	value T
	err   error
}

func ask[T any](value T, err error) answer[T] { return answer[T]{value, err} }

// errNotAsked is the answer to a question that was not asked.
var errNotAsked = errors.New("not asked")

// errVaultDown says that a system was not opened, as its credential is in Vault.
var errVaultDown = fault.New(fault.Unavailable, "its credential is in Vault, which cannot be used", "see vault above")

// firstOf returns the errors' first that is one.
func firstOf(errs ...error) error {
	i := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	if i < 0 {
		return nil
	}
	return errs[i]
}
