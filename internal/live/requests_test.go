package live_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/bench"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/schema"
)

// A steady is a fleet in sync, in a sandbox.
type steady struct {
	world *sandbox.World
	fleet *schema.Fleet
	own   string // the value of OWN_TOKEN

	everyToken bool // read when the tokens of single organizations end
	quick      bool
}

func newSteady(t *testing.T, opts sandbox.Options, shape bench.Shape) *steady {
	t.Helper()
	world, configuration, err := bench.Start(t.Context(), t.TempDir(), opts, shape)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	return &steady{world: world, fleet: configuration}
}

// plan reads and compares, as the verb plan does, and returns the requests that
// each server counted, by route.
func (s *steady) plan(t *testing.T, connections []*schema.Connection) (plan.Plan, map[string]map[string]int) {
	t.Helper()
	for _, f := range s.world.Fronts {
		f.ResetCounts()
	}
	p, err := s.read(t.Context(), connections)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]map[string]int{}
	for name, f := range s.world.Fronts {
		system, _, _ := strings.Cut(name, "-")
		if counts[system] == nil {
			counts[system] = map[string]int{}
		}
		for route, n := range f.Counts().Routes {
			counts[system][strings.TrimPrefix(name+" ", system+" ")+route] += n
		}
	}
	return p, counts
}

func (s *steady) read(ctx context.Context, connections []*schema.Connection) (plan.Plan, error) {
	scope := fleet.Scope{EveryToken: s.everyToken, Quick: s.quick}
	for _, c := range connections {
		scope.Targets = append(scope.Targets, c.Address)
	}
	run, err := fleet.New(s.fleet, scope, fleet.Env{Systems: systems.Env{Getenv: s.getenv}})
	if err != nil {
		return plan.Plan{}, err
	}
	if err := run.Open(ctx); err != nil {
		return plan.Plan{}, err
	}
	defer run.Close()
	return run.Plan(ctx)
}

func (s *steady) getenv(name string) string {
	switch name {
	case "VAULT_TOKEN":
		return s.world.Facts.Vault.Token
	case "OWN_TOKEN":
		return s.own
	}
	return ""
}

// inSync insists that the plan is empty, so that what was counted is a reading
// of everything.
func inSync(t *testing.T, p plan.Plan, connections int) {
	t.Helper()
	if s := p.Summary(); s.States[plan.StateInSync] != connections || s.Steps != 0 {
		t.Fatalf("not in sync: %+v; %v", s, explain(p))
	}
}

func explain(p plan.Plan) error {
	for _, c := range p.Connections {
		for _, b := range c.Blocks {
			return fmt.Errorf("%s: %s", c.Address, b.Text)
		}
		for _, change := range c.Changes {
			return fmt.Errorf("%s: %s %v", c.Address, change.Step, change.Because)
		}
	}
	for _, b := range p.Bitbuckets {
		for _, change := range b.Changes {
			return errors.New(change.Step.String())
		}
	}
	return nil
}

func total(routes map[string]int) (n int) {
	for _, count := range routes {
		n += count
	}
	return n
}

// TestRequestsOfASteadyPlan holds what a plan of N connections costs where
// nothing changed, with one Bitbucket and one token. It is what the README and
// docs/performance.md say, to the request; at most it may be N+10 to Terraform,
// N+10 to Vault, and N+20 to Bitbucket beside the pages of its lists.
func TestRequestsOfASteadyPlan(t *testing.T) {
	for _, n := range []int{12, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newSteady(t, sandbox.Options{Bitbuckets: []string{"9.4.0"}}, bench.Shape{Organizations: n})
			p, counts := s.plan(t, s.fleet.Connections)
			inSync(t, p, n)
			show(t, counts)
			holds(t, counts, map[string]int{"terraform": n + 3, "vault": n + 5, "bitbucket": n + 7})
			narrower(t, s)
		})
	}
}

func holds(t *testing.T, counts map[string]map[string]int, want map[string]int) {
	t.Helper()
	for system, n := range want {
		if have := total(counts[system]); have != n {
			t.Errorf("%s: %d requests, want %d, as the README and docs/performance.md have it", system, have, n)
		}
	}
}

