package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// A Drift is what one look at a fleet, or at one shard of it, saw. It is the
// JSON of `bbsync drift --json`, and the text is made of it, so that a merged
// report reads like the report of one process. It holds no secret.
type Drift struct {
	Header
	Time        time.Time         `json:"time,omitzero"` // when it was read; of shards, the latest
	Fleet       string            `json:"fleet"`
	Shard       string            `json:"shard,omitempty"`   // i/n
	Asked       int               `json:"asked"`             // connections that all shards together look at
	Missing     []string          `json:"missing,omitempty"` // shards that a merge did not get
	Summary     DriftSummary      `json:"summary"`
	Bitbuckets  []DriftBitbucket  `json:"bitbuckets"`
	Connections []DriftConnection `json:"connections"`
}

// A DriftSummary counts connections by state, and what the Bitbuckets'
// connections share.
type DriftSummary struct {
	Connections int            `json:"connections"`
	States      map[string]int `json:"states"` // by StateName, all of them
	Shared      int            `json:"shared"` // differences of Bitbuckets, each once
}

// A DriftConnection is one connection.
type DriftConnection struct {
	Address      string       `json:"address"`
	Organization string       `json:"organization"`
	Terraform    string       `json:"terraform"`
	Bitbucket    string       `json:"bitbucket"`
	Position     int          `json:"position"` // among those asked for, in the order of the files
	State        string       `json:"state"`    // a StateName
	Differences  []Difference `json:"differences,omitempty"`
	Blocks       []DriftBlock `json:"blocks,omitempty"`

	Keys []KeyDocument `json:"keys,omitempty"`

	// RecordDeleted is when Vault deletes the connection's record by itself.
	RecordDeleted time.Time `json:"record_deleted,omitzero"`
}

// A DriftBitbucket is what the connections to one Bitbucket share.
type DriftBitbucket struct {
	Label       string       `json:"label"`
	URL         string       `json:"url"`
	Position    int          `json:"position"` // in the files
	State       string       `json:"state"`
	Differences []Difference `json:"differences,omitempty"`
	Blocks      []DriftBlock `json:"blocks,omitempty"`

	UnknownKeys []UnknownKeyDocument `json:"unknown_ssh_keys,omitempty"`
}

// A Difference is something that is not as wanted.
type Difference struct {
	Kind string        `json:"kind"` // of object: see Kind
	What string        `json:"what"`
	Live string        `json:"live"`
	Want string        `json:"want"`
	At   PlaceDocument `json:"at"`
}

// A DriftBlock says why nothing can be said, or done.
type DriftBlock struct {
	Kind string        `json:"kind"`
	Text string        `json:"text"`
	At   PlaceDocument `json:"at"`
}

// A Scope is what a report is about.
type Scope struct {
	Time        time.Time            // when the fleet was read
	Shard       string               // i/n, "" for all
	Connections []*schema.Connection // what all shards together look at
	Bitbuckets  []*schema.Bitbucket  // of the fleet
}

// NewDrift makes the report of a plan.
func NewDrift(p plan.Plan, scope Scope) Drift {
	d := Drift{
		Header: header("drift"), Time: scope.Time.UTC().Truncate(time.Second), Fleet: p.Fleet, Shard: scope.Shard, Asked: len(scope.Connections),
		Bitbuckets: []DriftBitbucket{}, Connections: []DriftConnection{},
	}
	for _, b := range p.Bitbuckets {
		d.Bitbuckets = append(d.Bitbuckets, DriftBitbucket{
			Label: b.Label, URL: b.URL, State: StateName(sharedState(b)), UnknownKeys: unknownKeyDocuments(b.UnknownKeys),
			Position:    slices.IndexFunc(scope.Bitbuckets, func(x *schema.Bitbucket) bool { return x.Label == b.Label }),
			Differences: inOrder(append(differences(b.Changes), unknownKeys(b)...)), Blocks: driftBlocks(b.Blocks),
		})
	}
	position := make(map[string]int, len(scope.Connections))
	for i, c := range scope.Connections {
		position[c.Address] = i
	}
	for _, c := range p.Connections {
		d.Connections = append(d.Connections, DriftConnection{
			Address: c.Address, Organization: c.Organization, Terraform: c.Terraform, Bitbucket: c.Bitbucket,
			Position: position[c.Address], State: StateName(c.State()), Differences: differences(c.Changes), Blocks: driftBlocks(c.Blocks),
			Keys: keyDocuments(c.Ages), RecordDeleted: c.Deletes.UTC(),
		})
	}
	d.Summary = d.count()
	return d
}

