package plan_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// drawSteps returns steps that may well be those of another draw.
func drawSteps(t *rapid.T, label string) []plan.Step {
	text := rapid.SampledFrom([]string{"", "a", "b", "\n", `"`})
	truth := rapid.Bool()
	return rapid.SliceOfN(rapid.OneOf(
		rapid.Map(text, func(s string) plan.Step { return plan.CreateLink{URL: s, Name: "a"} }),
		rapid.Map(text, func(s string) plan.Step { return plan.CreateLink{URL: "a", Name: s} }),
		rapid.Map(text, func(s string) plan.Step { return plan.RenameLink{URL: "a", From: s} }),
		rapid.Map(truth, func(again bool) plan.Step { return plan.Authorize{Again: again} }),
		rapid.Map(text, func(s string) plan.Step { return plan.UpdateClient{Name: &s} }),
		rapid.Map(text, func(s string) plan.Step { return plan.UpdateClient{AgentPool: &s} }),
		rapid.Map(truth, func(keys bool) plan.Step { return plan.UpdateClient{Keys: keys} }),
		rapid.Map(rapid.SliceOfN(text, 0, 2), func(s []string) plan.Step { return plan.UpdateClient{Projects: &s} }),
		rapid.Map(rapid.SliceOfN(text, 0, 2), func(s []string) plan.Step { return plan.ProveRepositories{Repositories: s} }),
		rapid.Just[plan.Step](plan.ProveConsumer{}),
		rapid.Just[plan.Step](plan.ProveSSH{Role: plan.Current}),
		rapid.Just[plan.Step](plan.SetTokenKey{Role: plan.Current}),
	), 0, 3).Draw(t, label)
}

func connectionOf(address string, steps []plan.Step) plan.Connection {
	c := plan.Connection{Target: plan.Target{Address: address, Organization: "acme"}}
	for _, s := range steps {
		c.Changes = append(c.Changes, plan.Change{Step: s})
	}
	return c
}

// TestDigestTellsStepsApart: two connections have the same digest if and only
// if they have the same steps, whatever else is said about them.
func TestDigestTellsStepsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, two := drawSteps(t, "one"), drawSteps(t, "two")
		a, b := connectionOf(address, one), connectionOf(address, two)
		b.Notes, b.Basis = []plan.Note{{Text: "x"}}, "x"
		for i := range b.Changes {
			b.Changes[i].Because = []plan.Reason{{What: "x"}}
		}
		if same := slices.EqualFunc(one, two, func(a, b plan.Step) bool { return reflect.DeepEqual(a, b) }); same != (a.Digest() == b.Digest()) {
			t.Fatalf("same steps: %t; digests %s of %v, %s of %v", same, a.Digest(), one, b.Digest(), two)
		}
	})
}

// TestDigestTellsTargetsApart: the same steps on something else are not the
// same.
func TestDigestTellsTargetsApart(t *testing.T) {
	first := plan.Diff(fleet, aConnection(), nothing(), noon)
	digests := map[string]string{first.Digest(): "as it was"}
	for what, change := range map[string]func(*schema.Connection){
		"address":      func(c *schema.Connection) { c.Address = "x" },
		"terraform":    func(c *schema.Connection) { c.Terraform.Label = "x" },
		"bitbucket":    func(c *schema.Connection) { c.Bitbucket.Label = "x" },
		"record":       func(c *schema.Connection) { c.Record = "x" },
		"service user": func(c *schema.Connection) { c.ServiceUser = "x" },
		"grant":        func(c *schema.Connection) { c.Grants[0].Permission = "REPO_WRITE" },
	} {
		want := aConnection()
		change(want)
		digest := plan.Diff(fleet, want, nothing(), noon).Digest()
		if with, taken := digests[digest]; taken {
			t.Errorf("another %s has the digest of %s", what, with)
		}
		digests[digest] = what
	}
	if again := plan.Diff(fleet, aConnection(), nothing(), noon.AddDate(0, 0, 1)); again.Digest() != first.Digest() {
		t.Error("planned a day later it has another digest")
	}
	one, two := plan.BitbucketPlan{Label: "corp", URL: "https://a"}, plan.BitbucketPlan{Label: "corp", URL: "https://b"}
	if one.Digest() == two.Digest() {
		t.Error("two Bitbuckets have the same digest")
	}
}

// TestSavedRoundTrip: a plan that is saved and read again approves itself, and
// of another one exactly what is the same.
func TestSavedRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := drawWorld(t).plan(), drawWorld(t).plan()
		in := plan.Inputs{Targets: rapid.SliceOfN(rapid.String(), 1, 2).Draw(t, "targets")}
		saved := saveAndRead(t, before, in)
		if diff := cmp.Diff(in, saved.Inputs); diff != "" {
			t.Fatal(diff)
		}
		if held, outdated := saved.Approved(before); len(outdated) > 0 || !reflect.DeepEqual(held, before) {
			t.Fatalf("it does not approve itself: %v", outdated)
		}
		held, outdated := saved.Approved(after)
		for _, c := range held.Connections {
			if len(c.Changes) > 0 && c.Digest() != before.Connections[0].Digest() {
				t.Fatalf("%v was not approved", c.Steps())
			}
		}
		if n := len(held.Connections) + len(held.Bitbuckets); n == 0 && len(outdated) == 0 && after.Pending() {
			t.Fatal("steps were dropped without a word")
		}
	})
}

