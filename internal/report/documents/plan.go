package documents

import (
	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/sourcepos"
)

// A Plan is a plan for machines. It is made of steps, reasons and
// blocks alone, none of which holds a secret.
type Plan struct {
	Header
	Fleet       string       `json:"fleet"`
	Summary     Summary      `json:"summary"`
	Bitbuckets  []Bitbucket  `json:"bitbuckets"`
	Connections []Connection `json:"connections"`
	Ends        []expiry.End `json:"ends,omitempty"`
}

// A Summary counts a plan's connections by state.
type Summary struct {
	Connections int                `json:"connections"`
	States      map[plan.State]int `json:"states"`
	Steps       int                `json:"steps"`
	SharedSteps int                `json:"shared_steps"`
	Pending     bool               `json:"pending"` // apply would do something
}

// A Bitbucket is what a Bitbucket needs for all its connections.
type Bitbucket struct {
	Address string `json:"address"`
	URL     string `json:"url"`
	Changes

	UnknownKeys []drift.UnknownKey `json:"unknown_ssh_keys,omitempty"`
}

// A Connection is one connection and what it needs.
type Connection struct {
	Address      string             `json:"address"`
	Terraform    string             `json:"terraform"`
	Organization string             `json:"organization"`
	Bitbucket    string             `json:"bitbucket"`
	BitbucketURL string             `json:"bitbucket_url"`
	LinkURL      string             `json:"link_url"`
	Client       string             `json:"client"`
	ServiceUser  string             `json:"service_user"`
	Record       string             `json:"record"`
	At           sourcepos.Position `json:"at"`
	After        string             `json:"after,omitempty"` // address of the connection that goes first
	Keys         []plan.Age         `json:"keys,omitempty"`
	Changes
}

// A Changes is what is to be done, or why nothing can be.
type Changes struct {
	State  plan.State `json:"state"`
	Digest string     `json:"digest"`
	Steps  []Step     `json:"steps"`
	Blocks []Block    `json:"blocks"`
	Notes  []Note     `json:"notes"`
}

// A Step is one step and why it is there.
type Step struct {
	Kind    string   `json:"kind"`
	Sign    string   `json:"sign"`
	Text    string   `json:"text"`
	Reasons []Reason `json:"reasons,omitempty"`
}

// A Reason is one difference.
type Reason struct {
	Kind string             `json:"kind"`
	What string             `json:"what"`
	Live string             `json:"live"`
	Want string             `json:"want"`
	At   sourcepos.Position `json:"at"`
}

// A Block says why nothing is planned.
type Block struct {
	Kind   string             `json:"kind"`
	Text   string             `json:"text"`
	Remedy string             `json:"remedy,omitempty"`
	At     sourcepos.Position `json:"at"`
}

// A Note is something to know.
type Note struct {
	Severity string             `json:"severity"` // "warning" or "info"
	Text     string             `json:"text"`
	At       sourcepos.Position `json:"at"`
}

// NewPlan returns the document of a plan.
func NewPlan(p plan.Plan) Plan {
	s := p.Summary()
	out := Plan{
		Header: header("plan"), Fleet: p.Fleet, Summary: NewSummary(s),
		Bitbuckets: []Bitbucket{}, Connections: []Connection{}, Ends: p.Ends,
	}
	for _, b := range p.Bitbuckets {
		out.Bitbuckets = append(out.Bitbuckets, Bitbucket{
			Address: "bitbucket." + b.Label, URL: b.URL, Changes: changes(b.State(), b.Digest(), b.Changes, b.Blocks, b.Notes),
			UnknownKeys: drift.UnknownKeys(b),
		})
	}
	for _, c := range p.Connections {
		out.Connections = append(out.Connections, connection(c))
	}
	return out
}

// NewSummary returns the counts of a plan.
func NewSummary(s plan.Summary) Summary {
	out := Summary{Connections: s.Connections, States: map[plan.State]int{}, Steps: s.Steps, SharedSteps: s.Shared, Pending: s.Steps > 0}
	for _, state := range plan.States() {
		out.States[state] = s.States[state]
	}
	return out
}

// connection returns one connection of a plan.
func connection(c plan.Connection) Connection {
	return Connection{
		Address: c.Address, Terraform: c.Terraform, Organization: c.Organization,
		Bitbucket: c.Bitbucket, BitbucketURL: c.BitbucketURL, LinkURL: c.LinkURL,
		Client: c.Client, ServiceUser: c.ServiceUser, Record: c.Record, At: sourcepos.Of(c.At),
		After: c.After, Keys: c.Ages,
		Changes: changes(c.State(), c.Digest(), c.Changes, c.Blocks, c.Notes),
	}
}

func changes[S plan.AnyStep](state plan.State, digest string, changes []plan.ChangeOf[S], blocks []plan.Block, notes []plan.Note) Changes {
	out := Changes{State: state, Digest: digest, Steps: []Step{}, Blocks: []Block{}, Notes: []Note{}}
	for _, c := range changes {
		step := NewStep(c.Step)
		for _, r := range c.Because {
			step.Reasons = append(step.Reasons, Reason{r.Kind, r.What, r.Live, r.Want, sourcepos.Of(r.At)})
		}
		out.Steps = append(out.Steps, step)
	}
	for _, b := range blocks {
		out.Blocks = append(out.Blocks, Block{string(b.Kind), b.Text, b.Remedy, sourcepos.Of(b.At)})
	}
	for _, n := range notes {
		severity := "info"
		if n.Warning {
			severity = "warning"
		}
		out.Notes = append(out.Notes, Note{severity, n.Text, sourcepos.Of(n.At)})
	}
	return out
}

// NewStep returns a step without its reasons.
func NewStep(s plan.AnyStep) Step {
	return Step{Kind: s.Type().Kind, Sign: s.Type().Symbol, Text: s.String()}
}
