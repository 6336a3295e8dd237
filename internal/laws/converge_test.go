package laws_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

const maxRounds = 8

// converge applies, and has people authorize, until the plan is empty, and
// returns how often it applied. Where the plan refuses to touch what is not the
// fleet's, the user says adopt. A nil guard looks at nothing.
func (b *bed) converge(t rapid.TB, g *guard) int {
	t.Helper()
	adopt := false
	for round := range maxRounds {
		g.begin(t)
		planned, result, err := b.applyOnce(b.t.Context(), adopt)
		g.end(t)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if inSync(planned) {
			return round
		}
		adopted := adopt
		for _, c := range planned.Connections {
			switch s := c.State(); {
			case s == plan.StateRefused && !adopted:
				adopt = true
			case s == plan.StateUnreadable, s == plan.StateLeased, s == plan.StateRefused:
				t.Fatalf("round %d: %s is %s: %v", round, c.Address, s, c.Blocks)
			}
		}
		b.peopleFollow(t, result)
	}
	t.Fatalf("still not in sync after %d rounds:\n%s", maxRounds, b.leftOver())
	return 0
}

// applyOnce is one bbsync apply.
func (b *bed) applyOnce(ctx context.Context, adopt bool) (plan.Plan, apply.Result, error) {
	var scope fleet.Scope
	for _, c := range b.fleet.Connections {
		if adopt {
			scope.Adopt = append(scope.Adopt, c.Address)
		}
	}
	run, err := b.start(ctx, scope, nil)
	if err != nil {
		return plan.Plan{}, apply.Result{}, err
	}
	defer run.Close()
	return applyRun(ctx, run, 0)
}

// peopleFollow does what a result asks of people, and takes no failure of a
// connection: no server misbehaves here.
func (b *bed) peopleFollow(t rapid.TB, result apply.Result) {
	t.Helper()
	for _, o := range append(result.Bitbuckets, result.Connections...) {
		switch o.Status {
		case apply.Broken, apply.NotRun, apply.Stale, apply.Leased, apply.Later:
			t.Fatalf("%s: %s: %v\nleft: %v", o.Address, o.Status, o.Err, o.Left)
		case apply.Waiting:
			if _, err := b.someone(t).Approve(b.t.Context(), o.Wait.URL, o.Wait.User); err != nil {
				t.Fatalf("authorizing %s at %s: %v", o.Address, o.Wait.URL, err)
			}
		case apply.Applied, apply.Unchanged, apply.Blocked:
		default:
			t.Fatalf("%s ended as %s", o.Address, o.Status)
		}
	}
}

func inSync(p plan.Plan) bool {
	for _, b := range p.Bitbuckets {
		if b.State() != plan.StateInSync {
			return false
		}
	}
	for _, c := range p.Connections {
		if c.State() != plan.StateInSync {
			return false
		}
	}
	return true
}

func (b *bed) leftOver() string {
	run, err := b.start(b.t.Context(), fleet.Scope{}, nil)
	if err != nil {
		return err.Error()
	}
	defer run.Close()
	planned, err := run.Plan(b.t.Context())
	if err != nil {
		return err.Error()
	}
	var out strings.Builder
	for _, c := range planned.Connections {
		for _, change := range c.Changes {
			fmt.Fprintf(&out, "%s: %s %v\n", c.Address, change.Step, change.Because)
		}
		fmt.Fprintln(&out, c.Blocks)
	}
	return out.String()
}

// states brings a bed to each of the states that the laws begin at: nothing is
// there, a person is waited for, all is connected and used.
func (b *bed) states(t *testing.T) map[string]snapshot {
	t.Helper()
	out := map[string]snapshot{"nothing": b.save(t)}
	_, result, err := b.applyOnce(b.t.Context(), false)
	b.must(t, err)
	out["waiting"] = b.save(t)
	b.peopleFollow(t, result)
	b.converge(t, nil)
	for _, c := range b.fleet.Connections {
		_, err := b.someone(t).CreateWorkspace(b.t.Context(), c.Organization, "network", "INFRA/vpc")
		b.must(t, err)
	}
	out["connected"] = b.save(t)
	return out
}

// stateNames are in the order in which rapid prefers the simpler.
func stateNames() []string { return []string{"connected", "waiting", "nothing"} }

// disturb has people do what they do behind bbsync's back. What cannot be done
// in this state is not done.
func (b *bed) disturb(t rapid.TB, name, org string) error {
	return b.someone(t).Break(b.t.Context(), name, org)
}

// breakages are those that bbsync mends, or mends after a word of the user.
func breakages() []string {
	return []string{
		"rename-link", "rename-client", "delete-link", "delete-client", "change-consumer-key", "change-consumer-public-key",
		"change-client-key", "revoke-token", "remake-token", "wrong-user", "delete-ssh-keys", "revoke-grants", "group-grant",
		"foreign-link", "delete-record",
	}
}

// TestConvergence: from whatever state people leave the systems in, applying
// and authorizing ends with an empty plan, with everything there once, and with
// a Terraform that can clone.
func TestConvergence(t *testing.T) {
	t.Parallel()
	kinds := map[string]kind{
		"token kept":         {orgs: 1, terraform: terraformd.Choices{KeepTokenOnReconnect: true}},
		"token remade":       {orgs: 1, bitbucket: bitbucketd.Options{ShortPages: true}},
		"tokens are fragile": {orgs: 1, bitbucket: bitbucketd.Options{DropTokensOnKeyChange: true}},
		"two organizations":  {orgs: 2},
	}
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, k)
			states := b.states(t)
			cases, edits, applies, writes, clones := 0, map[string]int{}, 0, 0, 0
			check(t, 25, func(t *rapid.T) {
				cases++
				b.restore(t, states[rapid.SampledFrom(stateNames()).Draw(t, "state")])
				g := b.guard(t)
				for range rapid.IntRange(0, 4).Draw(t, "edits") {
					what := rapid.SampledFrom(breakages()).Draw(t, "edit")
					org := sandbox.OrgName(rapid.IntRange(1, k.orgs).Draw(t, "org"))
					if err := b.disturb(t, what, org); err == nil {
						edits[what]++
					}
					if rapid.IntRange(0, 3).Draw(t, "apply between") == 0 {
						g.begin(t)
						_, result, err := b.applyOnce(b.t.Context(), false)
						if err != nil {
							t.Fatal(err)
						}
						g.end(t)
						applies++
						b.peopleFollow(t, result)
					}
				}
				applies += b.converge(t, g)
				b.wellMade(t, b.shape(t))
				writes, clones = writes+g.writes, clones+g.clones
			})
			t.Logf("%d cases, %d applies, edits %v; after %d writes %d clones were tried", cases, applies, edits, writes, clones)
		})
	}
}
