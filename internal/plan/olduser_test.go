package plan_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
)

const before = "svc-before"

// formerUser is what is read when the files name another service user than before.
func formerUser() plan.Have {
	have := recorded()
	have.Record.About.ServiceUser = before
	have.Clients[0].Token.User = before
	have.OldKeys, have.Keys = have.Keys, nil
	return have
}

// TestServiceUserChanges: the SSH key stays where Terraform uses it until a person
// has authorized as the other user, and is taken along then.
func TestServiceUserChanges(t *testing.T) {
	gone := func(id int, key string) plan.Step { return plan.DeleteSSHKey{ID: id, Fingerprint: key, User: before} }
	add := plan.AddSSHKey{Role: plan.Current, Label: label, Fingerprint: "ssh-1"}
	authorized := func(h *plan.Have) {
		h.Clients[0].Token = &plan.Token{ID: "ot-2", User: user}
	}
	staged := func(h *plan.Have) {
		h.Record.Pending = &plan.Key{Fingerprint: "ssh-2", Created: noon, SwitchNoted: true}
		h.OldKeys["ssh-2"] = plan.SSHKey{ID: 2, Fingerprint: "ssh-2"}
	}
	runDiff(t, formerUser, []diffCase{{
		name:  "before a person has authorized",
		steps: []plan.Step{again, gone(1, "ssh-1"), add, proveSSH, setKey, proveRepos},
		notes: []string{"Terraform shows that " + before + " authorized"},
		state: plan.StateWaiting,
	}, {
		name:  "and after",
		have:  authorized,
		steps: []plan.Step{gone(1, "ssh-1"), add, proveSSH, setKey, proveRepos},
	}, {
		name:  "without a token",
		have:  func(h *plan.Have) { h.Clients[0].Token = nil },
		steps: []plan.Step{gone(1, "ssh-1"), add, proveSSH, authorize, setKey, proveRepos},
	}, {
		name: "a key was in its overlap",
		have: func(h *plan.Have) {
			authorized(h)
			h.Record.Previous = &plan.Key{Fingerprint: "ssh-0"}
			h.OldKeys["ssh-0"] = plan.SSHKey{ID: 9, Fingerprint: "ssh-0"}
		},
		steps: []plan.Step{gone(9, "ssh-0"), gone(1, "ssh-1"), add, proveSSH, setKey, proveRepos},
		notes: []string{"Terraform does not hold the current one yet"},
	}, {
		name: "a key was staged",
		have: func(h *plan.Have) { authorized(h); staged(h) },
		steps: []plan.Step{
			gone(2, "ssh-2"), gone(1, "ssh-1"), add, proveSSH,
			plan.AddSSHKey{Role: plan.Pending, Label: label, Fingerprint: "ssh-2"},
			plan.ProveSSH{Role: plan.Pending},
			plan.SwitchKey{Fingerprint: "ssh-2"},
			proveRepos,
		},
	}, {
		name: "a key was staged, and nobody has authorized",
		have: staged,
		steps: []plan.Step{
			again, gone(2, "ssh-2"), gone(1, "ssh-1"), add, proveSSH,
			plan.AddSSHKey{Role: plan.Pending, Label: label, Fingerprint: "ssh-2"},
			plan.ProveSSH{Role: plan.Pending},
			plan.SwitchKey{Fingerprint: "ssh-2"},
			proveRepos,
		},
		notes: []string{"Terraform shows that " + before + " authorized"},
	}, {
		name:  "the user was renamed, and has the key",
		have:  func(h *plan.Have) { h.Keys, h.OldKeys, h.Clients[0].Token.User = h.OldKeys, nil, user },
		steps: []plan.Step{plan.NoteConnection{Address: address, ServiceUser: user}},
	}, {
		name:  "cut off between the two users",
		have:  func(h *plan.Have) { authorized(h); h.OldKeys = nil },
		steps: []plan.Step{add, proveSSH, setKey, proveRepos},
	}})
}

// TestServiceUserChangesInAnEmergency: a stolen key goes from the user before, too.
func TestServiceUserChangesInAnEmergency(t *testing.T) {
	got := plan.Rotate(fleet, aConnection(), formerUser(), noon, plan.Rotation{SSH: true, Emergency: "stolen"})
	for _, s := range got.Steps() {
		if key, ok := s.(plan.DeleteSSHKey); ok && key.Fingerprint == "ssh-1" && key.User == before {
			return
		}
	}
	t.Errorf("the key stays: %v", got.Steps())
}

// TestRemovalWithAnotherServiceUser: the keys are deleted where they are.
func TestRemovalWithAnotherServiceUser(t *testing.T) {
	leaving, _ := leaver()
	have := formerUser()
	leaving.Record = have.Record
	if steps, blocks, _ := removalSteps(t, plan.Removals{Max: 5}, leaving, have); len(steps) != 4 || steps[2] != "DeleteSSHKey" {
		t.Errorf("%v %s", steps, blocks)
	}
}
