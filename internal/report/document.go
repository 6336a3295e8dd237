package report

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
)

// FormatVersion is of every JSON that bbsync prints: the first number changes
// when what is there changes its meaning or goes, the second when something is
// added.
const FormatVersion = "1.0"

// A Header begins every JSON document.
type Header struct {
	FormatVersion string `json:"format_version"`
	Kind          string `json:"kind"` // which document it is, and so which schema it follows
}

func header(kind string) Header { return Header{FormatVersion, kind} }

// A PlanDocument is a plan for machines. It is made of steps, reasons and
// blocks alone, none of which holds a secret.
type PlanDocument struct {
	Header
	Fleet       string               `json:"fleet"`
	Summary     SummaryDocument      `json:"summary"`
	Bitbuckets  []BitbucketDocument  `json:"bitbuckets"`
	Connections []ConnectionDocument `json:"connections"`
}

// A SummaryDocument counts a plan's connections by state.
type SummaryDocument struct {
	Connections int            `json:"connections"`
	States      map[string]int `json:"states"`
	Steps       int            `json:"steps"`
	SharedSteps int            `json:"shared_steps"`
	Pending     bool           `json:"pending"` // apply would do something
}

// A BitbucketDocument is what a Bitbucket needs for all its connections.
type BitbucketDocument struct {
	Address string `json:"address"`
	URL     string `json:"url"`
	ChangesDocument

	UnknownKeys []UnknownKeyDocument `json:"unknown_ssh_keys,omitempty"`
}

// A ConnectionDocument is one connection and what it needs.
type ConnectionDocument struct {
	Address      string        `json:"address"`
	Terraform    string        `json:"terraform"`
	Organization string        `json:"organization"`
	Bitbucket    string        `json:"bitbucket"`
	BitbucketURL string        `json:"bitbucket_url"`
	LinkURL      string        `json:"link_url"`
	Client       string        `json:"client"`
	ServiceUser  string        `json:"service_user"`
	Record       string        `json:"record"`
	At           PlaceDocument `json:"at"`
	After        string        `json:"after,omitempty"` // address of the connection that goes first
	Keys         []KeyDocument `json:"keys,omitempty"`
	ChangesDocument
}

// A ChangesDocument is what is to be done, or why nothing can be.
type ChangesDocument struct {
	State  string          `json:"state"`
	Digest string          `json:"digest"`
	Steps  []StepDocument  `json:"steps"`
	Blocks []BlockDocument `json:"blocks"`
	Notes  []NoteDocument  `json:"notes"`
}

// A StepDocument is one step and why it is there.
type StepDocument struct {
	Kind    string           `json:"kind"`
	Sign    string           `json:"sign"`
	Text    string           `json:"text"`
	Reasons []ReasonDocument `json:"reasons,omitempty"`
}

// A ReasonDocument is one difference.
type ReasonDocument struct {
	What string        `json:"what"`
	Live string        `json:"live"`
	Want string        `json:"want"`
	At   PlaceDocument `json:"at"`
}

// A BlockDocument says why nothing is planned.
type BlockDocument struct {
	Kind   string        `json:"kind"`
	Text   string        `json:"text"`
	Remedy string        `json:"remedy,omitempty"`
	At     PlaceDocument `json:"at"`
}

// A NoteDocument is something to know.
type NoteDocument struct {
	Severity string        `json:"severity"` // "warning" or "info"
	Text     string        `json:"text"`
	At       PlaceDocument `json:"at"`
}

// A PlaceDocument is a place in the files; its File is "" for none.
type PlaceDocument struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// NewPlanDocument returns a plan as a document of a kind: "plan", or "drift"
// for what is read with no wish to apply.
func NewPlanDocument(kind string, p plan.Plan) PlanDocument {
	s := p.Summary()
	out := PlanDocument{
		Header: header(kind), Fleet: p.Fleet, Summary: NewSummaryDocument(s),
		Bitbuckets: []BitbucketDocument{}, Connections: []ConnectionDocument{},
	}
	for _, b := range p.Bitbuckets {
		out.Bitbuckets = append(out.Bitbuckets, BitbucketDocument{
			Address: "bitbucket." + b.Label, URL: b.URL, ChangesDocument: changesDocument(b.State(), b.Digest(), b.Changes, b.Blocks, b.Notes),
			UnknownKeys: unknownKeyDocuments(b.UnknownKeys),
		})
	}
	for _, c := range p.Connections {
		out.Connections = append(out.Connections, NewConnectionDocument(c))
	}
	return out
}

// NewSummaryDocument returns the counts of a plan.
func NewSummaryDocument(s plan.Summary) SummaryDocument {
	out := SummaryDocument{Connections: s.Connections, States: map[string]int{}, Steps: s.Steps, SharedSteps: s.Shared, Pending: s.Steps > 0}
	for _, state := range states() {
		out.States[StateName(state)] = s.States[state]
	}
	return out
}

// NewConnectionDocument returns one connection of a plan.
func NewConnectionDocument(c plan.Connection) ConnectionDocument {
	return ConnectionDocument{
		Address: c.Address, Terraform: c.Terraform, Organization: c.Organization,
		Bitbucket: c.Bitbucket, BitbucketURL: c.BitbucketURL, LinkURL: c.LinkURL,
		Client: c.Client, ServiceUser: c.ServiceUser, Record: c.Record, At: NewPlaceDocument(c.At),
		After: c.After, Keys: keyDocuments(c.Ages),
		ChangesDocument: changesDocument(c.State(), c.Digest(), c.Changes, c.Blocks, c.Notes),
	}
}

func changesDocument(state plan.State, digest string, changes []plan.Change, blocks []plan.Block, notes []plan.Note) ChangesDocument {
	out := ChangesDocument{State: StateName(state), Digest: digest, Steps: []StepDocument{}, Blocks: []BlockDocument{}, Notes: []NoteDocument{}}
	for _, c := range changes {
		step := NewStepDocument(c.Step)
		for _, r := range c.Because {
			step.Reasons = append(step.Reasons, ReasonDocument{r.What, orNone(r.Live), orNone(r.Want), NewPlaceDocument(r.At)})
		}
		out.Steps = append(out.Steps, step)
	}
	for _, b := range blocks {
		out.Blocks = append(out.Blocks, BlockDocument{string(b.Kind), b.Text, b.Remedy, NewPlaceDocument(b.At)})
	}
	for _, n := range notes {
		severity := "info"
		if n.Warning {
			severity = "warning"
		}
		out.Notes = append(out.Notes, NoteDocument{severity, n.Text, NewPlaceDocument(n.At)})
	}
	return out
}

// NewStepDocument returns a step without its reasons.
func NewStepDocument(s plan.Step) StepDocument {
	return StepDocument{Kind: s.Kind(), Sign: s.Symbol(), Text: s.String()}
}

// NewPlaceDocument returns a place in the files, with slashes everywhere.
func NewPlaceDocument(at hcl.Range) PlaceDocument {
	return PlaceDocument{File: filepath.ToSlash(at.Filename), Line: at.Start.Line, Column: at.Start.Column}
}

// StateName is a state's name for machines.
func StateName(s plan.State) string {
	switch s {
	case plan.StateUnreadable, plan.StateRefused, plan.StateChanges:
		return string(s)
	case plan.StateLeased:
		return "leased"
	case plan.StateWaiting:
		return "waiting"
	case plan.StateInSync:
		return "in_sync"
	}
	return string(s)
}

// JSON returns a document as text that is harmless in a log, and a newline.
func JSON(document any) (string, error) {
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encoding a document: %w", err)
	}
	return string(plaintext.JSON(text)) + "\n", nil
}
