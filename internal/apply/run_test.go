package apply

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
)

var (
	prove  = plan.ProveConsumer{}
	rename = plan.RenameLink{URL: linkURL, To: "acme"}
	absent = plan.ProveSSH{Role: plan.Previous} // fails: there is no such key
	asks   = plan.Authorize{Client: "Bitbucket", User: serviceUser, Again: true}
)

// planned plans steps for a connection of the world.
func planned(w *world, address string, steps ...plan.Step) plan.Connection {
	c := stepCase{}.connection(w, steps...)
	c.Address = address
	return c
}

func statuses(outcomes []Outcome) []string {
	var out []string
	for _, o := range outcomes {
		out = append(out, fmt.Sprintf("%s: %s %d+%d", o.Address, o.Status, len(o.Done), len(o.Left)))
	}
	return out
}

// TestRunOrder holds which connections begin: canaries first, no more after too many
// failures, and what follows another only when that succeeded.
func TestRunOrder(t *testing.T) {
	after := func(c plan.Connection, address string) plan.Connection { c.After = address; return c }
	blocked := func(c plan.Connection, kind plan.BlockKind) plan.Connection {
		c.Blocks = []plan.Block{{Kind: kind, Text: "it is forbidden"}}
		return c
	}
	for name, c := range map[string]struct {
		opts   Options
		plan   func(w *world) []plan.Connection
		want   []string
		halted string
		errs   []string // of the connections, in order
	}{
		"each ends by itself": {
			plan: func(w *world) []plan.Connection {
				return []plan.Connection{planned(w, "a", prove, absent, prove), planned(w, "b", prove), planned(w, "c"), planned(w, "d", asks, prove)}
			},
			want: []string{"a: failed 1+2", "b: applied 1+0", "c: unchanged 0+0", "d: waiting 0+2"},
			errs: []string{"a: bitbucket: prove the previous SSH key with whoami over SSH: previous SSH key: the record in Vault has no such key; plan again", "", "", ""},
		},
		"blocked": {
			plan: func(w *world) []plan.Connection {
				return []plan.Connection{blocked(planned(w, "a", prove), plan.Refused), blocked(planned(w, "b", prove), plan.Leased), blocked(planned(w, "c", prove), plan.Unreadable), blocked(planned(w, "d"), plan.Invalid)}
			},
			want: []string{"a: refused 0+1", "b: leased 0+1", "c: failed 0+1", "d: refused 0+0"},
			errs: []string{"it is forbidden", "it is forbidden", "it is forbidden", "it is forbidden"},
		},
		"canaries succeed": {
			opts: Options{Canary: 2},
			plan: func(w *world) []plan.Connection {
				return []plan.Connection{planned(w, "a"), planned(w, "b", prove), planned(w, "c", prove), planned(w, "d", absent), planned(w, "e", prove)}
			},
			want: []string{"a: unchanged 0+0", "b: applied 1+0", "c: applied 1+0", "d: failed 0+1", "e: applied 1+0"},
			errs: []string{"", "", "", "no such key", ""},
		},
		"a canary fails": {
			opts: Options{Canary: 2},
			plan: func(w *world) []plan.Connection {
				return []plan.Connection{blocked(planned(w, "z", prove), plan.Refused), planned(w, "a", prove), planned(w, "b", absent), planned(w, "c", prove)}
			},
			want: []string{"z: refused 0+1", "a: applied 1+0", "b: failed 0+1", "c: not run 0+1"}, halted: "b, which goes first, ended as: failed",
			errs: []string{"it is forbidden", "", "no such key", ""},
		},
		"a canary waits": {
			opts: Options{Canary: 1},
			plan: func(w *world) []plan.Connection {
				return []plan.Connection{planned(w, "a", asks), planned(w, "b", prove)}
			},
			want: []string{"a: waiting 0+1", "b: not run 0+1"}, halted: "a, which goes first, ended as: waiting",
			errs: []string{"", ""},
		},
		"as many fail as are allowed": {
			opts: Options{MaxFailures: 2},
			plan: func(w *world) []plan.Connection {
				return []plan.Connection{planned(w, "a", absent), planned(w, "b", prove), planned(w, "c", absent), planned(w, "d", prove)}
			},
			want: []string{"a: failed 0+1", "b: applied 1+0", "c: failed 0+1", "d: not run 0+1"}, halted: "2 connections failed, which is as many as --max-failures allows",
			errs: []string{"no such key", "", "no such key", ""},
		},
		"one follows another": {
			plan: func(w *world) []plan.Connection {
				return []plan.Connection{
					after(planned(w, "b", prove), "a"), planned(w, "a", prove), after(planned(w, "d", prove), "c"), planned(w, "c", absent), after(planned(w, "e", prove), "gone"),
					after(planned(w, "g", prove), "f"), planned(w, "f"), after(blocked(planned(w, "h", prove), plan.Refused), "c"),
				}
			},
			want: []string{"b: applied 1+0", "a: applied 1+0", "d: later 0+1", "c: failed 0+1", "e: later 0+1", "g: applied 1+0", "f: unchanged 0+0", "h: refused 0+1"},
			errs: []string{"", "", "d: not begun, as c, which goes first, ended as: failed", "no such key", "e: not begun, as gone, which goes first, ended as: left out", "", "", "it is forbidden"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := connected()
				c.opts.Parallel = 1
				result := run(t.Context(), w, plan.Plan{Fleet: "prod", Connections: c.plan(w)}, c.opts)
				if have := statuses(result.Connections); !slices.Equal(have, c.want) || result.Halted != c.halted {
					t.Errorf("have %q, halted %q\nwant %q", have, result.Halted, c.want)
				}
				for i, o := range result.Connections {
					if (o.Err == nil) != (c.errs[i] == "") || o.Err != nil && !strings.Contains(o.Err.Error(), c.errs[i]) {
						t.Errorf("%s: %v, want %q", o.Address, o.Err, c.errs[i])
					}
				}
			})
		})
	}
}

