package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/bbsync/bbsync/schema"
)

// Options of planning a fleet.
type Options struct {
	Adopt func(address string) bool // takes over what is there, as adopt = true does; nil: none
	Now   time.Time

	Rotate Rotation // asked for, for each of the connections
	// Asked are the conditions that an earlier plan of this run made of the rotation, by
	// address: a new key is new once, however often the run plans. nil: this is the first.
	Asked map[string]*Ask

	// Records are all of the fleet, by path; nil: a plan that deletes nothing needs
	// none but those of its connections.
	Records map[string]*Record

	// Run are the connections of the run where not all of them are planned here; nil:
	// these.
	Run []*schema.Connection

	MaxRemovals *int // records that may be emptied by moving them; nil: what the files say
}

// Make plans these connections of a fleet and what their Bitbuckets need for
// them. have is in the order of the connections; bitbuckets is by label.
func Make(fleet *schema.Fleet, connections []*schema.Connection, have []Have, bitbuckets map[string]Bitbucket, opts Options) Plan {
	out := Plan{Fleet: fleet.Name}
	blocked := map[string]BitbucketPlan{}
	for _, b := range fleet.Bitbuckets {
		users := of(b, connections)
		if len(users) == 0 {
			continue
		}
		shared := DiffBitbucket(b, users, bitbuckets[b.Label], opts.Rotate)
		out.Bitbuckets = append(out.Bitbuckets, shared)
		if len(shared.Blocks) > 0 {
			blocked[b.Label] = shared
		}
	}
	users, keepers := usersOf(fleet, connections, have, opts), keepersOf(fleet, connections, have)
	for i, want := range connections {
		if opts.Adopt != nil && opts.Adopt(want.Address) {
			adopting := *want
			adopting.Adopt = true
			want = &adopting
		}
		one := withShared(have[i], want.Bitbucket.Label, bitbuckets)
		one.From = MovedFrom(fleet.Moved, want.Address)
		one.Shared, one.Compromised = users.besides(want.Address, one.Taken().Record)
		one.Kept = keepers.left(want)
		c := connect(fleet.Name, want, one, opts.Now, opts.Rotate, opts.Asked[want.Address], users)
		if shared, ok := blocked[want.Bitbucket.Label]; ok && len(c.Changes) > 0 {
			c.Changes = nil
			c.Blocks = []Block{{
				Kind: shared.Blocks[0].Kind, At: want.Where("bitbucket"), Remedy: shared.Blocks[0].Remedy,
				Text: fmt.Sprintf("bitbucket.%s cannot be used as it is: %s", shared.Label, shared.Blocks[0].Text),
			}}
		}
		out.Connections = append(out.Connections, c)
	}
	limitMoves(fleet, out.Connections, opts.MaxRemovals)
	return out
}

// withShared returns have with what was read of its Bitbucket for all
// connections, where that could be read.
func withShared(have Have, label string, bitbuckets map[string]Bitbucket) Have {
	if shared, ok := bitbuckets[label]; ok && have.Bitbucket != nil && len(shared.Unread) == 0 {
		have.Bitbucket = &shared
	}
	return have
}

func of(b *schema.Bitbucket, connections []*schema.Connection) []*schema.Connection {
	var out []*schema.Connection
	for _, c := range connections {
		if c.Bitbucket == b {
			out = append(out, c)
		}
	}
	return out
}

// Summary counts the connections of a plan by state.
type Summary struct {
	Connections int           `json:"connections"`
	States      map[State]int `json:"states"`
	Steps       int           `json:"steps"`  // of connections and Bitbuckets
	Shared      int           `json:"shared"` // of those, the Bitbuckets'
	Persons     int           `json:"-"`      // connections with a person's step before they are done, but those that wait already
}

// Summary returns the counts.
func (p Plan) Summary() Summary {
	s := Summary{Connections: len(p.Connections), States: map[State]int{}}
	for _, c := range p.Connections {
		s.States[c.State()]++
		if len(c.Blocks) == 0 {
			s.Steps += len(c.Changes)
			if c.Waits() && c.State() != StateWaiting {
				s.Persons++
			}
		}
	}
	for _, b := range p.Bitbuckets {
		if len(b.Blocks) == 0 {
			s.Shared += len(b.Changes)
		}
	}
	s.Steps += s.Shared
	return s
}

// Deletes reports whether the plan deletes or changes what may be another connection's,
// so that it is to be made with all records of the fleet.
func (p Plan) Deletes() bool { return slices.ContainsFunc(p.Connections, Connection.mayHarm) }

// mayHarm reports whether a step deletes or changes something that was there before.
func (c Connection) mayHarm() bool {
	made := false // the link, in this plan
	for _, s := range c.Steps() {
		switch x := s.(type) {
		case DeleteSSHKey, DeleteClient, DeleteLink, MarkCompromised:
			return true
		case CreateLink:
			made = true
		case SetConsumer:
			if !made {
				return true
			}
		case UpdateClient:
			if x.Keys {
				return true
			}
		default:
		}
	}
	return false
}

// Pending reports whether there is anything that apply would do.
func (p Plan) Pending() bool { return p.Summary().Steps > 0 }
