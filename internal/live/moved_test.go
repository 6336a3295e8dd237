package live_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/bench"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/schema"
)

// TestAMovedRepositoryConcernsItsOwnConnections moves a repository that one of two
// connections uses: the other is in sync, and this one learns where it is now. Before
// 5.4 the hooks of the repositories are read as well.
func TestAMovedRepositoryConcernsItsOwnConnections(t *testing.T) {
	for _, version := range []string{"5.3.1", "9.4.0"} {
		s := newSteady(t, sandbox.Options{Bitbuckets: []string{version}}, bench.Shape{Organizations: 2})
		c := s.fleet.Connections[0]
		c.Grants = slices.DeleteFunc(slices.Clone(c.Grants), func(g schema.Grant) bool { return g.Repository == "dns" })
		server := s.world.Bitbuckets[0]
		if err := server.AddProject("CORE", "Core"); err != nil {
			t.Fatal(err)
		}
		if err := server.MoveRepo("INFRA", "dns", "CORE", "names"); err != nil {
			t.Fatal(err)
		}
		for _, status := range []int{301, 409, 500} {
			t.Run(fmt.Sprint(version, status), func(t *testing.T) {
				if err := server.Configure(func(s *bitbucketd.Settings) { s.MovedStatus = status }); err != nil {
					t.Fatal(err)
				}
				p, _ := s.plan(t, s.fleet.Connections)
				for _, b := range p.Bitbuckets {
					for _, block := range b.Blocks {
						if block.Kind == plan.Unreadable {
							t.Errorf("the whole of Bitbucket: %s", block.Text)
						}
					}
				}
				if blocks := p.Connections[0].Blocks; len(blocks) > 0 {
					t.Errorf("the connection that does not use it: %s", blocks[0].Text)
				}
				if blocks := p.Connections[1].Blocks; len(blocks) != 1 || !strings.Contains(blocks[0].Text, "it is now CORE/names") {
					t.Errorf("the connection that uses it: %+v", blocks)
				}
			})
		}
	}
}
