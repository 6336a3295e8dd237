// Package plan decides what must change. A rule looks at the world of one connection and
// returns the next step towards what the configuration wants; Effect predicts the world
// after it; a plan is the walk until nothing is left to do. It does no I/O, reads no
// clock and holds no secret.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// A Plan is what a fleet needs: first what each Bitbucket needs for all of its
// connections, then what each connection needs, in the order of the files.
type Plan struct {
	Fleet       string
	Bitbuckets  []BitbucketPlan
	Connections []Connection
	Ends        []expiry.End     `json:"-"` // of credentials, keys, certificates and licences
	Warnings    []expiry.Warning `json:"-"` // of them, what ends soon
}

// A Target names what the steps of one connection act on.
type Target struct {
	Address      string // connection.team["acme"]
	Fleet        string
	Terraform    string // label of the block
	Organization string
	Bitbucket    string // label of the block
	BitbucketURL string
	LinkURL      string
	ServiceUser  string
	TerraformURL string            `json:",omitempty"`
	Protect      bool              `json:",omitempty"`
	UserID       int               `json:",omitempty"` // Bitbucket's id of the service user
	UserNames    []string          `json:",omitempty"` // the service user's other names, as Bitbucket shows them
	Client       string            // the OAuth client's wanted name
	Record       string            // path in Vault
	Needs        []GrantPermission `json:",omitempty"` // what the Bitbucket's own plan must have done first
}

// ActsAs reports whether what Terraform shows as the service provider's user is
// the service user. Nothing documents which of a user's names it shows, and an
// older release shows none.
func (t Target) ActsAs(shown string) bool {
	return shown == "" || names.SameUser(shown, t.ServiceUser) ||
		slices.ContainsFunc(t.UserNames, func(name string) bool { return names.SameUser(name, shown) })
}

// A Connection is the plan of one connection: its steps in the order they run.
type Connection struct {
	Target
	At      hcl.Range `json:"-"`
	Changes []Change
	Blocks  []Block // why nothing is planned, though something is not as wanted
	Notes   []Note
	Ages    []Age     // of the keys; nil when nothing could be planned
	Token   *Token    // Terraform's, as read; nil when there is none, or nothing could be planned
	Removal bool      // no file describes the connection, or it is to go all the same
	After   string    // address of the connection that must come to its end first: it takes over what uses this one
	Basis   string    // names what the record said: apply compares it before it writes
	Deletes time.Time `json:"-"` // when Vault deletes the record by itself; zero: never
	Person  *Person   // for anyone who does the Authorize step; nil when nothing waits or there is no client yet
	Ask     Ask       // the rotation that was asked for, as a condition
}

// Person is what helps with a connection's Authorize step: what there is of the
// client that a person must authorize.
type Person struct {
	ClientID  string
	URL       string // to open, logged in to Terraform
	Consumer  string // as Bitbucket's Allow page names it
	Token     string // id of the token that will not do; "" when there is none
	TokenUser string // whose that token is
	Dead      bool   // Bitbucket refuses that token
}

// A BitbucketPlan is what a Bitbucket needs for all its connections.
type BitbucketPlan struct {
	Label, URL  string
	Changes     []SharedChange
	Blocks      []Block
	Notes       []Note
	UnknownKeys []UnknownKey // of its service users; nil where that was not asked
}

// A Reason is one difference: what is live, what is wanted, and where the files
// say so. Machines read Kind, and whether something is there; the rest is text.
type Reason struct {
	Kind string // names what differs, for machines: link_name
	What string // the same, in words
	Live string // "": there is nothing
	Want string // "": there is to be nothing
	At   hcl.Range
}

// BlockKind tells why a connection cannot be planned.
type BlockKind string

// The kinds of Block.
const (
	Unreadable BlockKind = "unreadable" // a system did not answer
	Refused    BlockKind = "refused"    // a safety rule forbids it
	Leased     BlockKind = "leased"     // another apply is at it
	Invalid    BlockKind = "invalid"    // what the files ask for cannot be
)

// A Block says why nothing is planned and how to go on.
type Block struct {
	Kind   BlockKind
	Text   string
	Remedy string
	At     hcl.Range
}

// A Note is something to know that needs no step.
type Note struct {
	Warning bool
	Text    string
	At      hcl.Range
}

// Steps returns the steps alone.
func (c Connection) Steps() []Step { return steps(c.Changes) }

// Address names the Bitbucket as the configuration does.
func (b BitbucketPlan) Address() string { return "bitbucket." + b.Label }

// Steps returns the steps alone.
func (b BitbucketPlan) Steps() []SharedStep { return steps(b.Changes) }

