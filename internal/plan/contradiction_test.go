package plan_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

func contradict(h *plan.Have) {
	h.Record.Contradiction = &plan.Contradiction{Text: "vault: field ssh_current_public is not the public half", Remedy: "vault kv rollback"}
}

// A record that contradicts its keys stops its connection, whatever else there is
// to do, and a key whose private half is not in Vault is never published.
func TestUntrustedKeys(t *testing.T) {
	runDiff(t, inSync, []diffCase{
		{
			name: "a record that contradicts its keys", have: contradict,
			block: "refused: vault: field ssh_current_public is not the public half", remedy: "vault kv rollback",
		},
		{
			name:  "with work to do",
			have:  func(h *plan.Have) { contradict(h); h.Link, h.Consumer, h.Keys = nil, nil, nil },
			block: "refused: vault: field", remedy: "vault kv rollback",
		},
		{
			name: "at another path",
			have: func(h *plan.Have) {
				contradict(h)
				h.Moved, h.Record = &plan.MovedRecord{Path: "elsewhere", Record: h.Record}, nil
			},
			block: "refused: vault: field", remedy: "vault kv rollback",
		},
		{
			name: "an SSH key that only Terraform has, and Bitbucket has not",
			have: func(h *plan.Have) { h.Record.Current.PrivateElsewhere, h.Keys = true, nil },
			steps: []plan.Step{
				plan.CreateSSHKey{Role: plan.Current, Bits: 3072, Comment: label},
				plan.AddSSHKey{Role: plan.Current, Label: label},
				proveSSH,
				plan.SetTokenKey{Role: plan.Current},
				proveRepos,
			},
		},
	})
}

// A removal leaves a record that contradicts its keys alone, and with it whatever
// others share with it.
func TestContradictionIsNotRemoved(t *testing.T) {
	want, have := aConnection(), inSync()
	contradict(&have)
	for _, forget := range []bool{false, true} {
		leaving := []plan.Leaving{{Want: want, Record: have.Record, Forget: forget}}
		out := plan.Removals{Fleet: fleet, Max: 9, Now: noon}.Plan(leaving, []plan.Have{have})
		if len(out[0].Changes) > 0 || out[0].State() != plan.StateRefused {
			t.Errorf("forget %v: have %v, %s", forget, out[0].Steps(), out[0].State())
		}
	}
	other, gone := aConnection(), inSync()
	other.Address, other.Record = `connection.team["other"]`, "corp/other"
	out := plan.Removals{Fleet: fleet, Max: 9, Now: noon, Stay: []*schema.Connection{want}, StayHave: []plan.Have{have}}.
		Plan([]plan.Leaving{{Want: other, Record: gone.Record}}, []plan.Have{gone})
	if len(out[0].Changes) > 0 || out[0].State() != plan.StateRefused {
		t.Errorf("beside one that stays: have %v, %s", out[0].Steps(), out[0].State())
	}
}

// Whatever is asked of whatever is there, no step publishes a key that the record
// has no private half of.
func TestPrivateKeysElsewhereAreNeverPublished(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		have := inSync()
		r := have.Record
		draw := func(name string) bool { return rapid.Bool().Draw(t, name) }
		r.Current.PrivateElsewhere = true
		r.Current.Token = rapid.SampledFrom([]string{"", "ot-1", "ot-2"}).Draw(t, "token")
		if draw("other user") {
			r.About.ServiceUser, r.About.Bitbucket = "somebody", "https://bitbucket.example/git"
			have.OldKeys = map[string]plan.SSHKey{"ssh-1": {ID: 4, Fingerprint: "ssh-1"}}
		}
		if draw("not published") {
			have.Keys = nil
		}
		if draw("no token") {
			have.Clients[0].Token = nil
		} else if draw("foreign token") {
			have.Clients[0].Token.User = "somebody"
		}
		asked := plan.Rotation{SSH: draw("rotate"), Rollback: draw("rollback")}
		if draw("emergency") {
			asked.Emergency = "stolen"
		}
		steps := plan.Rotate(fleet, aConnection(), have, noon, asked).Steps()
		made := slices.IndexFunc(steps, func(s plan.Step) bool { _, ok := s.(plan.CreateSSHKey); return ok })
		for i, s := range steps {
			if add, ok := s.(plan.AddSSHKey); ok && (add.Fingerprint == "ssh-1" || made < 0 || made > i) {
				t.Fatalf("%s is published", add)
			}
		}
	})
}
