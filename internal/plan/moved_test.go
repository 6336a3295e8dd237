package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// movedFrom is what is read of a connection that a moved block leads to, whose record
// is at another path still.
func movedFrom(path, address string) plan.Have {
	have := recorded()
	have.Record.Address = address
	have.Moved, have.Record = &plan.MovedRecord{Path: path, Record: have.Record}, nil
	return have
}

// cutOff is what is read when the keys are at both paths.
func cutOff(path, address string) plan.Have {
	have := recorded()
	old := *have.Record
	old.Address = address
	have.Record.MovedFrom = path
	have.Before = &plan.MovedRecord{Path: path, Record: &old}
	return have
}

// planMoved plans aConnection with moved blocks from these addresses.
func planMoved(want *schema.Connection, have plan.Have, most int, from ...string) plan.Connection {
	f := &schema.Fleet{Name: fleet, MaxRemovals: most, Connections: []*schema.Connection{want}}
	for _, address := range from {
		f.Moved = append(f.Moved, schema.Moved{From: address, To: want.Address})
	}
	return plan.Make(f, f.Connections, []plan.Have{have}, nil, plan.Options{Now: noon}).Connections[0]
}

// TestMoves: what a record says of another path is done only if a moved block of the
// configuration says so, too, and the keys prove it.
func TestMoves(t *testing.T) {
	const before, victim = "connection.before", "connection.victim"
	cut := func(change func(h *plan.Have)) plan.Have {
		have := cutOff("corp/before", before)
		change(&have)
		return have
	}
	moved := func(change func(h *plan.Have)) plan.Have {
		have := movedFrom("corp/before", before)
		change(&have)
		return have
	}
	as := func(*plan.Have) {}
	for name, c := range map[string]struct {
		have    plan.Have
		protect bool
		most    int
		from    []string
		steps   string
		block   string
	}{
		"a move":             {have: moved(as), most: 1, from: []string{before}, steps: "MoveRecord"},
		"a move of too many": {have: moved(as), from: []string{before}, block: "this would move 1 records, which empties them at their old paths, and max_removals is 0"},
		"a move of what is protected": {
			have: moved(as), most: 1, protect: true, from: []string{before}, block: "is protected, and the move of its record empties the one at corp/before",
		},
		"another fleet's record": {
			have: moved(func(h *plan.Have) { h.Moved.Record.Fleet = "other" }), most: 1, from: []string{before}, block: `is of fleet "other", not of corp`,
		},
		"a record with keys of its own": {
			have: moved(func(h *plan.Have) { h.Moved.Record.Consumer.Fingerprint = "rsa-9" }), most: 1, from: []string{before},
			block: "neither the application link nor an OAuth client has its consumer's pair, rsa-9",
		},
		"a record with an SSH key of its own": {
			have: moved(func(h *plan.Have) {
				h.Moved.Record.Consumer.PrivateElsewhere, h.Moved.Record.Pending = true, &plan.Key{Fingerprint: "ssh-9"}
			}), most: 1, from: []string{before},
			block: "has SSH key ssh-9, which is not on Bitbucket",
		},
		"of another organization": {
			have: moved(func(h *plan.Have) { h.Moved.Record.About.Organization = "other"; h.Clients = nil }), most: 1, from: []string{before},
			block: "is that of organization other",
		},
		"several records": {
			have: func() plan.Have { h := recorded(); h.Record, h.Claims = nil, []string{"corp/a", "corp/b"}; return h }(), most: 1, from: []string{before},
			block: "corp/a, corp/b all claim to be the one",
		},
		"cut off": {have: cut(as), most: 1, from: []string{before}, steps: "MoveRecord"},
		"cut off, and half emptied": {
			have: cut(func(h *plan.Have) { h.Before.Record.Consumer, h.Before.Record.Current = nil, nil }), most: 1, from: []string{before}, steps: "MoveRecord",
		},
		"cut off at its very end": {have: cut(func(h *plan.Have) { h.Before.Record.Ended = "moved" }), steps: "NoteConnection"},
		"nothing is there":        {have: cut(func(h *plan.Have) { h.Before = nil }), steps: "NoteConnection"},
		"cut off, too many":       {have: cut(as), from: []string{before}, block: "max_removals is 0"},
		"cut off, protected":      {have: cut(as), most: 1, protect: true, from: []string{before}, block: "is protected"},
		"cut off, and the moved block is gone": {
			have: cut(as), most: 1, block: "says that it took over corp/before, which is the record of connection.before in fleet corp, and no moved block says so",
		},
		"a stranger's path": {have: cutOff("corp/victim", victim), most: 9, from: []string{before}, block: "the record of connection.victim in fleet corp, and no moved block says so"},
		"another fleet's path": {
			have: cut(func(h *plan.Have) { h.Before.Record.Fleet = "other" }), most: 1, from: []string{before}, block: "in fleet other",
		},
		"other keys at the other path": {
			have: cut(func(h *plan.Have) { h.Before.Record.Current = &plan.Key{Fingerprint: "ssh-7"} }), most: 1, from: []string{before}, block: "but the two hold different keys",
		},
		"a field at the other path contradicts its key": {
			have: cut(func(h *plan.Have) {
				h.Before.Record.Contradiction = &plan.Contradiction{Text: "field x contradicts the key"}
			}), most: 1, from: []string{before},
			block: "field x contradicts the key",
		},
		"copied without the private halves": {
			have: cut(func(h *plan.Have) {
				h.Record.Consumer.PrivateElsewhere = true
				h.Before.Record.Consumer = &plan.ConsumerKey{Key: "bbsync-1", Fingerprint: "rsa-1"}
			}), most: 1,
			from: []string{before}, block: "but the two hold different keys",
		},
		"another Bitbucket at the other path": {
			have: cut(func(h *plan.Have) { h.Before.Record.About.Bitbucket = "https://other.example" }), most: 1, from: []string{before}, block: "of different organizations or Bitbuckets",
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := aConnection()
			want.Protect = c.protect
			for _, r := range []*plan.Record{c.have.Record, recordOf(c.have.Moved), recordOf(c.have.Before)} {
				if r != nil {
					r.About.Protected = c.protect
				}
			}
			got := planMoved(want, c.have, c.most, c.from...)
			if diff := cmp.Diff(c.steps, kindsOf(got)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			checkBlocks(t, got.Blocks, c.block, "")
			for _, s := range got.Steps() {
				if _, moves := s.(plan.MoveRecord); moves && s.Type().Symbol != "-" {
					t.Errorf("%s is shown with %s", s, s.Type().Symbol)
				}
			}
		})
	}
}

