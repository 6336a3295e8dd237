package fleet

import (
	"time"

	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// endsOptions say what a run reads of what ends: nothing when it plans again, and of
// several shards the first one reads it for all.
func (r *Run) endsOptions() live.EndsOptions {
	if r.planned || r.Scope.Shard.Index > 0 {
		return live.EndsOptions{}
	}
	return live.EndsOptions{Of: r.Targeted, EveryOne: r.Scope.EveryToken}
}

// withEnds adds to a plan what ends of what was read, and warns of what does so soon.
func (r *Run) withEnds(p plan.Plan, connections []*schema.Connection, world live.World) plan.Plan {
	if r.planned {
		return p
	}
	p.Ends = world.Ends
	supplied := map[string]bool{}
	for _, c := range connections {
		supplied[c.Address] = c.SSHKey.Private != nil
	}
	for _, c := range p.Connections {
		if c.Token != nil {
			p.Ends = append(p.Ends, expiry.OfOAuthToken(c.Address, c.ServiceUser, c.Token.Created))
		}
		for _, age := range c.Ages {
			if age.Role == plan.Current && !age.Expires.IsZero() {
				p.Ends = append(p.Ends, expiry.OfSSHKey(c.Address, age.Created, age.Expires, supplied[c.Address]))
			}
		}
	}
	for i, e := range p.Ends {
		p.Ends[i].Begins, p.Ends[i].At = e.Begins.UTC().Truncate(time.Second), e.At.UTC().Truncate(time.Second)
		if e.At.IsZero() {
			p.Ends[i].Renew = ""
		}
	}
	expiry.Sort(p.Ends)
	p.Warnings = expiry.Warnings(p.Ends, r.env.Now())
	return p
}