// TestPlanFilesDoNotAge: a plan that is applied days after it was saved is stale only if
// its steps are others. No reason changes with the clock.
func TestPlanFilesDoNotAge(t *testing.T) {
	aged := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		before := w.plan()
		saved := saveAndRead(t, before, plan.Inputs{})
		w.hours += rapid.IntRange(1, 100).Draw(t, "hours")
		after := w.plan()
		if before.Connections[0].Digest() != after.Connections[0].Digest() || before.Connections[0].State() != after.Connections[0].State() {
			return
		}
		aged++
		if _, outdated := saved.Approved(after); len(outdated) > 0 {
			t.Fatalf("the steps are the same, and it is stale: %v\n%v\n%v", outdated, before.Connections[0].Changes, after.Connections[0].Changes)
		}
	})
	if aged == 0 {
		t.Error("no plan had the same steps later")
	}
}

type failer interface {
	Helper()
	Fatal(...any)
}

func saveAndRead(t failer, p plan.Plan, in plan.Inputs) plan.Saved {
	t.Helper()
	text, err := plan.Encode(p, in)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := plan.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func TestApproved(t *testing.T) {
	link, rename := plan.CreateLink{URL: linkURL}, plan.RenameLink{URL: linkURL}
	connection := func(steps ...plan.Step) plan.Plan {
		return plan.Plan{Connections: []plan.Connection{connectionOf(address, steps)}}
	}
	with := func(change func(*plan.Connection), steps ...plan.Step) plan.Plan {
		p := connection(steps...)
		change(&p.Connections[0])
		return p
	}
	blocked := with(func(c *plan.Connection) { c.Blocks = []plan.Block{{Kind: plan.Unreadable}} })
	because := func(live string) plan.Plan {
		return with(func(c *plan.Connection) { c.Changes[0].Because = []plan.Reason{{What: "link", Live: live}} }, link)
	}
	bitbucket := func(steps ...plan.SharedStep) plan.Plan {
		b := plan.BitbucketPlan{Label: "corp"}
		for _, s := range steps {
			b.Changes = append(b.Changes, plan.SharedChange{Step: s})
		}
		return plan.Plan{Bitbuckets: []plan.BitbucketPlan{b}}
	}
	both := func(steps ...plan.SharedStep) plan.Plan {
		p := with(func(c *plan.Connection) { c.Needs = []plan.GrantPermission{vpcAdmin} }, link)
		p.Bitbuckets = bitbucket(steps...).Bitbuckets
		return p
	}
	for _, c := range []struct {
		name       string
		saved, now plan.Plan
		held       int
		outdated   []string
	}{
		{"as it was", connection(link), connection(link), 1, nil},
		{"other steps", connection(link), connection(rename), 0, []string{address + ": step 1 when planned: + bitbucket: create"}},
		{"more steps", connection(link), connection(link, rename), 0, []string{address + ": step 2 when planned: none; now: ~ bitbucket: rename"}},
		{"done by now", connection(link), connection(), 1, nil},
		{"was in sync, is not", connection(), connection(link), 0, []string{address + ": in sync when planned, changes now"}},
		{"blocked by now: told why", connection(link), blocked, 1, nil},
		{"was blocked, is not", blocked, connection(link), 0, []string{address + ": unreadable when planned, changes now"}},
		{"not in the files any more", connection(link), plan.Plan{}, 0, []string{address + ": it was planned, and is not in the plan of this run"}},
		{"was in sync, not in the files any more", connection(), plan.Plan{}, 0, nil},
		{"not in the files then", plan.Plan{}, connection(link), 0, []string{address + ": it is not in the plan file"}},
		{"not in the files then, and blocked", plan.Plan{}, blocked, 0, nil},
		{"another reason", because("none"), because("another"), 0, []string{address + ": the reasons for step 1 (+ bitbucket: create application link"}},
		{"another object, the same texts", connection(link), with(func(c *plan.Connection) { c.Record = "x" }, link), 0, []string{address + ": the steps act on other objects than planned"}},
		{"another place in the files", because("none"), with(func(c *plan.Connection) {
			c.At.Start.Line, c.Changes[0].Because = 7, []plan.Reason{{What: "link", Live: "none", At: hcl.Range{Filename: "x"}}}
		}, link), 1, nil},
		{"another note", connection(link), with(func(c *plan.Connection) { c.Notes = []plan.Note{{Text: "x"}} }, link), 1, nil},
		{"Bitbucket, as it was", bitbucket(vpcAdmin), bitbucket(vpcAdmin), 1, nil},
		{"Bitbucket, more steps", bitbucket(), bitbucket(vpcAdmin), 0, []string{"bitbucket.corp: in sync when planned, changes now"}},
		{"Bitbucket, not in the files any more", bitbucket(vpcAdmin), plan.Plan{}, 0, []string{"bitbucket.corp: it was planned, and is not in the plan of this run"}},
		{"needs what the Bitbucket was not planned to get", both(), both(vpcAdmin), 0, []string{"bitbucket.corp: in sync when planned", address + ": it needs a step that is not in the plan file: bitbucket: grant"}},
		{"needs what the Bitbucket was planned to get", both(vpcAdmin), both(vpcAdmin), 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			held, outdated := saveAndRead(t, c.saved, plan.Inputs{}).Approved(c.now)
			if n := len(held.Connections) + len(held.Bitbuckets); n != c.held || len(outdated) != len(c.outdated) {
				t.Fatalf("%d held and %q outdated, want %d and %q", n, outdated, c.held, c.outdated)
			}
			for i, o := range outdated {
				if text := o.Address + ": " + o.Why; !strings.HasPrefix(text, c.outdated[i]) {
					t.Errorf("%s, want %s", text, c.outdated[i])
				}
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole, err := plan.Encode(plan.Plan{Fleet: "corp"}, plan.Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	good := string(whole)
	if _, err := plan.Decode(whole); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                                       "not a plan that bbsync saved",
		"null":                                   "not a plan that bbsync saved",
		"[]":                                     "not a plan that bbsync saved",
		"{}":                                     "not a plan that bbsync saved",
		good + good:                              "not a plan that bbsync saved",
		good + "}":                               "not a plan that bbsync saved",
		good[:20]:                                "not a plan that bbsync saved",
		good + " ":                               "it was changed after it was saved; plan again",
		strings.Replace(good, "corp", "core", 1): "it was changed after it was saved; plan again",
		`{"format_version":"1.0"}`:               `the plan has format "1.0", and this bbsync knows 2.0; plan again`,
		`{"format_version":"3.0"}`:               `the plan has format "3.0", and this bbsync knows 2.0; plan again`,
		`{"format_version":"2.0","tokens":1}`:    "it was changed after it was saved",
	} {
		if _, err := plan.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestInputsDiffer(t *testing.T) {
	planned := plan.Inputs{
		Variables: map[string]string{"orgs": "3"}, Systems: map[string]string{"vault": "https://vault"},
		Targets: []string{"a", "b"}, Shard: "0/4", MaxRemovals: 5,
	}
	same := planned
	same.Targets = []string{"b", "a", "a"}
	if out := planned.Differences(same); len(out) > 0 {
		t.Errorf("the order of targets differs: %q", out)
	}
	for want, change := range map[string]func(*plan.Inputs){
		`variable orgs: "3" when planned, "4" now`:                func(in *plan.Inputs) { in.Variables = map[string]string{"orgs": "4"} },
		`variable orgs: "3" when planned, none now`:               func(in *plan.Inputs) { in.Variables = nil },
		`vault: "https://vault" when planned, "https://evil" now`: func(in *plan.Inputs) { in.Systems = map[string]string{"vault": "https://evil"} },
		`--target: a, b when planned, a now`:                      func(in *plan.Inputs) { in.Targets = []string{"a"} },
		`--adopt: none when planned, a now`:                       func(in *plan.Inputs) { in.Adopt = []string{"a"} },
		`--shard: 0/4 when planned, 1/4 now`:                      func(in *plan.Inputs) { in.Shard = "1/4" },
		`--prune: false when planned, true now`:                   func(in *plan.Inputs) { in.Prune = true },
		`--max-removals: 5 when planned, 6 now`:                   func(in *plan.Inputs) { in.MaxRemovals = 6 },
		`--allow-unlink: 0 when planned, 1 now`:                   func(in *plan.Inputs) { in.AllowUnlink = 1 },
	} {
		run := planned
		change(&run)
		if out := planned.Differences(run); len(out) != 1 || out[0] != want {
			t.Errorf("%q, want %q", out, want)
		}
	}
}

// FuzzDecode: whatever the file holds, it is refused, or it is what Encode writes and
// approves nothing but what it shows.
func FuzzDecode(f *testing.F) {
	w := newWorld(traits{})
	whole, err := plan.Encode(w.plan(), plan.Inputs{Variables: map[string]string{"a": "b"}, Adopt: []string{address}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(bytes.TrimSpace(whole))
	f.Add([]byte(`{"format_version":"2.0","bitbuckets":[null],"connections":null}`))
	now := w.plan()
	f.Fuzz(func(t *testing.T, text []byte) {
		saved, err := plan.Decode(text)
		if err != nil {
			return
		}
		held, _ := saved.Approved(now)
		for _, c := range held.Connections {
			if !bytes.Contains(text, []byte(c.Digest())) {
				t.Fatalf("%v was not approved", c.Steps())
			}
		}
	})
}
