package plan_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		text, err := plan.Encode(before, in)
		if err != nil {
			t.Fatal(err)
		}
		saved, err := plan.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, saved.Inputs); diff != "" {
			t.Fatal(diff)
		}
		if held, stale := saved.Narrow(before); len(stale) > 0 || !reflect.DeepEqual(held, before) {
			t.Fatalf("it does not approve itself: %v is stale", stale)
		}
		held, stale := saved.Narrow(after)
		for _, c := range held.Connections {
			if len(c.Changes) > 0 && c.Digest() != before.Connections[0].Digest() {
				t.Fatalf("%v was not approved", c.Steps())
			}
		}
		if n := len(held.Connections) + len(held.Bitbuckets); n == 0 && len(stale) == 0 && after.Pending() {
			t.Fatal("steps were dropped without a word")
		}
	})
}

func TestNarrow(t *testing.T) {
	link, rename := plan.CreateLink{URL: linkURL}, plan.RenameLink{URL: linkURL}
	connection := func(steps ...plan.Step) plan.Plan {
		return plan.Plan{Connections: []plan.Connection{connectionOf(address, steps)}}
	}
	blocked := connection()
	blocked.Connections[0].Blocks = []plan.Block{{Kind: plan.Unreadable}}
	bitbucket := func(steps ...plan.Step) plan.Plan {
		return plan.Plan{Bitbuckets: []plan.BitbucketPlan{{Label: "corp", Changes: connectionOf("", steps).Changes}}}
	}
	for _, c := range []struct {
		name       string
		saved, now plan.Plan
		held       int
		stale      []string
	}{
		{"as it was", connection(link), connection(link), 1, nil},
		{"other steps", connection(link), connection(rename), 0, []string{address}},
		{"more steps", connection(link), connection(link, rename), 0, []string{address}},
		{"done by now", connection(link), connection(), 0, nil},
		{"was in sync, is not", connection(), connection(link), 0, []string{address}},
		{"blocked by now: told why", connection(link), blocked, 1, nil},
		{"was blocked, is not", blocked, connection(link), 0, []string{address}},
		{"not in the files any more", connection(link), plan.Plan{}, 0, []string{address}},
		{"was in sync, not in the files any more", connection(), plan.Plan{}, 0, nil},
		{"not in the files then", plan.Plan{}, connection(link), 0, []string{address}},
		{"not in the files then, and blocked", plan.Plan{}, blocked, 0, nil},
		{"Bitbucket, as it was", bitbucket(vpcAdmin), bitbucket(vpcAdmin), 1, nil},
		{"Bitbucket, more steps", bitbucket(), bitbucket(vpcAdmin), 0, []string{"bitbucket.corp"}},
		{"Bitbucket, not in the files any more", bitbucket(vpcAdmin), plan.Plan{}, 0, []string{"bitbucket.corp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := plan.Encode(c.saved, plan.Inputs{})
			if err != nil {
				t.Fatal(err)
			}
			saved, err := plan.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			held, stale := saved.Narrow(c.now)
			if n := len(held.Connections) + len(held.Bitbuckets); n != c.held || !slices.Equal(stale, c.stale) {
				t.Errorf("%d held and %q stale, want %d and %q", n, stale, c.held, c.stale)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	const good = `{"format_version":"1.0","fleet":"corp","inputs":{},"connections":[]}`
	if _, err := plan.Decode([]byte(good + "\n")); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                                    "not a plan that bbsync saved",
		"null":                                `the plan has format ""`,
		"[]":                                  "not a plan",
		good + good:                           "something follows it",
		good + "}":                            "something follows it",
		good + "]":                            "something follows it",
		good[:20]:                             "not a plan",
		`{"format_version":"2.0"}`:            `the plan has format "2.0", and this bbsync knows 1.0; plan again`,
		`{"format_version":"1.0","tokens":1}`: `unknown field "tokens"`,
	} {
		if _, err := plan.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// FuzzDecode: whatever the file holds, it is refused or read, and what was read
// is written and read again the same.
func FuzzDecode(f *testing.F) {
	w := newWorld(traits{})
	whole, err := plan.Encode(w.plan(), plan.Inputs{Vars: []string{"a=b"}, Adopt: []string{address}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(bytes.TrimSpace(whole))
	f.Add([]byte(`{"format_version":"1.0","connections":[{"address":"x","digest":"y","steps":["z"]}]}]`))
	f.Add([]byte(`{"format_version":"1.0","bitbuckets":[null],"connections":null}`))
	now := w.plan()
	f.Fuzz(func(t *testing.T, text []byte) {
		saved, err := plan.Decode(text)
		if err != nil {
			return
		}
		if saved.FormatVersion != plan.FormatVersion {
			t.Fatalf("format %q was read", saved.FormatVersion)
		}
		held, _ := saved.Narrow(now)
		for _, c := range held.Connections {
			if !bytes.Contains(text, []byte(c.Digest())) {
				t.Fatalf("%v was not approved", c.Steps())
			}
		}
	})
}
