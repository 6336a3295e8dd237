package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/tfe"
)

// terraform fetches workspaces as a test says.
type terraform struct {
	fetches map[string]fetch // by workspace; none: at once
	refuses map[string]error // writes, by workspace and token
	token   map[string]string
	moved   map[string]time.Time // to the new token
	wrote   []string
}

// A fetch is how one goes after a move.
type fetch struct {
	begins time.Duration // later; negative: never
	takes  time.Duration // from its beginning
	ends   string        // status; "": uploaded
	was    string        // status of the version before the move; "": uploaded
}

func (f *terraform) MoveWorkspace(ctx context.Context, id, token string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.refuses[id+" "+token]; err != nil {
		return err
	}
	f.wrote = append(f.wrote, id+" "+token)
	f.token[id] = token
	if token == "ot-new" {
		f.moved[id] = time.Now()
	}
	return nil
}

func (f *terraform) NewestVersion(ctx context.Context, id string) (tfe.ConfigurationVersion, error) {
	if err := ctx.Err(); err != nil {
		return tfe.ConfigurationVersion{}, err
	}
	at, moved := f.moved[id]
	how, since := f.fetches[id], time.Since(at)
	before := tfe.ConfigurationVersion{ID: "cv-before-" + id, Status: cmp.Or(how.was, "uploaded")}
	switch {
	case !moved || how.begins < 0 || since < how.begins:
		return before, nil
	case since < how.begins+how.takes:
		return tfe.ConfigurationVersion{ID: "cv-" + id, Status: "fetching"}, nil
	case how.ends != "":
		return tfe.ConfigurationVersion{ID: "cv-" + id, Status: how.ends, Error: "no such host"}, nil
	}
	return tfe.ConfigurationVersion{ID: "cv-" + id, Status: "uploaded"}, nil
}

func newTerraform() *terraform {
	return &terraform{
		fetches: map[string]fetch{}, refuses: map[string]error{},
		token: map[string]string{"a": "ot-old", "b": "ot-old", "c": "ot-old"}, moved: map[string]time.Time{},
	}
}

func three() []tfe.Workspace {
	var all []tfe.Workspace
	for _, id := range []string{"a", "b", "c"} {
		all = append(all, tfe.Workspace{ID: id, Name: "space-" + id, Identifier: "INFRA/" + id, TokenID: "ot-old"})
	}
	return all
}

var errLeaseLost = errors.New("lease lost")

// TestWave carries waves out by a clock of the test's own: what each workspace
// uses in the end, and what is told.
func TestWave(t *testing.T) {
	const old, new, again = "ot-old", "ot-new", "the workspaces of this wave use the old OAuth client again"
	for name, c := range map[string]struct {
		prepare      func(*terraform)
		abort        time.Duration // after the beginning; 0: never
		lost         bool          // the lease, when the wave fails
		want         [3]string     // token of each
		says         []string      // the error; nil: none
		silent, slow string
		open         bool // what was noted of the wave is still true
	}{
		"all are fetched": {want: [3]string{new, new, new}},
		"a fetch fails after its move": {
			prepare: func(f *terraform) { f.fetches["b"] = fetch{begins: time.Second, takes: time.Second, ends: "errored"} },
			want:    [3]string{old, old, old}, says: []string{"space-b", "could not fetch INFRA/b with the new OAuth client: no such host", again},
		},
		"the fetch before the move had failed": {
			prepare: func(f *terraform) { f.fetches["b"] = fetch{begins: time.Second, was: "errored"} },
			want:    [3]string{new, new, new},
		},
		"a fetch never begins": {
			prepare: func(f *terraform) { f.fetches["a"] = fetch{begins: -1} },
			want:    [3]string{new, new, new}, silent: "space-a",
		},
		"a fetch takes longer than the wait": {
			prepare: func(f *terraform) { f.fetches["a"] = fetch{takes: time.Hour} },
			want:    [3]string{new, new, new}, slow: "space-a",
		},
		"one takes too long, and another failed meanwhile": {
			prepare: func(f *terraform) {
				f.fetches["a"], f.fetches["c"] = fetch{takes: time.Hour}, fetch{takes: time.Minute, ends: "errored"}
			},
			want: [3]string{old, old, old}, says: []string{"could not fetch INFRA/c", again},
		},
		"one takes too long, and another never began": {
			prepare: func(f *terraform) { f.fetches["a"], f.fetches["b"] = fetch{takes: time.Hour}, fetch{begins: -1} },
			want:    [3]string{new, new, new}, slow: "space-a", silent: "space-b",
		},
		"one cannot be moved": {
			prepare: func(f *terraform) { f.refuses["b "+new] = errors.New("not allowed") },
			want:    [3]string{old, old, old}, says: []string{"workspace space-b on INFRA/b: not allowed", again},
		},
		"one cannot be moved back": {
			prepare: func(f *terraform) {
				f.fetches["c"] = fetch{ends: "errored"}
				f.refuses["a "+old] = errors.New("gone")
			},
			want: [3]string{new, old, old}, says: []string{"could not fetch INFRA/c", "it could not be moved back: workspace space-a: gone", "the others of this wave"},
			open: true,
		},
		"aborted at once": {
			prepare: func(f *terraform) { f.fetches["a"] = fetch{takes: time.Hour} }, abort: time.Second,
			want: [3]string{old, old, old}, says: []string{context.Canceled.Error(), again},
		},
		"aborted while a fetch does not begin": {
			prepare: func(f *terraform) { f.fetches["a"] = fetch{begins: -1} }, abort: 9*time.Second + 700*time.Millisecond,
			want: [3]string{old, old, old}, says: []string{context.Canceled.Error(), again},
		},
		"aborted long after the fetch began": {
			prepare: func(f *terraform) { f.fetches["b"] = fetch{takes: time.Hour} }, abort: time.Minute,
			want: [3]string{old, old, old}, says: []string{context.Canceled.Error(), again},
		},
		"somebody else has the lease": {
			prepare: func(f *terraform) { f.fetches["a"] = fetch{ends: "errored"} }, lost: true,
			want: [3]string{new, new, new}, says: []string{"could not fetch INFRA/a", "stay as they are"},
			open: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newTerraform()
				if c.prepare != nil {
					c.prepare(f)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.abort > 0 {
					time.AfterFunc(c.abort, cancel)
				}
				noted := ""
				w := wave{terraform: f, to: new, note: func(_ context.Context, some []movedWorkspace) error {
					noted = fmt.Sprint(len(f.wrote))
					for _, m := range some {
						noted += " " + m.ID + " " + m.version
					}
					return nil
				}, fenced: func() error {
					if c.lost {
						return errLeaseLost
					}
					return nil
				}}
				err := w.carry(ctx, three())
				if have := [3]string{f.token["a"], f.token["b"], f.token["c"]}; have != c.want {
					t.Errorf("they use %v, want %v (wrote %v)", have, c.want, f.wrote)
				}
				if (err == nil) != (c.says == nil) {
					t.Errorf("have %v", err)
				}
				for _, part := range c.says {
					if err != nil && !strings.Contains(err.Error(), part) {
						t.Errorf("have %v, want %s", err, part)
					}
				}
				if noted != "0 a cv-before-a b cv-before-b c cv-before-c" || w.open != c.open {
					t.Errorf("noted after this many writes: %s; still open: %t", noted, w.open)
				}
				if silent, slow := strings.Join(w.silent, " "), strings.Join(w.slow, " "); err == nil && (silent != c.silent || slow != c.slow) {
					t.Errorf("not begun: %q, not ended: %q", silent, slow)
				}
			})
		})
	}
}