// AnySteps returns steps of one kind as steps.
func AnySteps[S AnyStep](steps []S) []AnyStep {
	out := make([]AnyStep, len(steps))
	for i, s := range steps {
		out[i] = s
	}
	return out
}

func steps[S AnyStep](changes []ChangeOf[S]) []S {
	out := make([]S, len(changes))
	for i, c := range changes {
		out[i] = c.Step
	}
	return out
}

// State sums a connection's plan up, as a name for machines.
type State string

// The states of a connection, the most pressing first.
const (
	StateUnreadable State = "unreadable"
	StateRefused    State = "refused"
	StateLeased     State = "leased" // another run is at it
	StateChanges    State = "changes"
	StateWaiting    State = "waiting" // for a person
	StateInSync     State = "in_sync"
)

// String returns the state in words.
func (s State) String() string {
	switch s {
	case StateInSync:
		return "in sync"
	case StateWaiting:
		return "waiting for a person"
	case StateLeased:
		return "in progress elsewhere"
	case StateUnreadable, StateRefused, StateChanges:
	}
	return string(s)
}

// States returns all states, in the order in which they are counted.
func States() []State {
	return []State{StateChanges, StateWaiting, StateRefused, StateUnreadable, StateLeased, StateInSync}
}

// words shows a state to people.
func (s State) words() string { return strings.ReplaceAll(string(s), "_", " ") }

// State returns the connection's state. A connection whose next step is a
// person's is waiting; one that has steps before that has changes.
func (c Connection) State() State {
	if len(c.Blocks) > 0 {
		return blockState(c.Blocks)
	}
	if len(c.Changes) == 0 {
		return StateInSync
	}
	if _, ok := c.Changes[0].Step.(Authorize); ok {
		return StateWaiting
	}
	return StateChanges
}

// State returns the state of what the Bitbucket's connections share.
func (b BitbucketPlan) State() State {
	switch {
	case len(b.Blocks) > 0:
		return blockState(b.Blocks)
	case len(b.Changes) > 0:
		return StateChanges
	}
	return StateInSync
}

func blockState(blocks []Block) State {
	state := StateLeased
	for _, b := range blocks {
		switch b.Kind {
		case Unreadable:
			return StateUnreadable
		case Refused, Invalid:
			state = StateRefused
		case Leased:
		}
	}
	return state
}

// Waits reports whether a person's step is among the connection's steps.
func (c Connection) Waits() bool {
	for _, change := range c.Changes {
		if _, ok := change.Step.(Authorize); ok {
			return true
		}
	}
	return false
}

// Digest names the steps of a connection: the same target and steps have the
// same digest, whenever and wherever they were planned. The target counts, as a
// step is complete only with it: the same step on another organization is
// another deed.
func (c Connection) Digest() string { return digest(c.Target, c.Steps()) }

// Within reports whether all steps of a connection, on the same target, are among
// those of another plan of it, in the same order: a part of it was done already.
func (c Connection) Within(whole Connection) bool {
	left := whole.Steps()
	for _, s := range c.Steps() {
		i := slices.IndexFunc(left, func(other Step) bool { return digest(whole.Target, []Step{other}) == digest(c.Target, []Step{s}) })
		if i < 0 {
			return false
		}
		left = left[i+1:]
	}
	return true
}

// Digest names the steps of a Bitbucket.
func (b BitbucketPlan) Digest() string { return digest([]string{b.Label, b.URL}, b.Steps()) }

func digest[T Target | []string, S AnyStep](on T, steps []S) string {
	parts := make([]any, 0, 2*len(steps)+1)
	parts = append(parts, on)
	for _, s := range steps {
		parts = append(parts, s.Type().Kind, s)
	}
	body, err := json.Marshal(parts)
	if err != nil { // plain data: a bug, not an event
		panic(fmt.Sprintf("encoding the steps on %v: %v", on, err))
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// target builds the Target of a wanted connection.
func target(fleet string, want *schema.Connection) Target {
	return Target{
		Address:      want.Address,
		Fleet:        fleet,
		Terraform:    want.Terraform.Label,
		Organization: want.Organization,
		Bitbucket:    want.Bitbucket.Label,
		BitbucketURL: want.Bitbucket.URL,
		LinkURL:      want.Link.URL,
		ServiceUser:  want.ServiceUser,
		TerraformURL: want.Terraform.Address,
		Protect:      want.Protect,
		Client:       want.Name,
		Record:       want.Record,
		Needs:        grants(want),
	}
}

// grants returns the permissions that a connection wants of its Bitbucket.
func grants(want *schema.Connection) []GrantPermission {
	var out []GrantPermission
	for _, g := range want.Grants {
		out = append(out, GrantPermission{User: want.ServiceUser, Project: g.Project, Repository: g.Repository, Permission: g.Permission})
	}
	return out
}
