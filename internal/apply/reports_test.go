package apply

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
)

// TestRunReports what happens, in order, and what the audit trail is given.
func TestRunReports(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := rotated()
		w.record().SSH.Pending = sshKey("K3")
		var have []string
		opts := Options{
			Now: func() time.Time { return began.Add(time.Hour) },
			Progress: func(e Event) {
				kind := ""
				if e.Step != nil {
					kind = e.Step.Type().Kind
				}
				have = append(have, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %t %s", e.Address, e.Kind, kind, e.Text, e.Err != nil, e.Took)))
			},
			Audit: func(d Deed) error {
				have = append(have, fmt.Sprintf("audit %s %s %t %q", d.Address, d.Step.Type().Kind, d.Err != nil, plain(d.Proof)), plain(fmt.Sprint(d.Fingerprints)))
				return nil
			},
		}
		slow := plan.ProveRefused{Role: plan.Previous, Fingerprint: print("K1")}
		run(t.Context(), w, plan.Plan{Fleet: "prod", Connections: []plan.Connection{planned(w, "a", prove, rename, slow)}}, opts)
		const keys = "map[consumer:A ssh current:K2 ssh pending:K3 ssh previous:K1]"
		want := []string{
			"a started   false 0s",
			`audit a prove_consumer false "Bitbucket gave a request token for consumer key ck-A"`, keys, "a done prove_consumer  false 0s",
			`audit a rename_link false ""`, keys, "a done rename_link  false 0s",
			`audit a prove_refused true ""`, keys, "a failed prove_refused  true 4s",
			"a finished  failed true 0s",
		}
		if !slices.Equal(have, want) {
			t.Errorf("have\n%s", strings.Join(have, "\n"))
		}
	})
}

// TestAuditFails: a step that cannot be written to the audit trail ends the
// connection; one that waits for someone is not written.
func TestAuditFails(t *testing.T) {
	full := errors.New("disk full")
	for name, c := range map[string]struct {
		step   plan.Step
		status Status
		err    string
	}{
		"done":    {prove, Broken, "it was done, but not written to the audit trail: disk full"},
		"failed":  {absent, Broken, "the record in Vault has no such key; plan again (not written to the audit trail: disk full)"},
		"waiting": {asks, Waiting, ""},
	} {
		inBubble(t, func(t *testing.T) {
			w := connected()
			out := run(t.Context(), w, plan.Plan{Connections: []plan.Connection{planned(w, "a", c.step, prove)}}, Options{Audit: func(Deed) error { return full }}).Connections[0]
			if out.Status != c.status || len(out.Done) > 0 || c.err != "" && (!strings.HasSuffix(out.Err.Error(), c.err) || !errors.Is(out.Err, full)) {
				t.Errorf("%s: %s, %v", name, out.Status, out.Err)
			}
		})
	}
}

// TestWaits: the person who must click gets all that is needed.
func TestWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := connected()
		w.reposErr = tfe.ErrTokenRefused
		result := run(t.Context(), w, plan.Plan{Connections: []plan.Connection{planned(w, "a", asks), planned(w, "b", plan.ProveRepositories{})}}, Options{Parallel: 1})
		want := Wait{Address: "a", Organization: "acme", Client: "Bitbucket", User: serviceUser, Bitbucket: "https://bitbucket.example", URL: "https://tfe.example/connect/oc-1", Again: true}
		if have := *result.Connections[0].Wait; have != want {
			t.Errorf("have %+v", have)
		}
		want.Address, want.Why = "b", "Bitbucket refuses the OAuth token that Terraform holds"
		if have := *result.Connections[1].Wait; have != want {
			t.Errorf("have %+v", have)
		}
		if text := (&waitError{want}).Error(); text != `waiting for a person to authorize "Bitbucket" as svc: https://tfe.example/connect/oc-1` {
			t.Error(text)
		}
	})
}
