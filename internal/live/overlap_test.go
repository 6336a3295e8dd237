package live_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/bbsync/bbsync/internal/bench"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/front"
)

// TestReadsOverlap has every server keep back what is asked of it for each
// connection until all of it was asked: had one request to wait for another's
// answer, none would ever be answered.
func TestReadsOverlap(t *testing.T) {
	const orgs = 5
	s := newSteady(t, sandbox.Options{Bitbuckets: []string{"9.4.0"}}, bench.Shape{Organizations: orgs})
	var asked sync.WaitGroup
	all := make(chan struct{})
	for system, path := range map[string]string{
		"terraform": `/oauth-clients$`, "bitbucket": `/authentication/consumer$`, "vault": `/data/bbsync/`,
	} {
		asked.Add(orgs)
		fault := front.Fault{Kind: front.Call, Path: path, Times: orgs, Before: func(r *http.Request) {
			asked.Done()
			select {
			case <-all:
			case <-r.Context().Done(): // the client gave up
			}
		}}
		for name, f := range s.world.Fronts {
			if !strings.HasPrefix(name, system) {
				continue
			}
			if err := f.Order(fault); err != nil {
				t.Fatal(err)
			}
		}
	}
	go func() {
		asked.Wait()
		close(all)
	}()
	p, _ := s.plan(t, s.fleet.Connections)
	inSync(t, p, orgs)
	select {
	case <-all:
	default:
		t.Error("not all of the requests came to where they are kept back")
	}
}
