// Package drift is the drift of a fleet as a value: what one run found different
// from the configuration, merged from shards, and compared with the run before.
package drift

import (
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/sourcepos"
	"github.com/bbsync/bbsync/schema"
)

// A Report is what one look at a fleet, or at one shard of it, saw. It is the
// JSON of `bbsync drift --json`, and the text is made of it, so that a merged
// report reads like the report of one process. It holds no secret.
type Report struct {
	Time        time.Time    `json:"time,omitzero"` // when it was read; of shards, the latest
	Fleet       string       `json:"fleet"`
	Shard       string       `json:"shard,omitempty"`   // i/n
	Asked       int          `json:"asked"`             // connections that all shards together look at
	Missing     []string     `json:"missing,omitempty"` // shards that a merge did not get
	Summary     Summary      `json:"summary"`
	Bitbuckets  []Bitbucket  `json:"bitbuckets"`
	Connections []Connection `json:"connections"`
	Ends        []expiry.End `json:"ends,omitempty"` // of credentials, keys, certificates and licences
}

// Warnings returns what of the ends is near.
func (d Report) Warnings() []expiry.Warning { return expiry.Warnings(d.Ends, d.Time) }

// A Summary counts connections by state, and what the Bitbuckets'
// connections share.
type Summary struct {
	Connections int                `json:"connections"`
	States      map[plan.State]int `json:"states"` // all of them
	Shared      int                `json:"shared"` // differences of Bitbuckets, each once
}

// A Connection is one connection.
type Connection struct {
	Address      string       `json:"address"`
	Organization string       `json:"organization"`
	Terraform    string       `json:"terraform"`
	Bitbucket    string       `json:"bitbucket"`
	Position     int          `json:"position"` // among those asked for, in the order of the files
	State        plan.State   `json:"state"`
	Differences  []Difference `json:"differences,omitempty"`
	Blocks       []Block      `json:"blocks,omitempty"`

	Keys []plan.Age `json:"keys,omitempty"`

	// Authorized tells whether Terraform holds a token of the service user that is not
	// known to be refused; nil when nothing could be planned.
	Authorized   *bool     `json:"authorized,omitempty"`
	TokenCreated time.Time `json:"token_created,omitzero"`

	// RecordDeleted is when Vault deletes the connection's record by itself.
	RecordDeleted time.Time `json:"record_deleted,omitzero"`
}

// A Bitbucket is what the connections to one Bitbucket share.
type Bitbucket struct {
	Label       string       `json:"label"`
	URL         string       `json:"url"`
	Position    int          `json:"position"` // in the files
	State       plan.State   `json:"state"`
	Differences []Difference `json:"differences,omitempty"`
	Blocks      []Block      `json:"blocks,omitempty"`

	UnknownKeys []UnknownKey `json:"unknown_ssh_keys,omitempty"`
}

// A Difference is something that is not as wanted.
type Difference struct {
	Kind string             `json:"kind"` // of object: see Kind
	What string             `json:"what"`
	Live string             `json:"live"`
	Want string             `json:"want"`
	At   sourcepos.Position `json:"at"`
}

// A Block says why nothing can be said, or done.
type Block struct {
	Kind string             `json:"kind"`
	Text string             `json:"text"`
	At   sourcepos.Position `json:"at"`
}

// A Scope is what a report is about.
type Scope struct {
	Time        time.Time            // when the fleet was read
	Shard       string               // i/n, "" for all
	Connections []*schema.Connection // what all shards together look at
	Bitbuckets  []*schema.Bitbucket  // of the fleet
}

// New makes the report of a plan.
func New(p plan.Plan, scope Scope) Report {
	d := Report{
		Time: scope.Time.UTC().Truncate(time.Second), Fleet: p.Fleet, Shard: scope.Shard, Asked: len(scope.Connections),
		Bitbuckets: []Bitbucket{}, Connections: []Connection{}, Ends: p.Ends,
	}
	for _, b := range p.Bitbuckets {
		d.Bitbuckets = append(d.Bitbuckets, Bitbucket{
			Label: b.Label, URL: b.URL, State: sharedState(b), UnknownKeys: UnknownKeys(b),
			Position:    slices.IndexFunc(scope.Bitbuckets, func(x *schema.Bitbucket) bool { return x.Label == b.Label }),
			Differences: inOrder(append(differences(b.Changes), unknownKeys(b)...)), Blocks: blocksOf(b.Blocks),
		})
	}
	position := make(map[string]int, len(scope.Connections))
	for i, c := range scope.Connections {
		position[c.Address] = i
	}
	for _, c := range p.Connections {
		one := Connection{
			Address: c.Address, Organization: c.Organization, Terraform: c.Terraform, Bitbucket: c.Bitbucket,
			Position: position[c.Address], State: c.State(), Differences: differences(c.Changes), Blocks: blocksOf(c.Blocks),
			Keys: c.Ages, RecordDeleted: c.Deletes.UTC(),
		}
		if len(c.Blocks) == 0 {
			one.Authorized = new(c.Token != nil && !c.Waits())
		}
		if c.Token != nil {
			one.TokenCreated = c.Token.Created.UTC()
		}
		d.Connections = append(d.Connections, one)
	}
	d.Summary = d.count()
	return d
}

func blocksOf(blocks []plan.Block) []Block {
	var out []Block
	for _, b := range blocks {
		out = append(out, Block{Kind: string(b.Kind), Text: b.Text, At: sourcepos.Of(b.At)})
	}
	return out
}

func (d Report) count() Summary {
	s := Summary{Connections: len(d.Connections), States: map[plan.State]int{}}
	for _, state := range plan.States() {
		s.States[state] = 0
	}
	for _, c := range d.Connections {
		s.States[c.State]++
	}
	for _, b := range d.Bitbuckets {
		if b.State == plan.StateChanges {
			s.Shared += len(b.Differences)
		}
	}
	return s
}

// States counts the connections, and the Bitbuckets, by state. A name that is no
// state counts as itself.
func (d Report) States() (connections, shared map[plan.State]int) {
	connections, shared = map[plan.State]int{}, map[plan.State]int{}
	for _, c := range d.Connections {
		connections[c.State]++
	}
	for _, b := range d.Bitbuckets {
		shared[b.State]++
	}
	return connections, shared
}
