package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	if decoder.More() {
		return Saved{}, fmt.Errorf("not a plan that bbsync saved: something follows it")
	}
	if saved.FormatVersion != FormatVersion {
		return Saved{}, fmt.Errorf("the plan has format %q, and this bbsync knows %s; plan again", saved.FormatVersion, FormatVersion)
	}
	return saved, nil
}

// Narrow returns what of p was approved in the saved plan and still holds, and
// the addresses of what changed since. What was in sync when it was saved and
// is not any more was not approved, either.
func (s Saved) Narrow(p Plan) (Plan, []string) {
	approved := map[string]string{}
	for _, c := range s.Connections {
		approved[c.Address] = c.Digest
	}
	for _, b := range s.Bitbuckets {
		approved["bitbucket."+b.Address] = b.Digest
	}
	var stale []string
	out := Plan{Fleet: p.Fleet}
	for _, b := range p.Bitbuckets {
		if approved["bitbucket."+b.Label] == b.Digest() {
			out.Bitbuckets = append(out.Bitbuckets, b)
		} else if len(b.Changes) > 0 {
			stale = append(stale, "bitbucket."+b.Label)
		}
	}
	for _, c := range p.Connections {
		if approved[c.Address] == c.Digest() {
			out.Connections = append(out.Connections, c)
		} else if len(c.Changes) > 0 {
			stale = append(stale, c.Address)
		}
	}
	return out, stale
}
