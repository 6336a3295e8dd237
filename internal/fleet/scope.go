package fleet

import (
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/shard"
	"github.com/bbsync/bbsync/schema"
)

// A Scope says what a run is about and what it may do. The zero Scope is about all
// connections of the configuration: nothing is adopted, removed or asked for. A
// name in it is the address of a connection (connection.team["acme"]) or of a block
// (connection.team).
type Scope struct {
	Targets     []string      // names; none: all
	Shard       shard.Shard   // the part of the targets that this run does
	Adopt       []string      // names of connections whose existing objects are taken over
	Rotate      plan.Rotation // asked for, of all of the connections
	Removal     Removal
	WaitLease   time.Duration // how long to wait for leases of other runs
	Quick       bool          // consumers are taken from the list of links, as in live.Options
	EveryToken  bool          // the ends of API tokens of single organizations are read, too
	BreakLeases string        // why leases of other runs are broken; "": they are respected
}

// A Removal says what a run may remove. The zero Removal allows nothing.
type Removal struct {
	Prune       bool     // connections with a record and without a block
	Destroy     bool     // connections that Names name, whatever the configuration says; no other is planned
	Names       []string // none: all of the fleet
	Max         *int     // connections; nil: max_removals of the configuration
	AllowUnlink int      // must be the number of workspaces and others that lose their OAuth client
}

// active reports whether a run may remove anything.
func (r Removal) active() bool { return r.Prune || r.Destroy }

// choose resolves the names in the scope.
func (r *Run) choose() (err error) {
	if r.Targeted, err = Select(r.Configuration, r.Scope.Targets); err != nil {
		return err
	}
	adopted, err := Select(r.Configuration, r.Scope.Adopt)
	if err != nil {
		return fmt.Errorf("--adopt: %w", err)
	}
	r.adopted = map[string]bool{}
	for _, c := range adopted {
		r.adopted[c.Address] = len(r.Scope.Adopt) > 0
	}
	switch removal := r.Scope.Removal; {
	case removal.Prune && len(r.Scope.Targets) > 0:
		return usage("--prune looks at the whole fleet and cannot be used with --target; bbsync destroy removes single connections")
	case removal.Prune && r.Scope.Shard.String() != "":
		return usage("--prune looks at the whole fleet and cannot be used on a shard")
	case removal.Destroy:
		return nil
	}
	for _, c := range r.Targeted {
		if r.Scope.Shard.Has(c.Address) {
			r.Connections = append(r.Connections, c)
		}
	}
	return nil
}

// Whole reports whether the run answers for what concerns the fleet as a whole: of
// several shards, the first one does.
func (r *Run) Whole() bool {
	return len(r.Targeted) == len(r.Configuration.Connections) && r.Scope.Shard.Index == 0
}

// adopts reports whether existing objects are taken over for a connection.
func (r *Run) adopts(address string) bool { return r.adopted[address] }

// Select returns the connections with these names, in the order of the
// configuration; none: all.
func Select(configuration *schema.Fleet, selected []string) ([]*schema.Connection, error) {
	if len(selected) == 0 {
		return configuration.Connections, nil
	}
	found := make(map[string]bool, len(selected))
	var out []*schema.Connection
	for _, c := range configuration.Connections {
		if named(c, selected, found) {
			out = append(out, c)
		}
	}
	for _, name := range selected {
		if !found[name] {
			return nil, usage("no connection has the address %s; %s", name, suggestion(configuration, name))
		}
	}
	return out, nil
}

// named reports whether one of the names is the connection's, or its block's, and
// marks all of those that are.
func named(c *schema.Connection, selected []string, found map[string]bool) (is bool) {
	for _, name := range selected {
		if name == c.Address || name == "connection."+c.Block {
			found[name], is = true, true
		}
	}
	return is
}

// suggestion says which address was probably meant: that of the organization with
// this name, or one without its quotes, which a shell removed.
func suggestion(configuration *schema.Fleet, name string) string {
	for _, c := range configuration.Connections {
		if names.SameOrganization(name, c.Organization) || name == strings.ReplaceAll(c.Address, `"`, "") {
			return fmt.Sprintf("did you mean '%s'?", c.Address)
		}
	}
	return "bbsync validate lists them with --verbose"
}
