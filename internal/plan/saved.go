package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// FormatVersion is of the saved plan's JSON: the first number changes when an
// older bbsync would misread it.
const FormatVersion = "2.0"

// Saved is a plan in a file: evidence of what was shown and approved, and never a
// source of inputs. It holds no secret. Apply plans again with inputs of its own
// and runs only what is exactly as in the file.
type Saved struct {
	FormatVersion string  `json:"format_version"`
	Fleet         string  `json:"fleet"`
	Inputs        Inputs  `json:"inputs"`
	Bitbuckets    []Entry `json:"bitbuckets"`
	Connections   []Entry `json:"connections"`

	// Digest is the SHA-256 of the rest. It finds accidents: anyone who edits the file
	// can compute it, too.
	Digest string `json:"digest"`
}

// An Entry is what was shown of one connection, or of one Bitbucket. Places in
// the configuration are left out: a line that moved changes nothing.
type Entry struct {
	Address      string       `json:"address"`
	Organization string       `json:"organization,omitempty"`
	Bitbucket    string       `json:"bitbucket"` // its URL
	State        State        `json:"state"`
	Removal      bool         `json:"removal,omitempty"`
	After        string       `json:"after,omitempty"` // address of the connection that goes first
	Steps        []SavedStep  `json:"steps,omitempty"`
	Blocks       []SavedBlock `json:"blocks,omitempty"`
	Notes        []SavedNote  `json:"notes,omitempty"`

	// Digest is of the steps' own values and of what they act on, which is more than
	// their texts say.
	Digest string `json:"digest"`
}

// A SavedStep is a step and its reasons as they were shown.
type SavedStep struct {
	Text    string        `json:"text"`
	Reasons []SavedReason `json:"reasons,omitempty"`
}

// A SavedReason is a difference as it was shown.
type SavedReason struct {
	Kind string `json:"kind"`
	What string `json:"what"`
	Live string `json:"live"`
	Want string `json:"want"`
}

// A SavedBlock says why nothing was planned.
type SavedBlock struct {
	Kind   BlockKind `json:"kind"`
	Text   string    `json:"text"`
	Remedy string    `json:"remedy,omitempty"`
}

// A SavedNote is what was shown beside the steps.
type SavedNote struct {
	Warning bool   `json:"warning,omitempty"`
	Text    string `json:"text"`
}

// Encode returns the plan as a file's text.
func Encode(p Plan, in Inputs) ([]byte, error) {
	saved := Saved{FormatVersion: FormatVersion, Fleet: p.Fleet, Inputs: in, Bitbuckets: []Entry{}, Connections: []Entry{}}
	for _, b := range p.Bitbuckets {
		saved.Bitbuckets = append(saved.Bitbuckets, b.entry())
	}
	for _, c := range p.Connections {
		saved.Connections = append(saved.Connections, c.entry())
	}
	saved.Digest = saved.digest()
	return saved.encode()
}

func (s Saved) encode() ([]byte, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the plan: %w", err)
	}
	return append(text, '\n'), nil
}

// digest is of everything but the digest itself.
func (s Saved) digest() string {
	s.Digest = ""
	text, err := s.encode()
	if err != nil { // plain data: a bug, not an event
		panic(err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (c Connection) entry() Entry {
	return Entry{
		Address: c.Address, Organization: c.Organization, Bitbucket: c.BitbucketURL, State: c.State(), Removal: c.Removal, After: c.After,
		Steps: savedSteps(c.Changes), Blocks: savedBlocks(c.Blocks), Notes: savedNotes(c.Notes), Digest: c.Digest(),
	}
}

func (b BitbucketPlan) entry() Entry {
	return Entry{
		Address: b.Address(), Bitbucket: b.URL, State: b.State(),
		Steps: savedSteps(b.Changes), Blocks: savedBlocks(b.Blocks), Notes: savedNotes(b.Notes), Digest: b.Digest(),
	}
}

func savedSteps[S AnyStep](changes []ChangeOf[S]) []SavedStep {
	var out []SavedStep
	for _, c := range changes {
		step := SavedStep{Text: c.Step.Type().Symbol + " " + c.Step.String()}
		for _, r := range c.Because {
			step.Reasons = append(step.Reasons, SavedReason{r.Kind, r.What, r.Live, r.Want})
		}
		out = append(out, step)
	}
	return out
}

func savedBlocks(blocks []Block) []SavedBlock {
	var out []SavedBlock
	for _, b := range blocks {
		out = append(out, SavedBlock{b.Kind, b.Text, b.Remedy})
	}
	return out
}

func savedNotes(notes []Note) []SavedNote {
	var out []SavedNote
	for _, n := range notes {
		out = append(out, SavedNote{n.Warning, n.Text})
	}
	return out
}

var errNotSaved = errors.New("not a plan that bbsync saved")

// Decode reads a saved plan. It takes exactly what Encode writes: a text that
// JSON readers may understand in more than one way (names repeated or in other
// case, unknown fields) is refused, as is one that was edited.
func Decode(text []byte) (Saved, error) {
	var version struct {
		FormatVersion string `json:"format_version"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return Saved{}, fmt.Errorf("%w: %w", errNotSaved, err)
	}
	if version.FormatVersion == "" {
		return Saved{}, errNotSaved
	}
	if version.FormatVersion != FormatVersion {
		return Saved{}, fmt.Errorf("the plan has format %q, and this bbsync knows %s; plan again", version.FormatVersion, FormatVersion)
	}
	var saved Saved
	if err := json.Unmarshal(text, &saved); err != nil {
		return Saved{}, fmt.Errorf("%w: %w", errNotSaved, err)
	}
	again, err := saved.encode()
	if err != nil {
		return Saved{}, err
	}
	if saved.Digest != saved.digest() || !bytes.Equal(text, again) {
		return Saved{}, fmt.Errorf("%w: it was changed after it was saved; plan again", errNotSaved)
	}
	return saved, saved.unique()
}

// unique returns an error when two entries have one address.
func (s Saved) unique() error {
	seen := map[string]bool{}
	for _, entries := range [][]Entry{s.Bitbuckets, s.Connections} {
		for _, e := range entries {
			if seen[e.Address] {
				return fmt.Errorf("%w: it has two entries for %s", errNotSaved, e.Address)
			}
			seen[e.Address] = true
		}
	}
	return nil
}
