package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// FormatVersion is of the saved plan's JSON: the first number changes when an
// older bbsync would misread it.
const FormatVersion = "1.0"

// Inputs are what the plan was asked for with, so that apply can ask alike.
type Inputs struct {
	Vars     []string `json:"vars,omitempty"`
	VarFiles []string `json:"var_files,omitempty"`
	Targets  []string `json:"targets,omitempty"`
	Adopt    []string `json:"adopt,omitempty"`
	Shard    string   `json:"shard,omitempty"`

	Removal RemovalInputs `json:"removal,omitzero"`
}

// RemovalInputs are what the plan was allowed to remove.
type RemovalInputs struct {
	Prune       bool `json:"prune,omitempty"`
	Max         int  `json:"max_removals,omitempty"` // negative: what the files say
	AllowUnlink int  `json:"allow_unlink,omitempty"`
}

// Saved is a plan in a file: what was shown and approved. It holds no secret,
// and no object's state: apply reads the world again and runs only what still
// has the same digest.
type Saved struct {
	FormatVersion string       `json:"format_version"`
	Fleet         string       `json:"fleet"`
	Inputs        Inputs       `json:"inputs"`
	Bitbuckets    []SavedSteps `json:"bitbuckets,omitempty"`
	Connections   []SavedSteps `json:"connections"`
}

// SavedSteps are the steps of one connection, or of one Bitbucket, by label.
type SavedSteps struct {
	Address string   `json:"address"`
	State   State    `json:"state"`
	Digest  string   `json:"digest"`
	Steps   []string `json:"steps,omitempty"`
}

// Encode returns the plan as a file's text.
func Encode(p Plan, in Inputs) ([]byte, error) {
	saved := Saved{FormatVersion: FormatVersion, Fleet: p.Fleet, Inputs: in, Connections: []SavedSteps{}}
	for _, b := range p.Bitbuckets {
		saved.Bitbuckets = append(saved.Bitbuckets, SavedSteps{b.Label, b.State(), b.Digest(), texts(b.Steps())})
	}
	for _, c := range p.Connections {
		saved.Connections = append(saved.Connections, SavedSteps{c.Address, c.State(), c.Digest(), texts(c.Steps())})
	}
	text, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the plan: %w", err)
	}
	return append(text, '\n'), nil
}

func texts(steps []Step) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.String())
	}
	return out
}

// Decode reads a saved plan. It refuses what it does not know.
func Decode(text []byte) (Saved, error) {
	var saved Saved
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&saved); err != nil {
		return Saved{}, fmt.Errorf("not a plan that bbsync saved: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) { // More would overlook a closing bracket
		return Saved{}, fmt.Errorf("not a plan that bbsync saved: something follows it")
	}
	if saved.FormatVersion != FormatVersion {
		return Saved{}, fmt.Errorf("the plan has format %q, and this bbsync knows %s; plan again", saved.FormatVersion, FormatVersion)
	}
	return saved, nil
}

// Narrow returns what of p was approved in the saved plan and still holds, and
// the addresses of what changed since. What was in sync when it was saved and
// is not any more was not approved, either. What was approved and is blocked by
// now stays, to be told why; what was approved and is not in p at all changed.
func (s Saved) Narrow(p Plan) (Plan, []string) {
	n := narrowing{approved: s.digests(), seen: map[string]bool{}}
	out := Plan{Fleet: p.Fleet}
	for _, b := range p.Bitbuckets {
		if n.keeps("bitbucket."+b.Label, b.Digest(), len(b.Changes), len(b.Blocks)) {
			out.Bitbuckets = append(out.Bitbuckets, b)
		}
	}
	for _, c := range p.Connections {
		if n.keeps(c.Address, c.Digest(), len(c.Changes), len(c.Blocks)) {
			out.Connections = append(out.Connections, c)
		}
	}
	for _, b := range s.Bitbuckets {
		n.gone("bitbucket."+b.Address, len(b.Steps))
	}
	for _, c := range s.Connections {
		n.gone(c.Address, len(c.Steps))
	}
	return out, n.stale
}

func (s Saved) digests() map[string]string {
	approved := map[string]string{}
	for _, b := range s.Bitbuckets {
		approved["bitbucket."+b.Address] = b.Digest
	}
	for _, c := range s.Connections {
		approved[c.Address] = c.Digest
	}
	return approved
}

type narrowing struct {
	approved map[string]string // address → digest
	seen     map[string]bool
	stale    []string
}

func (n *narrowing) keeps(address, digest string, steps, blocks int) bool {
	n.seen[address] = true
	approved, known := n.approved[address]
	if known && (approved == digest || blocks > 0) {
		return true
	}
	if steps > 0 {
		n.stale = append(n.stale, address)
	}
	return false
}

func (n *narrowing) gone(address string, steps int) {
	if steps > 0 && !n.seen[address] {
		n.seen[address] = true
		n.stale = append(n.stale, address)
	}
}
