package laws_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/front"
)

// TestNoDeletionByOmission: what the files do not mention stays as it is, and so
// does all of a fleet of which a part cannot be read, even with --prune.
func TestNoDeletionByOmission(t *testing.T) {
	t.Parallel()
	b := newBed(t, kind{orgs: 2})
	states := b.states(t)
	want := b.shape(t)
	cases := 0
	for _, orgs := range []int{2, 1, 0} {
		for _, away := range []string{"", "vault", "terraform", "bitbucket", "one organization", "one record", "the links"} {
			for _, verb := range []string{"apply --auto-approve", "apply --auto-approve --prune --allow-unlink=2", "apply --auto-approve --prune --allow-unlink=1"} {
				prunes := strings.Contains(verb, "--prune")
				if prunes && away == "" && orgs < 2 {
					continue // that removes, as it should
				}
				cases++
				b.restore(t, states["connected"])
				b.asksFor(orgs)
				removed := b.removals(t)
				b.away(t, away)
				got := b.exec(t, moment{}, strings.Fields(verb)...)
				if deleted := removed(); len(deleted) > 0 {
					t.Errorf("%d of 2 organizations in the files, away: %q, %s: it asked for %v\n%s", orgs, away, verb, deleted, got.output)
				}
				if diff := cmp.Diff(want, b.shape(t), cmp.AllowUnexported(shape{}, connectionShape{})); diff != "" {
					t.Errorf("%d of 2 organizations in the files, away: %q, %s: (-want +got)\n%s%s", orgs, away, verb, diff, got.output)
				}
			}
		}
	}
	b.asksFor(2)
	t.Logf("%d cases: files emptied, narrowed and whole, with each system or a part of it away", cases)
}

// removals notes the requests that delete something.
func (b *bed) removals(t *testing.T) func() []string {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	for system, f := range b.fronts {
		b.must(t, f.Order(front.Fault{Kind: front.Call, Method: http.MethodDelete, Times: -1, Before: func(r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, system+" "+r.URL.Path)
		}}))
	}
	return func() []string { mu.Lock(); defer mu.Unlock(); return asked }
}

// away makes a system, or a part of one, answer nothing that helps. exec lifts
// all faults at its end.
func (b *bed) away(t *testing.T, what string) {
	t.Helper()
	system, path := what, ""
	switch what {
	case "":
		return
	case "one organization":
		system, path = "terraform", sandbox.OrgName(2)+"/oauth-clients"
	case "one record":
		system, path = "vault", "data/bbsync/.*/"+sandbox.OrgName(2)
	case "the links":
		system, path = "bitbucket", "applinks"
	}
	b.must(t, b.fronts[system].Order(front.Fault{Kind: front.Status, Status: http.StatusForbidden, Body: "{}", Path: path, Times: -1}))
}
