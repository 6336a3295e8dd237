package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

const oldURL = "https://old.example"

// relocating is aConnection with workspaces to take over from another
// Bitbucket.
func relocating(workspaces int) (*schema.Connection, plan.Have) {
	want, have := aConnection(), inSync()
	want.Relocate = &schema.Relocate{From: &schema.Bitbucket{Label: "old", URL: oldURL}, First: 1, Wave: 2}
	have.Clients = append(have.Clients, plan.Client{ID: "oc-old", Name: want.Name, Key: "old", HTTPURL: oldURL + "/", Token: &plan.Token{ID: "ot-old"}})
	have.Using = map[string][]plan.Workspace{}
	for i := range workspaces {
		have.Using["ot-old"] = append(have.Using["ot-old"], plan.Workspace{Name: fmt.Sprintf("w%d", i), Repository: "INFRA/vpc"})
	}
	return want, have
}

// begun is a wave that a run did not see the end of.
func begun() *plan.Moving {
	return &plan.Moving{From: "ot-old", To: "ot-1", Names: []string{"v2", "v1"}}
}

func TestRelocate(t *testing.T) {
	cases := []struct {
		name       string
		workspaces int
		change     func(*schema.Connection, *plan.Have)
		want       []string
		blocks     string
		notes      string
	}{
		{"in waves", 4, nil, []string{
			"prove that it sees INFRA/vpc", "wave 1 of 3, the canary: w0", "wave 2 of 3: w1, w2", "wave 3 of 3: w3",
		}, "", "registry modules"},
		{"no canary", 2, func(w *schema.Connection, _ *plan.Have) { w.Relocate.First = 0 }, []string{"prove that it sees", "to this one: w0, w1"}, "", ""},
		{"all canaries", 1, func(w *schema.Connection, _ *plan.Have) { w.Relocate.First = 9 }, []string{"prove that it sees", "to this one: w0"}, "", ""},
		{"none left to move", 0, nil, nil, "", "registry modules"},
		{"a client that nobody authorized", 0, func(_ *schema.Connection, h *plan.Have) { h.Clients[1].Token = nil }, nil, "", ""},
		{"the old client is gone", 0, func(_ *schema.Connection, h *plan.Have) { h.Clients = h.Clients[:1] }, nil, "", "has done its work"},
		{"repositories of workspaces are proven", 1, func(_ *schema.Connection, h *plan.Have) {
			h.Using["ot-old"][0].Repository = "APPS/web"
		}, []string{"prove that it sees APPS/web, INFRA/vpc", "to this one: w0"}, "", ""},
		{"a client that the files keep there, by name", 4, func(_ *schema.Connection, h *plan.Have) {
			h.Clients[1].Name, h.Kept = "theirs", []plan.Kept{{Address: "connection.other", Client: "theirs"}}
		}, nil, "", "the workspaces of OAuth client oc-old stay: it is that of connection.other"},
		{"a client that the files keep there, by its record", 4, func(_ *schema.Connection, h *plan.Have) {
			h.Kept = []plan.Kept{{Address: "connection.other", Client: "renamed", ID: "oc-old"}}
		}, nil, "", "it is that of connection.other"},
		{"another client than the files keep there", 1, func(_ *schema.Connection, h *plan.Have) {
			h.Kept = []plan.Kept{{Address: "connection.other", Client: "theirs", ID: "oc-9"}}
		}, []string{"prove that it sees", "to this one: w0"}, "", "registry modules"},
		{"one record for both", 1, func(_ *schema.Connection, h *plan.Have) { h.Clients[0].HTTPURL = oldURL }, nil, "a move needs a record of its own", ""},
		{"a wave was cut off", 1, func(_ *schema.Connection, h *plan.Have) { h.Record.Moving = begun() }, []string{
			"prove that it fetched 2 workspaces that a run had begun to move: v1, v2; back to OAuth client oc-old if it could not",
			"prove that it sees INFRA/vpc", "to this one: w0",
		}, "", ""},
		{"a wave was cut off, and none is left to move", 0, func(_ *schema.Connection, h *plan.Have) { h.Record.Moving = begun() }, []string{"back to OAuth client oc-old"}, "", ""},
		{"a wave was cut off, and the old client is gone", 0, func(_ *schema.Connection, h *plan.Have) {
			h.Record.Moving, h.Clients = begun(), h.Clients[:1]
		}, []string{"the OAuth client that they used is gone"}, "", ""},
		{"a wave was cut off, and the block went", 1, func(w *schema.Connection, h *plan.Have) {
			h.Record.Moving, w.Relocate = begun(), nil
		}, []string{"back to OAuth client oc-old"}, "", ""},
		{"a wave was cut off, and the token went", 0, func(_ *schema.Connection, h *plan.Have) {
			h.Record.Moving, h.Clients[0].Token = begun(), nil
		}, []string{"back to OAuth client oc-old", "a person: authorize", "prove the current SSH key", "put the current private SSH key", "prove that it sees"}, "", ""},
		{"a wave was cut off, and the record moves", 0, func(_ *schema.Connection, h *plan.Have) {
			h.Record.Moving, h.Record.LinkURL = begun(), linkURL
			h.Record, h.Moved = nil, &plan.MovedRecord{Path: "corp/before", Record: h.Record}
		}, []string{"move the record", "back to OAuth client oc-old"}, "", ""},
		{"one server by two URLs", 1, func(_ *schema.Connection, h *plan.Have) {
			h.Record, h.Clients, h.Consumer.Key = nil, h.Clients[1:], "old"
		}, nil, `application_link { url = "` + linkURL + `/relocated" }`, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want, have := relocating(c.workspaces)
			if c.change != nil {
				c.change(want, &have)
			}
			got := plan.Diff(fleet, want, have, noon)
			steps := got.Steps()
			if len(steps) != len(c.want) {
				t.Fatalf("steps %v, want %v", steps, c.want)
			}
			for i, s := range steps {
				if !strings.Contains(s.String(), c.want[i]) {
					t.Errorf("step %d is %s, want %s", i, s, c.want[i])
				}
			}
			blocks, notes := "", ""
			for _, b := range got.Blocks {
				blocks += b.Text + "; " + b.Remedy
			}
			for _, n := range got.Notes {
				notes += n.Text + "\n"
			}
			if !strings.Contains(blocks, c.blocks) || c.blocks == "" && blocks != "" || !strings.Contains(notes, c.notes) {
				t.Errorf("blocks %q, notes %q", blocks, notes)
			}
		})
	}
}

