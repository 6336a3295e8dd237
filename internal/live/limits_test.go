package live_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/bench"
	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/front"
)

// figures reads the fleet and returns what each credential's limiter did.
func (s *steady) figures(t *testing.T) map[string]limit.Figures {
	t.Helper()
	sys := systems.New(s.fleet, systems.Env{Getenv: s.getenv})
	if err := sys.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer sys.Close()
	if _, err := live.Read(t.Context(), sys, s.fleet.Connections, live.Options{}); err != nil {
		t.Fatal(err)
	}
	return sys.Figures()
}

// TestLimitersStayBelowTheServersLimit runs a plan against servers that allow
// 30 requests a second: Terraform says so in its headers, Bitbucket says
// nothing and has it in the files. Neither ever has to refuse. How close to the
// limit a Limiter runs is held in its own package, in fake time.
func TestLimitersStayBelowTheServersLimit(t *testing.T) {
	s := newSteady(t, sandbox.Options{Bitbuckets: []string{"9.4.0"}, RateLimit: 30}, bench.Shape{Organizations: 45, RateLimit: "30"})
	for name, f := range s.figures(t) {
		if f.Throttled > 0 {
			t.Errorf("%s: refused %d times of %d", name, f.Throttled, f.Requests)
		}
		if f.Rate.PerSecond != 30 || f.Guessed {
			t.Errorf("%s: thinks that the server allows %v/s (guessed: %v), want 30", name, f.Rate.PerSecond, f.Guessed)
		}
	}
}

// TestRefusalsAreWaitedOut has a Bitbucket that refuses what exceeds its limit
// and announces nothing: everything is read in the end all the same.
func TestRefusalsAreWaitedOut(t *testing.T) {
	s := newSteady(t, sandbox.Options{Bitbuckets: []string{"9.4.0"}, RateLimit: 30}, bench.Shape{Organizations: 40})
	p, _ := s.plan(t, s.fleet.Connections)
	inSync(t, p, 40)
}

// TestOneLimiterPerCredential has two Bitbuckets, organizations with a token of
// their own, and a second terraform block with the first one's token: requests
// with one credential are counted together, each other credential by itself.
func TestOneLimiterPerCredential(t *testing.T) {
	const orgs, own = 12, 4
	shape := bench.Shape{Organizations: orgs, PerBitbucket: true, OwnTokens: own, TwoBlocks: true}
	s := newSteady(t, sandbox.Options{Bitbuckets: []string{"9.4.0", "8.19.0"}}, shape)
	s.own = s.world.Facts.Terraform.Token
	p, _ := s.plan(t, s.fleet.Connections)
	inSync(t, p, 2*orgs)
	have := map[string]int64{}
	for name, f := range s.figures(t) {
		kind, _, _ := strings.Cut(name[strings.LastIndexByte(name, ' ')+1:], ":")
		have[kind] += f.Requests
		if f.Throttled > 0 {
			t.Errorf("%s: %d refusals from servers without limits", name, f.Throttled)
		}
	}
	// Two blocks ping, and read the organizations of the second Bitbucket again.
	want := map[string]int64{"vault": 2 + 2*(orgs-own), "env": 2 + 2*own}
	for kind, n := range want {
		if have[kind] != n {
			t.Errorf("token from %s: %d requests through its limiter, want %d", kind, have[kind], n)
		}
	}
	if len(s.figures(t)) != 4 {
		t.Errorf("%d limiters, want 4: two tokens, two Bitbuckets", len(s.figures(t)))
	}
}

// TestCancelledReadLeavesNothing: a reading that is cancelled comes back when
// nothing of it runs any more.
func TestCancelledReadLeavesNothing(t *testing.T) {
	s := newSteady(t, sandbox.Options{Bitbuckets: []string{"9.4.0"}}, bench.Shape{Organizations: 2})
	ctx, cancel := context.WithCancel(t.Context())
	fault := front.Fault{Kind: front.Call, Path: `/admin$`, Times: 9, Before: func(r *http.Request) {
		cancel()
		<-r.Context().Done()
	}}
	for name, f := range s.world.Fronts {
		if strings.HasPrefix(name, "bitbucket") {
			if err := f.Order(fault); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := s.read(ctx, s.fleet.Connections); !errors.Is(err, context.Canceled) {
		t.Fatalf("the reading was not cancelled: %v", err)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if bytes.Contains(stacks, []byte("live.(*sharedBitbucket)")) {
		t.Errorf("it still reads:\n%s", stacks)
	}
}
