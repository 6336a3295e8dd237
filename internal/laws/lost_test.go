package laws_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/sandbox/front"
)

// A rival writes the record between bbsync's reading and writing it.
type rival struct {
	name  string
	takes bool // the lease, too: then the rest is the rival's to do
}

// TestEachWriteLosesItsRace: somebody else writes the record just before each
// write of it, once as a person who touches it, once as another bbsync that takes
// the lease. bbsync goes on from what is there, or does nothing more; run again,
// the act ends where it would have.
func TestEachWriteLosesItsRace(t *testing.T) {
	t.Parallel()
	b, states := crashBed(t)
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			b.prepare(t, a, states)
			whole := b.exec(t, moment{}, a.args...)
			seed := b.firstVersion(t)
			if !a.removes() {
				b.converge(t, nil)
			}
			want, cases := b.shape(t), 0
			for nth := range recordWrites(whole.asked) {
				for i, r := range []rival{{name: "a person"}, {name: "another bbsync", takes: true}} {
					if !*every && (nth+i)%2 != 0 {
						continue // every write in one way
					}
					cases++
					got, ended := b.race(t, a, states, r, nth+1, seed)
					if diff := cmp.Diff(want, got, cmp.AllowUnexported(shape{}, connectionShape{})); ended && diff != "" {
						t.Errorf("%s was faster at write %d of the record, and it ends elsewhere (-want +got):\n%s", r.name, nth+1, diff)
					}
				}
			}
			t.Logf("%d races lost", cases)
		})
	}
}

// recordWrites returns where among the requests the record is written.
func recordWrites(asked []request) []int {
	var out []int
	for i, r := range asked {
		if r.system == "vault" && r.method == http.MethodPut && strings.Contains(r.path, "data/"+folder) {
			out = append(out, i)
		}
	}
	return out
}

// firstVersion is the record of the bed's one connection as bbsync begins it.
func (b *bed) firstVersion(t rapid.TB) map[string]any {
	t.Helper()
	have, err := b.vault.Root.KVv2(mount).GetVersion(b.t.Context(), folder+b.fleet.Connections[0].Record, 1)
	b.must(t, err)
	return have.Data
}

// race does the act with a rival before the nth write of the record, and returns
// where running again ends.
func (b *bed) race(t rapid.TB, a act, states map[string]snapshot, r rival, nth int, seed map[string]any) (shape, bool) {
	t.Helper()
	b.prepare(t, a, states)
	g := b.guard(t)
	g.mayEnd = a.removes()
	g.begin(t)
	change := map[string]any{}
	if r.takes {
		change = map[string]any{
			"lease_nonce": "rival", "lease_holder": "rival", "lease_expires": time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano),
		}
	}
	order := front.Fault{Kind: front.Call, Method: http.MethodPut, Path: "data/" + folder, Nth: nth, Before: func(*http.Request) { b.outrun(seed, change) }}
	b.must(t, b.fronts["vault"].Order(order))
	cut := b.exec(t, moment{}, a.args...)
	g.end(t)
	if r.takes {
		b.fenced(t, fmt.Sprintf("write %d of the record", nth), cut, recordWrites(cut.asked)[nth-1])
	}
	b.expire(t)
	if a.args[0] != "apply" && cut.code != 0 {
		again := b.exec(t, moment{}, a.args...)
		if again.code != 0 && again.code != 4 {
			t.Errorf("%s was faster at write %d of the record, and running again ends with %d:\n%s", r.name, nth, again.code, again.output)
			return shape{}, false
		}
	}
	if !a.removes() {
		b.converge(t, g)
	}
	return b.shape(t), true
}

// outrun writes the record before bbsync does: as it is, or as it begins, with
// these fields changed.
func (b *bed) outrun(seed, change map[string]any) {
	path := b.fleet.Connections[0].Record
	if b.record(path) == nil {
		begun := map[string]any{}
		for field, value := range seed {
			if !strings.HasPrefix(field, "lease_") {
				begun[field] = value
			}
		}
		_, _ = b.vault.Root.KVv2(mount).Put(context.Background(), folder+path, begun)
	}
	b.rewrite(change)
}

// fenced fails unless who lost the lease left the record, and what is not its
// own any more, alone.
func (b *bed) fenced(t rapid.TB, where string, r run, since int) {
	t.Helper()
	if holder := b.records(t)[b.fleet.Connections[0].Record]["lease_nonce"]; holder != "rival" {
		t.Errorf("the lease was lost at %s, and the record was written all the same (%v):\n%s", where, holder, r.output)
	}
	for _, later := range r.asked[since+1:] {
		if later.system != "vault" && later.writes() {
			t.Errorf("the lease was lost at %s, and then bbsync asked for %s:\n%s", where, later, r.output)
		}
	}
}