// differences lists the reasons of all steps. A step without a reason follows
// from another; steps that have no reason at all between them are told as they
// are, so that nothing is changed without a difference.
func differences(changes []plan.Change) []Difference {
	var out []Difference
	for _, c := range changes {
		for _, r := range c.Because {
			d := Difference{Kind: Kind(c.Step), What: r.What + on(c.Step), Live: orNone(r.Live), Want: orNone(r.Want), At: NewPlaceDocument(r.At)}
			if !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, c := range changes {
		out = append(out, Difference{Kind: Kind(c.Step), What: c.Step.String(), Live: "not done", Want: "done"})
	}
	return out
}

// on names what a difference is about where its text leaves that to the step.
func on(step plan.Step) string {
	var project, repository string
	switch s := step.(type) {
	case plan.GrantPermission:
		project, repository = s.Project, s.Repository
	case plan.EnableHook:
		project, repository = s.Project, s.Repository
	default:
		return ""
	}
	if repository == "" {
		return " on " + project
	}
	return " on " + project + "/" + repository
}

// inOrder sorts what a Bitbucket's connections share: shards find it in another
// order than one process.
func inOrder(differences []Difference) []Difference {
	slices.SortFunc(differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.What, b.What), cmp.Compare(a.Want, b.Want),
			cmp.Compare(a.Live, b.Live), cmp.Compare(a.At.File, b.At.File), cmp.Compare(a.At.Line, b.At.Line))
	})
	return differences
}

func driftBlocks(blocks []plan.Block) []DriftBlock {
	var out []DriftBlock
	for _, b := range blocks {
		out = append(out, DriftBlock{Kind: string(b.Kind), Text: b.Text, At: NewPlaceDocument(b.At)})
	}
	return out
}

func (d Drift) count() DriftSummary {
	s := DriftSummary{Connections: len(d.Connections), States: map[string]int{}}
	for _, state := range states() {
		s.States[StateName(state)] = 0
	}
	for _, c := range d.Connections {
		s.States[c.State]++
	}
	for _, b := range d.Bitbuckets {
		if b.State == StateName(plan.StateChanges) {
			s.Shared += len(b.Differences)
		}
	}
	return s
}

// States counts the connections, and the Bitbuckets, by state. A name that is no
// state counts as itself.
func (d Drift) States() (connections, shared map[plan.State]int) {
	connections, shared = map[plan.State]int{}, map[plan.State]int{}
	for _, c := range d.Connections {
		connections[stateNamed(c.State)]++
	}
	for _, b := range d.Bitbuckets {
		shared[stateNamed(b.State)]++
	}
	return connections, shared
}

// Kind names the kind of object that a step changes, for labels and filters.
func Kind(step plan.Step) string {
	switch step.(type) {
	case plan.CreateConsumerKey, plan.CreateSSHKey, plan.NoteConnection, plan.MoveRecord, plan.ForgetRecord, plan.RetireRecord, plan.BreakLease:
		return "record"
	case plan.CreateLink, plan.RenameLink, plan.DeleteLink:
		return "link"
	case plan.SetConsumer, plan.ProveConsumer:
		return "consumer"
	case plan.CreateClient, plan.UpdateClient, plan.DeleteClient:
		return "client"
	case plan.MoveWorkspaces, plan.ProveFetched:
		return "workspaces"
	case plan.AddSSHKey, plan.DeleteSSHKey, plan.ProveSSH, plan.RemoveUnknownKey:
		return "ssh_key"
	case plan.CondemnKeys, plan.RestageKey, plan.SwitchKey, plan.ProveRefused, plan.RetireKey, plan.SwapConsumer, plan.RetireConsumer:
		return "rotation"
	case plan.Authorize:
		return "authorization"
	case plan.SetTokenKey:
		return "token_key"
	case plan.ProveRepositories, plan.GrantPermission:
		return "grant"
	case plan.InstallPlugin, plan.EnablePlugin, plan.EnableHook:
		return "webhook"
	}
	return step.Kind() // not reached: the switch is exhaustive
}
