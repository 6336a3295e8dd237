package apply

import (
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
)

// TestSwitchTakesOwnTokenOnly: somebody else's token is given no key, whatever the
// plan knew of it.
func TestSwitchTakesOwnTokenOnly(t *testing.T) {
	r := &runner{Target: plan.Target{ServiceUser: "svc-terraform", UserNames: []string{"svc", "Terraform"}}}
	for name, c := range map[string]struct {
		user    string // "-": there is no token
		noToken bool
		takes   bool
		err     string
	}{
		"its own":                      {user: "svc-terraform", takes: true},
		"its own by another name":      {user: "terraform", takes: true},
		"somebody else's":              {user: "jane", err: "authorized as jane"},
		"none":                         {user: "-", err: "token is gone"},
		"none, and none is needed":     {user: "-", noToken: true},
		"somebody else's, none needed": {user: "jane", noToken: true},
		"its own came meanwhile":       {user: "svc-terraform", noToken: true, takes: true},
	} {
		t.Run(name, func(t *testing.T) {
			client := tfe.OAuthClient{Name: "Bitbucket"}
			if c.user != "-" {
				client.Token = &tfe.Token{ID: "ot-1", User: c.user}
			}
			takes, err := r.takesKey(client, c.noToken)
			if takes != c.takes || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("takes %t, %v; want %t, %q", takes, err, c.takes, c.err)
			}
		})
	}
}