// TestRelocateRetires plans the connection that is left: it follows, its
// workspaces are no loss once they are planned to move, what cannot move keeps it,
// and the limit is not for it.
func TestRelocateRetires(t *testing.T) {
	want, _ := relocating(0)
	cases := []struct {
		name            string
		affected, moves int
		others, accept  int
		steps           int
	}{
		{"all move", 3, 3, 0, 0, 4},
		{"none is left", 0, 0, 0, 0, 4},
		{"some are not seen", 3, 2, 0, 0, 0},
		{"the move cannot be planned", 3, 0, 0, 0, 0},
		{"all move, and others stay", 3, 3, 2, 0, 0},
		{"others stay", 0, 0, 2, 0, 0},
		{"others stay and are accepted", 3, 3, 2, 2, 4},
		{"others are accepted, not the workspaces", 3, 2, 2, 2, 0},
		{"both are accepted", 3, 2, 2, 3, 4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			leaving, have := leaver()
			leaving.For = want
			r := plan.Removals{
				Fleet: fleet, Now: noon, Max: 0, AllowUnlink: c.accept, Moves: map[string]int{"oc-1": c.moves},
				Affected: map[string]plan.Affected{"oc-1": {Count: c.affected, Others: make([]string, c.others)}},
			}
			got := r.Plan([]plan.Leaving{leaving}, []plan.Have{have})[0]
			if len(got.Changes) != c.steps || got.After != address || (len(got.Blocks) > 0) != (c.steps == 0) {
				t.Errorf("%d steps after %q, blocks %v", len(got.Changes), got.After, got.Blocks)
			}
		})
	}
}

