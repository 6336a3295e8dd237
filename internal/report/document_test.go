package report

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schemas/schematest"
)

func encode(t *testing.T, document any) string {
	t.Helper()
	text, err := JSON(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPlanDocument(t *testing.T) {
	for name, p := range map[string]plan.Plan{"empty": {}, "mixed": mixed()} {
		if err := schematest.Check("plan", encode(t, NewPlanDocument("plan", p))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	doc := NewPlanDocument("plan", mixed())
	if got := doc.Summary.States["waiting"]; got != 4 || len(doc.Connections) != 40 {
		t.Errorf("waiting %d, connections %d", got, len(doc.Connections))
	}
	if c := doc.Connections[0]; c.Steps[1].Kind != "create_link" || c.Steps[1].Reasons[0].At.File != "fleet/main.hcl" || len(c.Digest) != 64 {
		t.Errorf("%+v", c)
	}
}

func TestStream(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	doc := NewPlanDocument("plan", mixed())
	result := result()
	summary := NewResultDocument(result, 3)
	left := NewSummaryDocument(mixed().Summary())
	summary.Left = &left
	lines := []StreamLine{
		BeginLine("corp", now),
		{Type: "plan", Time: now, Plan: &doc},
		{Type: "error", Time: now, Error: "vault: sealed"},
		{Type: "summary", Time: now, FormatVersion: FormatVersion, Summary: &summary},
	}
	for _, e := range []apply.Event{
		{Address: "connection.team", Kind: apply.Started},
		{Address: "connection.team", Kind: apply.StepDone, Step: plan.ProveConsumer{}, Took: time.Second},
		{Address: "connection.team", Kind: apply.Failed, Step: plan.ProveConsumer{}, Err: errors.New("401 Unauthorized")},
		{Address: "connection.team", Kind: apply.Warning, Step: plan.ProveSSH{}, Text: "learned a key"},
		{Address: "connection.team", Kind: apply.Finished, Text: string(apply.NotRun), Err: errors.New("stopped")},
	} {
		lines = append(lines, EventLine(e, now))
	}
	for _, line := range lines {
		text, err := Line(line)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(text, "\n") != 1 {
			t.Errorf("not one line: %q", text)
		}
		if err := schematest.Check("apply", text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// result is an apply that ended in every way.
func result() apply.Result {
	step := plan.ProveConsumer{}
	var r apply.Result
	for i, status := range statuses() {
		o := apply.Outcome{Address: connection(string(rune('a' + i))).Address, Status: status}
		switch status {
		case apply.Applied:
			o.Done = []plan.Step{step, step}
		case apply.Waiting:
			o.Done, o.Left = []plan.Step{step}, []plan.Step{step}
			o.Wait = &apply.Wait{Address: o.Address, Organization: "b", Client: "Bitbucket", User: "svc", Bitbucket: "https://b", URL: "https://t/auth", Why: "the token is of another user"}
		case apply.Broken, apply.Blocked, apply.Stale, apply.Leased:
			o.Left, o.Err = []plan.Step{step, step}, errors.New("403 Forbidden")
		case apply.NotRun, apply.Later, apply.Unchanged:
		}
		r.Connections = append(r.Connections, o)
	}
	return r
}

func TestResultText(t *testing.T) {
	r := result()
	many := r.Connections[2]
	for i := range 9 {
		o := many
		o.Address = connection("x" + string(rune('0'+i))).Address
		o.Err = errors.New(o.Address + ": prove: 403 Forbidden (request 12345678-1234-4234-8234-12345678901" + string(rune('0'+i)) + ")")
		r.Connections = append(r.Connections, o)
	}
	golden(t, "result.txt", Result(r, Style{Width: 100}))
}

// The counts are of connections: a Bitbucket that needed nothing is not one that
// was left unchanged among them.
func TestResultCounts(t *testing.T) {
	steps := []plan.Step{plan.ProveConsumer{}}
	r := apply.Result{
		Connections: []apply.Outcome{{Status: apply.Applied, Done: steps}, {Status: apply.Unchanged}},
		Bitbuckets:  []apply.Outcome{{Status: apply.Unchanged}},
	}
	if have, want := Result(r, Style{Width: 100}), "1 step done: 1 applied, 1 unchanged.\n"; have != want {
		t.Errorf("have %q, want %q", have, want)
	}
	if have, want := Result(apply.Result{}, Style{Width: 100}), "0 steps done.\n"; have != want {
		t.Errorf("of a saved plan with nothing left: have %q, want %q", have, want)
	}
	r.Bitbuckets = append(r.Bitbuckets, apply.Outcome{Status: apply.Applied, Done: steps})
	if have, want := Result(r, Style{Width: 100}), "2 steps done: 1 applied, 1 unchanged; Bitbuckets: 1 applied.\n"; have != want {
		t.Errorf("have %q, want %q", have, want)
	}
}

func TestValidateDocument(t *testing.T) {
	diags := hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "Unsupported argument", Subject: &hcl.Range{Filename: "main.hcl", Start: hcl.Pos{Line: 3, Column: 1}}},
		{Severity: hcl.DiagWarning, Summary: "Old", Detail: "Use the new"},
	}
	doc := NewValidateDocument(nil, diags)
	if doc.Valid || doc.Errors != 1 || doc.Warnings != 1 {
		t.Errorf("%+v", doc)
	}
	if err := schematest.Check("validate", encode(t, doc)); err != nil {
		t.Error(err)
	}
	if err := schematest.Check("version", encode(t, NewVersionDocument("1.0.0", "abc", "", "go1.26", "linux/amd64"))); err != nil {
		t.Error(err)
	}
}