// A quick plan takes consumers from the list of links: its requests to Bitbucket do not
// grow with the fleet. It reads those whose key is not the record's.
func TestRequestsOfAQuickPlan(t *testing.T) {
	for _, n := range []int{12, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newSteady(t, sandbox.Options{Bitbuckets: []string{"9.4.0"}}, bench.Shape{Organizations: n})
			s.quick = true
			p, counts := s.plan(t, s.fleet.Connections)
			inSync(t, p, n)
			holds(t, counts, map[string]int{"terraform": n + 3, "vault": n + 5, "bitbucket": 7})
		})
	}
	s := newSteady(t, sandbox.Options{Bitbuckets: []string{"9.4.0"}}, bench.Shape{Organizations: 3})
	replaceConsumers(t, s)
	for quick, want := range map[bool]int{true: 1, false: 2} {
		s.quick = quick
		p, counts := s.plan(t, s.fleet.Connections)
		if have := 3 - p.Summary().States[plan.StateInSync]; have != want {
			t.Errorf("quick %t: %d connections are not in sync, want %d", quick, have, want)
		}
		if quick {
			holds(t, counts, map[string]int{"bitbucket": 7 + 1})
		}
	}
	s = newSteady(t, sandbox.Options{Bitbuckets: []string{"9.4.0"}, Bitbucket: bitbucketd.Options{NoLinkProperties: true}}, bench.Shape{Organizations: 3})
	s.quick = true
	_, counts := s.plan(t, s.fleet.Connections)
	holds(t, counts, map[string]int{"bitbucket": 7 + 3})
}

// replaceConsumers gives one link another consumer key, and another link's consumer
// another public key.
func replaceConsumers(t *testing.T, s *steady) {
	t.Helper()
	pair, err := keys.GenerateConsumer(keys.MinRSABits)
	if err != nil {
		t.Fatal(err)
	}
	var links []*bitbucketd.Link
	server := s.world.Bitbuckets[0]
	server.Inspect(func(st *bitbucketd.State) { links = st.Links })
	for i, key := range []string{"another", links[1].Consumer} {
		if err := server.SetConsumer(links[i].ID, bitbucketd.Consumer{Key: key, Name: "n", PublicKey: pair.Public}); err != nil {
			t.Fatal(err)
		}
	}
}

// narrower holds that a plan of one connection reads that one.
func narrower(t *testing.T, s *steady) {
	t.Helper()
	p, counts := s.plan(t, s.fleet.Connections[:1])
	inSync(t, p, 1)
	show(t, counts)
	holds(t, counts, map[string]int{"terraform": 1 + 3, "vault": 1 + 5, "bitbucket": 1 + 7})
}

// TestNothingIsReadTwice counts a fleet over two Bitbuckets, in which every
// organization has two connections and some share another token: each
// organization's clients, each Bitbucket's links, user, keys and permissions,
// each consumer and each record are read once, however many ask for them.
func TestNothingIsReadTwice(t *testing.T) {
	const orgs, own = 30, 4
	s := newSteady(t, sandbox.Options{Bitbuckets: []string{"9.4.0", "8.19.0"}}, bench.Shape{Organizations: orgs, PerBitbucket: true, OwnTokens: own})
	s.own = s.world.Facts.Terraform.Token
	p, counts := s.plan(t, s.fleet.Connections)
	inSync(t, p, 2*orgs)
	show(t, counts)
	if have, most := total(counts["terraform"]), orgs+4; have > most {
		t.Errorf("terraform: %d requests for %d organizations, want at most %d", have, orgs, most)
	}
	s.everyToken = true // which drift asks about: two requests more for the one that is not the block's
	if _, counts := s.plan(t, s.fleet.Connections); total(counts["terraform"]) > orgs+6 {
		t.Errorf("terraform, every token: %d requests for %d organizations", total(counts["terraform"]), orgs)
	}
	if have, most := total(counts["vault"]), 2*orgs+10; have > most {
		t.Errorf("vault: %d requests for %d connections, want at most %d", have, 2*orgs, most)
	}
	for route, have := range counts["bitbucket"] {
		most := 1
		if strings.HasSuffix(route, "/users") {
			most = 2 // who the service user is, and whether it holds the permissions
		}
		if strings.HasSuffix(route, "/authentication/consumer") {
			most = orgs
		}
		if have > most {
			t.Errorf("bitbucket: %d × %s, want at most %d", have, route, most)
		}
	}
}

func show(t *testing.T, counts map[string]map[string]int) {
	t.Helper()
	for _, system := range slices.Sorted(maps.Keys(counts)) {
		if total(counts[system]) == 0 {
			continue
		}
		t.Logf("%s: %d", system, total(counts[system]))
		for _, route := range slices.Sorted(maps.Keys(counts[system])) {
			t.Logf("  %5d %s", counts[system][route], route)
		}
	}
}