// TestRemovalFollowsAWave: what workspaces may have to go back to is not removed
// before that is known, whether the files still say that they move or not.
func TestRemovalFollowsAWave(t *testing.T) {
	for name, c := range map[string]struct {
		from, after string
	}{
		"from it":        {"ot-1", "connection.other"},
		"from elsewhere": {"ot-2", ""},
	} {
		t.Run(name, func(t *testing.T) {
			stays := nothing()
			stays.Record = &plan.Record{Moving: &plan.Moving{From: c.from, To: "ot-9", Names: []string{"w"}}}
			leaving, have := leaver()
			r := plan.Removals{Fleet: fleet, Now: noon, Max: 5, Stay: []*schema.Connection{other()}, StayHave: []plan.Have{stays}}
			if got := r.Plan([]plan.Leaving{leaving}, []plan.Have{have})[0]; got.After != c.after || len(got.Changes) == 0 {
				t.Errorf("%d steps after %q", len(got.Changes), got.After)
			}
		})
	}
}

func TestOrphanOfRelocated(t *testing.T) {
	want, have := relocating(0)
	record := have.Record
	record.Fleet = fleet
	record.About = plan.About{Terraform: want.Terraform.Address, Organization: "ACME", Bitbucket: oldURL, ServiceUser: user}
	f := &schema.Fleet{
		Name: fleet, Terraforms: []*schema.Terraform{want.Terraform}, Bitbuckets: []*schema.Bitbucket{want.Bitbucket, want.Relocate.From},
		Connections: []*schema.Connection{want},
	}
	got := plan.Orphans(f, map[string]*plan.Record{"corp/old": record})
	if len(got) != 1 || got[0].For != want || got[0].Kept != "" {
		t.Fatalf("%+v", got)
	}
	if diff := cmp.Diff("record corp/old", got[0].Want.Address); diff != "" {
		t.Error(diff)
	}
}

// TestKeptWhereItRelocatesFrom: the plan of a fleet knows whose clients stay.
func TestKeptWhereItRelocatesFrom(t *testing.T) {
	want, have := relocating(1)
	stays := aConnection()
	stays.Address, stays.Name, stays.Bitbucket, stays.Terraform, stays.Organization = "connection.stays", "theirs", want.Relocate.From, want.Terraform, "ACME"
	its := nothing()
	its.Record = &plan.Record{ClientID: "oc-old"}
	f := &schema.Fleet{Name: fleet, Connections: []*schema.Connection{want, stays}}
	got := plan.Make(f, []*schema.Connection{want, stays}, []plan.Have{have, its}, nil, plan.Options{Now: noon}).Connections[0]
	if len(got.Changes) > 0 || len(got.Blocks) > 0 || len(got.Notes) == 0 || !strings.Contains(got.Notes[0].Text, "connection.stays") {
		t.Errorf("%v %v %v", got.Changes, got.Blocks, got.Notes)
	}
	stays.Name = have.Clients[1].Name
	alone := plan.Make(f, []*schema.Connection{want}, []plan.Have{have}, nil, plan.Options{Now: noon}).Connections[0]
	if len(alone.Changes) > 0 {
		t.Errorf("a client known by its name, as its record was not read: %v", alone.Changes)
	}
}

// TestProtectedRelocates: what the files say of the connection now is what protects
// the old one, whose record no file reaches any more.
func TestProtectedRelocates(t *testing.T) {
	for name, c := range map[string]struct {
		now, goes bool
		address   string
	}{
		"protected still":      {true, false, address},
		"not any more":         {false, true, address},
		"another one's record": {false, false, "connection.other"},
	} {
		t.Run(name, func(t *testing.T) {
			takes, _ := relocating(0)
			takes.Protect = c.now
			leaving, have := leaver()
			leaving.For, leaving.Record.Address, leaving.Record.About.Protected = takes, c.address, true
			steps, _, notes := removalSteps(t, plan.Removals{Max: 5}, leaving, have)
			if goes := len(steps) > 0; goes != c.goes || !c.goes && !strings.Contains(notes, "protected") {
				t.Errorf("%v\n%s", steps, notes)
			}
		})
	}
}
