package laws_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/sandbox/front"
)

// A rival writes the record between bbsync's reading and writing it.
type rival struct {
	name  string
	takes bool // the lease, too: then the rest is the rival's to do
}

// An attempt is an act that nobody disturbed.
type attempt struct {
	run
	begun map[string]map[string]any // the records that it made, as it began them, by path
}

// TestEachWriteLosesItsRace: somebody else writes the record just before each
// write of it, once as a person who touches it, once as another bbsync that takes
// the lease. bbsync goes on from what is there, or does nothing more; run again,
// the act ends where it would have.
func TestEachWriteLosesItsRace(t *testing.T) {
	t.Parallel()
	b, states := crashBed(t)
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) { b.loseEachRace(t, a, states) })
	}
}

// TestEachWriteInTransitLosesItsRace is the same for what moves and goes, where
// an act writes more than one record.
func TestEachWriteInTransitLosesItsRace(t *testing.T) {
	t.Parallel()
	b, states := transitBed(t)
	first := states["one"].records[b.fleet.Connections[0].Record]["ssh_current_fingerprint"]
	for _, a := range transits(first) {
		t.Run(a.name, func(t *testing.T) { b.loseEachRace(t, a, states) })
	}
}

func (b *bed) loseEachRace(t *testing.T, a act, states map[string]snapshot) {
	b.prepare(t, a, states)
	whole := attempt{run: b.exec(t, moment{}, a.args...), begun: b.begun(t, states[a.state])}
	if !a.removes() {
		b.converge(t, nil)
	}
	want, cases := a.shape(t, b), 0
	for nth := range recordWrites(whole.asked) {
		for i, r := range []rival{{name: "a person"}, {name: "another bbsync", takes: true}} {
			if !*every && (nth+i)%2 != 0 {
				continue // every write in one way
			}
			cases++
			got, ended := b.race(t, a, states, r, nth+1, whole)
			if !ended {
				continue
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(shape{}, connectionShape{})); diff != "" {
				t.Errorf("%s was faster at write %d of a record, and it ends elsewhere (-want +got):\n%s", r.name, nth+1, diff)
			} else if a.end != nil {
				a.end(t, b, got)
			}
		}
	}
	t.Logf("%d races lost", cases)
}

// recordWrites returns where among the requests a record is written.
func recordWrites(asked []request) []int {
	var out []int
	for i, r := range asked {
		if r.system == "vault" && r.method == http.MethodPut && recordAt(r.path) != "" {
			out = append(out, i)
		}
	}
	return out
}

// recordAt is the record that a request to Vault reads or writes, "" for none.
func recordAt(path string) string {
	_, record, _ := strings.Cut(path, "/data/"+folder)
	return record
}

// begun are the records that an act made, as it began them, by path.
func (b *bed) begun(t rapid.TB, before snapshot) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for path := range b.records(t) {
		if before.records[path] == nil {
			have, err := b.vault.Root.KVv2(mount).GetVersion(b.t.Context(), folder+path, 1)
			b.must(t, err)
			out[path] = have.Data
		}
	}
	return out
}

// race does the act with a rival before the nth write of a record, and returns
// where running again ends.
func (b *bed) race(t rapid.TB, a act, states map[string]snapshot, r rival, nth int, whole attempt) (shape, bool) {
	t.Helper()
	b.prepare(t, a, states)
	g := b.guardOf(t, a)
	g.begin(t)
	change, args := map[string]any{}, a.args
	if r.takes {
		change = map[string]any{
			"lease_nonce": "rival", "lease_holder": "rival", "lease_expires": time.Now().Add(record.MaxLease / 2).UTC().Format(time.RFC3339Nano),
		}
		args = append(slices.Clone(args), "--wait-lease=0s") // the rival does not end by itself
	}
	order := front.Fault{
		Kind: front.Call, Method: http.MethodPut, Path: "data/" + folder, Nth: nth,
		Before: func(r *http.Request) { path := recordAt(r.URL.Path); b.outrun(path, whole.begun[path], change) },
	}
	b.must(t, b.fronts["vault"].Order(order))
	cut := b.exec(t, moment{}, args...)
	g.end(t)
	if r.takes {
		b.fenced(t, nth, cut, whole.run)
	}
	b.expire(t)
	if (a.args[0] != "apply" || a.again) && cut.code != 0 {
		again := b.exec(t, moment{}, a.args...)
		if !a.done(again) {
			t.Errorf("%s was faster at write %d of a record, and running again ends with %d:\n%s", r.name, nth, again.code, again.output)
			return shape{}, false
		}
	}
	if !a.removes() {
		b.converge(t, g)
	}
	return a.shape(t, b), true
}

// outrun writes a record before bbsync does: as it is, or as it begins, with
// these fields changed.
func (b *bed) outrun(path string, begun, change map[string]any) {
	kv, next := b.vault.Root.KVv2(mount), b.record(path)
	if next == nil {
		next = maps.Clone(begun)
		maps.DeleteFunc(next, func(field string, _ any) bool { return strings.HasPrefix(field, "lease_") })
		_, _ = kv.Put(context.Background(), folder+path, next)
	}
	maps.Copy(next, change)
	_, _ = kv.Put(context.Background(), folder+path, next)
}

// fenced fails unless who lost the lease left the record, and what is not its
// own any more, alone. One that was about to give it back had come to its end:
// what follows it has a lease of its own.
func (b *bed) fenced(t rapid.TB, nth int, r, whole run) {
	t.Helper()
	writes := recordWrites(r.asked)
	since := writes[nth-1]
	if holder := b.record(recordAt(r.asked[since].path))["lease_nonce"]; holder != "rival" {
		t.Errorf("the lease was lost at write %d of a record, and the record was written all the same (%v):\n%s", nth, holder, r.output)
	}
	if lastWrite(whole.asked, nth) {
		return
	}
	for _, later := range r.asked[since+1:] {
		if later.system != "vault" && later.writes() {
			t.Errorf("the lease was lost at write %d of a record, and then bbsync asked for %s:\n%s", nth, later, r.output)
		}
	}
}

// lastWrite reports whether the nth write of a record is the last one of that
// record, by which it gives the lease back.
func lastWrite(asked []request, nth int) bool {
	writes := recordWrites(asked)
	for _, later := range writes[nth:] {
		if asked[later].path == asked[writes[nth-1]].path {
			return false
		}
	}
	return true
}