// TestNothingMovesUnnoted: a wave that cannot be noted does not begin.
func TestNothingMovesUnnoted(t *testing.T) {
	f, full := newTerraform(), errors.New("vault is sealed")
	w := wave{terraform: f, to: "ot-new", note: func(context.Context, []movedWorkspace) error { return full }}
	if err := w.carry(t.Context(), three()); !errors.Is(err, full) || len(f.wrote) > 0 {
		t.Errorf("have %v, and wrote %v", err, f.wrote)
	}
}

// TestStillMoved: of what was noted, that is looked at which uses the other token,
// and it goes back to the one that it had.
func TestStillMoved(t *testing.T) {
	noted := &record.Moving{From: "ot-old", To: "ot-new", Workspaces: []record.MovingWorkspace{
		{ID: "a", Name: "was-a", Version: "cv-1"}, {ID: "b", Name: "b", Version: "cv-2"}, {ID: "c", Name: "c"},
	}}
	using := []tfe.Workspace{
		{ID: "c", Name: "c", Identifier: "INFRA/c", TokenID: "ot-new"}, {ID: "d", TokenID: "ot-new"}, {ID: "a", Name: "space-a", Identifier: "INFRA/a", TokenID: "ot-new"},
	}
	want := []movedWorkspace{
		{Workspace: tfe.Workspace{ID: "a", Name: "space-a", Identifier: "INFRA/a", TokenID: "ot-old"}, version: "cv-1"},
		{Workspace: tfe.Workspace{ID: "c", Name: "c", Identifier: "INFRA/c", TokenID: "ot-old"}},
	}
	if have := stillMoved(noted, using); !slices.Equal(have, want) {
		t.Errorf("have %+v, want %+v", have, want)
	}
}

// TestWaveAbortedAtARequest: an abort that comes while Terraform is asked, and
// not between two looks, is one all the same, however late.
func TestWaveAbortedAtARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newTerraform()
		f.fetches["a"] = fetch{takes: time.Hour}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := wave{terraform: aborting{f, cancel}, to: "ot-new", note: func(context.Context, []movedWorkspace) error { return nil }, fenced: func() error { return nil }}
		if err := w.carry(ctx, three()); !errors.Is(err, context.Canceled) || f.token["a"] != "ot-old" || len(w.silent)+len(w.slow) > 0 {
			t.Errorf("have %v, they use %v, unknown: %v %v", err, f.token, w.silent, w.slow)
		}
	})
}

// aborting aborts the run during the first look after beginTime.
type aborting struct {
	*terraform
	abort func()
}

func (f aborting) NewestVersion(ctx context.Context, id string) (tfe.ConfigurationVersion, error) {
	if at, moved := f.moved[id]; moved && time.Since(at) > beginTime {
		f.abort()
	}
	return f.terraform.NewestVersion(ctx, id)
}

// TestWaveTells: what is not known is a warning that names the workspaces, and no
// proof.
func TestWaveTells(t *testing.T) {
	var told []string
	r := &runner{executor: &executor{opts: Options{Progress: func(e Event) { told = append(told, fmt.Sprint(e.Kind, ": ", e.Text)) }}}}
	r.tell(plan.MoveWorkspaces{From: "oc-old"}, wave{moved: make([]movedWorkspace, 3), silent: []string{"space-a"}, slow: []string{"space-b"}})
	want := []string{
		"warning: Terraform did not begin within 10s to fetch the repositories of [space-a]: look at their newest configuration version",
		"warning: Terraform did not come within 2m0s to the end of fetching the repositories of [space-b]: look at their newest configuration version",
	}
	if !slices.Equal(told, want) || r.proof != "3 moved, of 1 Terraform fetched the repository" {
		t.Errorf("told %q, proof %q", told, r.proof)
	}
}
