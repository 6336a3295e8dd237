package drift_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/documents/schematest"
	"github.com/bbsync/bbsync/internal/report/terminal"
	"github.com/bbsync/bbsync/internal/shard"
	"github.com/bbsync/bbsync/schema"
)

// aFleet draws connections to two Bitbuckets that share grants, each in some state.
func aFleet(t *rapid.T) (plan.Plan, drift.Scope) {
	p := plan.Plan{Fleet: "corp"}
	scope := drift.Scope{Bitbuckets: []*schema.Bitbucket{{Label: "old"}, {Label: "new"}}}
	for i := range rapid.IntRange(0, 40).Draw(t, "connections") {
		c := plan.Connection{Target: plan.Target{
			Address: fmt.Sprintf("connection.team[%q]", fmt.Sprint("org", i)), Organization: fmt.Sprint("org", i),
			Bitbucket: rapid.SampledFrom([]string{"old", "new"}).Draw(t, "bitbucket"),
		}}
		repository := fmt.Sprint("repo", rapid.IntRange(0, 3).Draw(t, "repository"))
		c.Needs = []plan.GrantPermission{{User: "svc", Project: "INFRA", Repository: repository, Permission: "REPO_ADMIN"}}
		switch rapid.IntRange(0, 3).Draw(t, "state") {
		case 0:
			c.Changes = []plan.Change{{Step: plan.RenameLink{}, Because: []plan.Reason{{What: "name", Live: "a", Want: "b"}}}}
		case 1:
			c.Changes = []plan.Change{{Step: plan.Authorize{}, Because: []plan.Reason{{What: "token"}}}}
		case 2:
			c.Blocks = []plan.Block{{Kind: plan.Unreadable, Text: "terraform: no answer"}}
		}
		p.Connections = append(p.Connections, c)
		scope.Connections = append(scope.Connections, &schema.Connection{Address: c.Address})
	}
	return p, scope
}

// part is what the process of one shard would plan: each Bitbucket that its
// connections need, and of what is missing there what they ask for.
func part(p plan.Plan, s shard.Shard) plan.Plan {
	out := plan.Plan{Fleet: p.Fleet}
	for _, label := range []string{"old", "new"} {
		b := plan.BitbucketPlan{Label: label}
		seen, used := map[plan.GrantPermission]bool{}, false
		for _, c := range p.Connections {
			if c.Bitbucket != label || !s.Has(c.Address) {
				continue
			}
			used = true
			if g := c.Needs[0]; !seen[g] && g.Repository != "repo0" {
				seen[g] = true
				b.Changes = append(b.Changes, plan.SharedChange{Step: g, Because: []plan.Reason{{What: "permission", Live: "not", Want: "yes", At: hcl.Range{Filename: "main.hcl"}}}})
			}
		}
		if used {
			out.Bitbuckets = append(out.Bitbuckets, b)
		}
	}
	for _, c := range p.Connections {
		if s.Has(c.Address) {
			out.Connections = append(out.Connections, c)
		}
	}
	return out
}