// TestRunInParallel begins as many connections at once as are allowed.
func TestRunInParallel(t *testing.T) {
	for allowed, want := range map[int]time.Duration{0: 4 * time.Second, 4: 12 * time.Second, DefaultParallel: 4 * time.Second} {
		inBubble(t, func(t *testing.T) {
			w := rotated()
			var all []plan.Connection
			for range DefaultParallel {
				all = append(all, planned(w, "a", plan.ProveRefused{Role: plan.Previous, Fingerprint: print("K1")}))
			}
			run(t.Context(), w, plan.Plan{Fleet: "prod", Connections: all}, Options{Parallel: allowed})
			if took := time.Since(began); took != want {
				t.Errorf("%d at once: took %s, want %s", allowed, took, want)
			}
		})
	}
}

// TestRunNeedsGrants: a connection does not begin when a permission that it needs
// was not granted; what the others share is carried out all the same.
func TestRunNeedsGrants(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		vpc := plan.GrantPermission{User: serviceUser, Project: "INFRA", Repository: "vpc", Permission: "REPO_ADMIN"}
		web := plan.GrantPermission{User: serviceUser, Project: "WEB", Permission: "PROJECT_ADMIN"}
		w := connected()
		w.misses = map[string]bool{"INFRA": true}
		a, b := planned(w, "a", prove), planned(w, "b", prove)
		a.Needs, b.Needs = []plan.GrantPermission{web, vpc}, []plan.GrantPermission{web}
		shared := plan.BitbucketPlan{Label: "corp", Changes: []plan.SharedChange{{Step: vpc}, {Step: web}}}
		result := run(t.Context(), w, plan.Plan{Bitbuckets: []plan.BitbucketPlan{shared, {Label: "same"}, {Label: "no", Blocks: []plan.Block{{Kind: plan.Refused, Text: "no"}}}}, Connections: []plan.Connection{a, b}}, Options{})
		want := []string{"bitbucket.corp: failed 1+1", "bitbucket.same: unchanged 0+0", "bitbucket.no: refused 0+0", "a: failed 0+1", "b: applied 1+0"}
		if have := slices.Concat(statuses(result.Bitbuckets), statuses(result.Connections)); !slices.Equal(have, want) {
			t.Errorf("have %q", have)
		}
		for part, err := range map[string]error{
			"a: not begun, as it needs what failed: bitbucket.corp: ":                   result.Connections[0].Err,
			"REPO_ADMIN was granted, but svc does not hold it":                          result.Connections[0].Err,
			"REPO_ADMIN was granted, but svc does not hold it effectively: is the user": result.Bitbuckets[0].Err,
		} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%v, want %s", err, part)
			}
		}
	})
}

// TestGrantNotRun: a permission that was not granted as the run was stopped holds
// its connections back, too.
func TestGrantNotRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, stop := connected(), make(chan struct{})
		close(stop)
		grant := plan.GrantPermission{User: serviceUser, Permission: "ADMIN"}
		e := &executor{sys: w, opts: Options{Stop: stop}, failed: map[plan.GrantPermission]error{}}
		out := e.bitbucket(t.Context(), plan.BitbucketPlan{Label: "corp", Changes: []plan.SharedChange{{Step: grant}}})
		c := planned(w, "a", prove)
		c.Needs = []plan.GrantPermission{grant}
		if err := e.needs(c); out.Status != NotRun || out.Err != nil || err == nil || !strings.HasSuffix(err.Error(), ": not run") {
			t.Errorf("%s, %v; needs %v", out.Status, out.Err, err)
		}
	})
}

// TestRunStops: a run that is stopped carries the step under way out, and no other.
func TestRunStops(t *testing.T) {
	for name, before := range map[string]bool{"before it begins": true, "between two steps": false} {
		inBubble(t, func(t *testing.T) {
			w, stop := connected(), make(chan struct{})
			if before {
				close(stop)
			}
			opts := Options{Stop: stop, Progress: func(e Event) {
				if e.Kind == StepDone {
					close(stop)
				}
			}}
			out := run(t.Context(), w, plan.Plan{Fleet: "prod", Connections: []plan.Connection{planned(w, "a", prove, prove)}}, opts).Connections[0]
			done := 1
			if before {
				done = 0
			}
			if out.Status != NotRun || len(out.Done) != done || len(out.Left) != 2-done || len(w.held) > 0 {
				t.Errorf("%s: %s, %d done, %d left", name, out.Status, len(out.Done), len(out.Left))
			}
		})
	}
}
