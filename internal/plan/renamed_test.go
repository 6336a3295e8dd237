package plan_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
)

// TestRenamedServiceUser recognizes the account that authorized: Terraform shows
// the name of that day. What is not known to be the same account authorizes again.
func TestRenamedServiceUser(t *testing.T) {
	renamed := func() plan.Have {
		have := recorded()
		token := have.Clients[0].Token
		token.User = "svc-before"
		have.Record.About.ServiceUser = "svc-before"
		have.Record.Authorized = &plan.Authorized{Token: token.ID, User: "svc-before", Account: 101}
		have.User.ID = 101
		return have
	}
	runDiff(t, renamed, []diffCase{
		{
			name: "the same account", steps: []plan.Step{plan.NoteConnection{Address: aConnection().Address, ServiceUser: user}},
			notes: []string{"that is the Bitbucket account " + user + " before it was renamed, and nobody has to authorize again"},
		},
		{
			name: "noted before", state: plan.StateInSync, have: func(h *plan.Have) { h.Record.About.ServiceUser = user },
			notes: []string{"before it was renamed"},
		},
	})
	for name, change := range map[string]func(h *plan.Have){
		"another account": func(h *plan.Have) { h.User.ID = 102 },
		"another token":   func(h *plan.Have) { h.Record.Authorized.Token = "ot-0" },
		"another name":    func(h *plan.Have) { h.Record.Authorized.User = "jane" },
		"no ids":          func(h *plan.Have) { h.User.ID, h.Record.Authorized.Account = 0, 0 },
	} {
		have := renamed()
		change(&have)
		if c := plan.Diff(fleet, aConnection(), have, noon); !c.Waits() || c.ActsAs("svc-before") {
			t.Errorf("%s is taken for the service user", name)
		}
	}
	have := renamed()
	if c := plan.Diff(fleet, aConnection(), have, noon); c.Waits() || !c.ActsAs("svc-before") || c.UserID != 101 {
		t.Errorf("waits: %t, acts as: %t, id %d", c.Waits(), c.ActsAs("svc-before"), c.UserID)
	}
	if have.User.Former != "" {
		t.Error("the user that was read is changed, and other connections share it")
	}
}
