package laws_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/front"
)

// A twin is one of two appliers.
type twin struct {
	rotate plan.Rotation // of its first apply
	ahead  time.Duration // of its clock
	lease  time.Duration
}

// twins are two of a kind but for their clocks.
func twins(t *rapid.T, connected bool) []twin {
	rotations := []plan.Rotation{{}}
	if connected {
		rotations = append(rotations, plan.Rotation{SSH: true}, plan.Rotation{Consumer: true}, plan.Rotation{SSH: true, Emergency: "stolen"})
	}
	one := twin{rotate: rapid.SampledFrom(rotations).Draw(t, "rotation"), lease: 2 * time.Second}
	two := one
	two.ahead = rapid.SampledFrom([]time.Duration{0, 0, 10 * time.Minute, -10 * time.Minute}).Draw(t, "clock ahead by")
	return []twin{one, two}
}

// TestTwoAtOnce: two appliers on one fleet, started together, the lease of one
// running out while a request of its keeps it, and one's clock perhaps wrong: the
// end is as if there had been one, and at no time is there a key that is not in
// Vault.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t, kind{orgs: 1})
	states := b.states(t)
	cases, seen := 0, map[apply.Status]int{}
	lost := 0
	check(t, 8, func(t *rapid.T) {
		cases++
		state := rapid.SampledFrom([]string{"nothing", "connected"}).Draw(t, "state")
		b.restore(t, states[state])
		both := twins(t, state == "connected")
		if rapid.Bool().Draw(t, "edited") {
			_ = b.disturb(t, rapid.SampledFrom([]string{"delete-link", "change-client-key", "delete-ssh-keys", "change-consumer-key"}).Draw(t, "edit"), sandbox.OrgName(1))
		}
		g := b.guard(t)
		g.mayEnd = state != "connected" // without a workspace a clone begins with a signed request
		g.begin(t)
		system := rapid.SampledFrom([]string{"bitbucket", "terraform", "vault"}).Draw(t, "held up at")
		b.must(t, b.fronts[system].Order(front.Fault{
			Kind: front.Delay, Delay: 5 * time.Second, Nth: rapid.IntRange(1, 12).Draw(t, "request"),
			Method: rapid.SampledFrom([]string{"PUT", "POST", "GET", ""}).Draw(t, "method"),
		}))
		var group sync.WaitGroup
		results := make([][]apply.Result, len(both))
		for i, twin := range both {
			group.Go(func() { results[i] = b.insist(twin) })
		}
		group.Wait()
		b.clearFaults()
		g.end(t)
		for _, r := range append(results[0], results[1]...) {
			for _, o := range r.Connections {
				seen[o.Status]++
				if o.Err != nil && strings.Contains(o.Err.Error(), "lease") {
					lost++
				}
			}
		}
		b.expire(t)
		b.converge(t, g)
		s := b.shape(t)
		overlapping := 0
		if s.connections[0].previous { // of a rotation
			s.connections[0].previous, overlapping = false, 1
		}
		b.wellMade(t, s)
		if s.userKeys != 1+overlapping || s.consumers-s.unlinked != 1 {
			t.Fatalf("something is there twice: %+v", s)
		}
	})
	t.Logf("%d cases, connections ended %v; %d times somebody else had the lease, or it was lost", cases, seen, lost)
}

// insist applies until there is nothing to do but for a person, as a CI job
// that is started again and again.
func (b *bed) insist(as twin) []apply.Result {
	var out []apply.Result
	for try := range 6 {
		var scope fleet.Scope
		if try == 0 {
			scope.Rotate = as.rotate
		}
		run, err := b.start(b.t.Context(), scope, func() time.Time { return time.Now().Add(as.ahead) })
		if err != nil {
			continue
		}
		planned, result, err := applyRun(b.t.Context(), run, as.lease)
		run.Close()
		out = append(out, result)
		if err == nil && (inSync(planned) || result.Connections[0].Status == apply.Waiting) {
			break
		}
		time.Sleep(700 * time.Millisecond)
	}
	return out
}