func recordOf(m *plan.MovedRecord) *plan.Record {
	if m == nil {
		return nil
	}
	return m.Record
}

// TestMovedOn: the files move a record on whose own move was cut off.
func TestMovedOn(t *testing.T) {
	have := movedFrom("corp/second", "connection.second")
	first := *have.Moved.Record
	first.Address = "connection.first"
	have.Moved.Record.MovedFrom, have.Before = "corp/first", &plan.MovedRecord{Path: "corp/first", Record: &first}
	got := planMoved(aConnection(), have, 1, "connection.first", "connection.second").Steps()
	step := plan.MoveRecord{
		From: "corp/second", To: aConnection().Record, Address: "connection.second", Basis: have.Moved.Record.Basis(), Before: "corp/first", BeforeBasis: first.Basis(),
	}
	if len(got) == 0 || got[0] != plan.Step(step) || !strings.Contains(step.String(), "the same with corp/first") {
		t.Errorf("have %v, want %v", got, step)
	}
	if got := planMoved(aConnection(), have, 1, "connection.second"); len(got.Blocks) == 0 {
		t.Errorf("no moved block names connection.first, and this is planned: %v", got.Steps())
	}
}

// TestChooseMoved: a record that another one took over belongs to that one, if it
// holds the same keys; else two claim the same connection.
func TestChooseMoved(t *testing.T) {
	record := func(from, fingerprint string) *plan.Record {
		return &plan.Record{MovedFrom: from, Consumer: &plan.ConsumerKey{Key: "k", Fingerprint: fingerprint}}
	}
	for name, c := range map[string]struct {
		claims []plan.MovedRecord
		path   string
		among  []string
	}{
		"none":                   {},
		"one":                    {claims: []plan.MovedRecord{{Path: "a", Record: record("", "1")}}, path: "a"},
		"one took the other":     {claims: []plan.MovedRecord{{Path: "a", Record: record("", "1")}, {Path: "b", Record: record("a", "1")}}, path: "b"},
		"one says so, other key": {claims: []plan.MovedRecord{{Path: "a", Record: record("", "1")}, {Path: "b", Record: record("a", "2")}}, among: []string{"a", "b"}},
		"two":                    {claims: []plan.MovedRecord{{Path: "a", Record: record("", "1")}, {Path: "b", Record: record("", "1")}}, among: []string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, among := plan.ChooseMoved(c.claims)
			path := ""
			if got != nil {
				path = got.Path
			}
			if path != c.path || !slices.Equal(among, c.among) {
				t.Errorf("%q, %v; want %q, %v", path, among, c.path, c.among)
			}
		})
	}
}
