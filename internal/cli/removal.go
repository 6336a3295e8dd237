package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// A removal says what a session may remove; the zero value nothing.
type removal struct {
	prune       bool            // what no file describes
	destroy     bool            // what the addresses name, whatever the files describe
	addresses   []string        // none: all of the fleet
	found       map[string]bool // those of the addresses that named something
	max         int             // connections; negative: what the files say
	allowUnlink int
}

func (r removal) active() bool { return r.prune || r.destroy }

// most returns how many connections the flags let go, nil for what the files say.
func (r removal) most() *int {
	if r.max < 0 {
		return nil
	}
	return &r.max
}

// limitFlags adds the flags that bound what is removed.
func (r *removal) limitFlags(c *cobra.Command) {
	c.Flags().IntVar(&r.max, "max-removals", -1, "remove up to this many connections, whatever max_removals in the files says")
	c.Flags().Lookup("max-removals").DefValue = "0" // which help leaves out: there is no number that stands for the files'
	c.Flags().IntVar(&r.allowUnlink, "allow-unlink", 0, "accept that exactly this many workspaces, policy sets, registry modules and stacks lose their OAuth client")
}

// removalFlags adds the flags of the verbs that may remove.
func (f *sessionFlags) removalFlags(c *cobra.Command) {
	c.Flags().BoolVar(&f.removal.prune, "prune", false, "also remove connections of this fleet that no file describes any more")
	f.removal.limitFlags(c)
}

// checkRemoval returns an error when flags contradict each other.
func (f *sessionFlags) checkRemoval() error {
	if f.removal.prune && len(f.targets) > 0 {
		return &exitError{code: exitUsage, err: errors.New("--prune looks at the whole fleet and cannot be used with --target; bbsync destroy removes single connections")}
	}
	return nil
}

// going are the connections that are to go: those that have to be read, and
// their places among all of them.
type going struct {
	leaving []plan.Leaving
	read    []*schema.Connection
	place   []int                   // of each that is read, in leaving
	records map[string]*plan.Record // of the fleet, by path
}

// going finds what is to go. Only then are the records listed: it takes a
// request for each folder of them, more than a plan has to spare.
func (s *session) going(ctx context.Context) (going, error) {
	if !s.removal.active() {
		return going{}, s.refuseEmpty(ctx)
	}
	if s.removal.prune && s.shard.String() != "" {
		return going{}, &exitError{code: exitUsage, err: errors.New("--prune looks at the whole fleet and cannot be used on a shard")}
	}
	records, err := live.Records(ctx, s.sys, s.fleet.Name)
	if err != nil {
		return going{}, err
	}
	g := going{records: records}
	if s.removal.destroy {
		for _, c := range s.fleet.Connections {
			g.leaving = append(g.leaving, plan.Leaving{Want: c, Record: records[c.Record]})
		}
	}
	g.leaving = append(g.leaving, plan.Orphans(s.fleet, records)...)
	if err := s.removal.narrow(&g); err != nil {
		return going{}, err
	}
	for i, l := range g.leaving {
		s.breakLeases(l.Record)
		if !l.Forget && l.Kept == "" {
			g.read, g.place = append(g.read, l.Want), append(g.place, i)
		}
	}
	return g, nil
}

// narrow leaves what the addresses name. An address that named something once may
// name nothing later: what it named was removed.
func (r *removal) narrow(g *going) error {
	if len(r.addresses) == 0 {
		return nil
	}
	if r.found == nil {
		r.found = map[string]bool{}
	}
	g.leaving = slices.DeleteFunc(g.leaving, func(l plan.Leaving) bool {
		for _, name := range r.addresses {
			if name == l.Want.Address || name == "connection."+l.Want.Block {
				r.found[name] = true
				return false
			}
		}
		return true
	})
	for _, name := range r.addresses {
		if !r.found[name] {
			return &exitError{code: exitUsage, err: fmt.Errorf("neither the files nor the fleet's records in Vault have a connection with the address %s", name)}
		}
	}
	return nil
}

// withRemovals adds the plans of what is to go. Whatever the files describe and
// is not going stays whole.
func (s *session) withRemovals(ctx context.Context, p plan.Plan, g going, connections []*schema.Connection, world live.World) (plan.Plan, error) {
	if !s.removal.active() {
		return p, nil
	}
	read := world.Have[len(connections):]
	affected, err := live.Affected(ctx, s.sys, g.read, read)
	if err != nil {
		return plan.Plan{}, err
	}
	have := make([]plan.Have, len(g.leaving))
	for i, place := range g.place {
		have[place] = read[i]
	}
	r := plan.Removals{
		Fleet: s.fleet.Name, Why: "no file describes it", Max: s.fleet.MaxRemovals, MaxAt: s.fleet.MaxRemovalsRange,
		AllowUnlink: s.removal.allowUnlink, Affected: affected, Records: g.records, Emptied: p.Emptied(), Moves: p.Moves(), Now: s.app.now(),
		Stay: connections, StayHave: world.Have[:len(connections)],
	}
	if most := s.removal.most(); most != nil {
		r.Max = *most
	}
	if s.removal.destroy {
		r.Why, r.Asked = "asked for", true
	}
	if len(connections) < len(s.fleet.Connections) && len(g.leaving) > 0 { // what stays is all that the files describe, however few of it are planned
		if r.Stay, r.StayHave, err = s.staying(ctx, g); err != nil {
			return plan.Plan{}, err
		}
	}
	p.Connections = append(p.Connections, r.Plan(g.leaving, have)...)
	return p, nil
}

// staying reads what the files describe and is not going.
func (s *session) staying(ctx context.Context, g going) ([]*schema.Connection, []plan.Have, error) {
	goes := map[string]bool{}
	for _, l := range g.leaving {
		goes[l.Want.Record] = true
	}
	var stay []*schema.Connection
	for _, c := range s.fleet.Connections {
		if !goes[c.Record] {
			stay = append(stay, c)
		}
	}
	if len(stay) == 0 {
		return nil, nil, nil
	}
	world, err := live.Read(ctx, s.sys, stay, s.reading(nil))
	if err != nil {
		return nil, nil, fmt.Errorf("reading what stays: %w", err)
	}
	return stay, world.Have, nil
}
