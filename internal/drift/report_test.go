package drift_test

import (
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plan"
)

// TestAuthorized: a connection is authorized when it has a token and waits for nobody;
// of one that is blocked nothing is known.
func TestAuthorized(t *testing.T) {
	made := time.Date(2026, 5, 4, 3, 2, 1, 0, time.FixedZone("", 7200))
	waits := []plan.Change{{Step: plan.ProveSSH{}}, {Step: plan.Authorize{}}}
	for name, test := range map[string]struct {
		connection plan.Connection
		want       *bool
	}{
		"a token":                 {plan.Connection{Token: &plan.Token{Created: made}}, new(true)},
		"no token":                {plan.Connection{Changes: waits}, new(false)},
		"one that does not work":  {plan.Connection{Token: &plan.Token{Created: made}, Changes: waits}, new(false)},
		"blocked":                 {plan.Connection{Blocks: []plan.Block{{Kind: plan.Refused}}}, nil},
		"in sync without a token": {plan.Connection{}, new(false)},
	} {
		have := drift.New(plan.Plan{Connections: []plan.Connection{test.connection}}, drift.Scope{}).Connections[0]
		if (have.Authorized == nil) != (test.want == nil) || test.want != nil && *have.Authorized != *test.want {
			t.Errorf("%s: authorized %v", name, have.Authorized)
		}
		if token := test.connection.Token; token != nil && !have.TokenCreated.Equal(token.Created) || token == nil && !have.TokenCreated.IsZero() {
			t.Errorf("%s: the token was made %s", name, have.TokenCreated)
		}
	}
}