func TestShardsMergeIntoOneProcess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, scope := aFleet(t)
		of := rapid.IntRange(1, 9).Draw(t, "of")
		var names []string
		var parts []drift.Report
		for _, i := range rapid.Permutation(numbers(of)).Draw(t, "order") {
			s := shard.Shard{Index: i, Of: of}
			sharded := scope
			sharded.Shard = s.String()
			names = append(names, sharded.Shard)
			parts = append(parts, throughJSON(t, drift.New(part(p, s), sharded)))
		}
		have, err := drift.Merge(names, parts)
		if err != nil {
			t.Fatal(err)
		}
		want := drift.New(part(p, shard.Shard{}), scope)
		if diff := cmp.Diff(throughJSON(t, want), throughJSON(t, have)); diff != "" {
			t.Fatalf("merged differs from one process (-want +have):\n%s", diff)
		}
		text, err := documents.JSON(documents.NewDrift(have))
		if err != nil {
			t.Fatal(err)
		}
		if err := schematest.Check("drift", text); err != nil {
			t.Fatal(err)
		}
		if terminal.Drift(have, terminal.Style{}) != terminal.Drift(want, terminal.Style{}) {
			t.Fatalf("merged reads\n%s\none process\n%s", terminal.Drift(have, terminal.Style{}), terminal.Drift(want, terminal.Style{}))
		}
	})
}

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func throughJSON(t *rapid.T, d drift.Report) drift.Report {
	text, err := json.Marshal(documents.NewDrift(d))
	if err != nil {
		t.Fatal(err)
	}
	out, err := documents.DecodeDrift(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReportsThatContradictEachOther(t *testing.T) {
	one := func(shard, fleet string, asked int, addresses ...string) drift.Report {
		d := drift.Report{Fleet: fleet, Shard: shard, Asked: asked}
		for i, a := range addresses {
			d.Connections = append(d.Connections, drift.Connection{Address: a, Position: i, State: "in_sync"})
		}
		return d
	}
	for _, test := range []struct {
		a, b drift.Report
		want string
	}{
		{one("0/2", "corp", 1, "x"), one("1/2", "other", 1), "b: it is of fleet other, and a of fleet corp"},
		{one("0/2", "corp", 1, "x"), one("1/3", "corp", 1), "b: it is one of 3 shards, and a one of 2"},
		{one("0/2", "corp", 1, "x"), one("1/2", "corp", 2), "b: its shards were asked for 2 connections, and those of a for 1"},
		{one("0/2", "corp", 1, "x"), one("0/2", "corp", 1), "b: shard 0/2 is in a, too"},
		{one("0/2", "corp", 2, "x"), one("1/2", "corp", 2, "x"), "b: x is in a, too"},
		{one("0/2", "corp", 2, "x"), one("1/2", "corp", 2, "y"), "b: y has position 0 of 2, as another in a"},
		{one("0/2", "corp", 1, "x"), one("1/2", "corp", 1, "y", "z"), "b: y has position 0 of 1"},
		{one("0/2", "corp", 2, "x"), one("1/2", "corp", 2), "the shards have 1 connections between them and were asked for 2"},
		{one("", "corp", 1, "x"), one("", "corp", 1, "x"), "b: shard 0/1 is in a, too"},
		{one("0/2", "corp", 1, "x"), one("2/2", "corp", 1), "b: shard 2 of 2"},
	} {
		_, err := drift.Merge([]string{"a", "b"}, []drift.Report{test.a, test.b})
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}

func TestMissingShardsAreNamed(t *testing.T) {
	d, err := drift.Merge([]string{"a"}, []drift.Report{{Shard: "1/3", Asked: 9}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0/3", "2/3"}, d.Missing); diff != "" {
		t.Error(diff)
	}
}

func TestOtherTextIsNoReport(t *testing.T) {
	for _, text := range []string{"", "{}", `{"format_version":"2.0"}`, `{"format_version":"1.0","kind":"plan"}`, `{"format_version":"1.0","kind":"drift","surprise":1}`, `{"format_version":"1.0","kind":"drift"} {}`} {
		if _, err := documents.DecodeDrift([]byte(text)); err == nil {
			t.Errorf("%q is taken for a report", text)
		}
	}
}

// TestReadDrift has the history of a fleet, in which bbsync was replaced by newer
// ones: what these added is passed over, what they changed is refused.
func TestReadDrift(t *testing.T) {
	for text, want := range map[string]string{
		`{"format_version":"1.0","kind":"drift","fleet":"corp"}`:                   "",
		`{"format_version":"1.99","kind":"drift","fleet":"corp","new":[{"x":1}]}`:  "",
		`{"format_version":"2.0","kind":"drift","fleet":"corp"}`:                   `it is a "drift" of format "2.0", and this bbsync reads "drift" of format 1`,
		`{"format_version":"1.0","kind":"plan","fleet":"corp","connections":[{}]}`: `it is a "plan"`,
		`{}`: `it is a ""`,
		``:   "not a report",
		`{"format_version":"1.0","kind":"drift"} {}`: "not a report",
	} {
		d, err := documents.ReadDrift([]byte(text))
		switch {
		case want == "" && (err != nil || d.Fleet != "corp"):
			t.Errorf("%s: %+v, %v", text, d, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: have %v, want %s", text, err, want)
		}
	}
}
