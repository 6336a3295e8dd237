package documents_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/doctor"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/documents/schematest"
	"github.com/bbsync/bbsync/internal/report/reporttest"
)

func encode(t *testing.T, document any) string {
	t.Helper()
	text, err := documents.JSON(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPlan(t *testing.T) {
	for name, p := range map[string]plan.Plan{"empty": {}, "mixed": reporttest.Mixed()} {
		if err := schematest.Check("plan", encode(t, documents.NewPlan(p))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	doc := documents.NewPlan(reporttest.Mixed())
	if got := doc.Summary.States["waiting"]; got != 4 || len(doc.Connections) != 40 {
		t.Errorf("waiting %d, connections %d", got, len(doc.Connections))
	}
	if c := doc.Connections[0]; c.Steps[1].Kind != "create_link" || c.Steps[1].Reasons[0].At.File != "fleet/main.hcl" || len(c.Digest) != 64 {
		t.Errorf("%+v", c)
	}
}

func TestStream(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	doc := documents.NewPlan(reporttest.Mixed())
	summary := documents.NewResult(reporttest.Result(), 3)
	left := documents.NewSummary(reporttest.Mixed().Summary())
	summary.Left = &left
	lines := []documents.StreamLine{
		documents.BeginLine("corp", now),
		{Type: "plan", Time: now, Plan: &doc},
		{Type: "error", Time: now, Error: "vault: sealed"},
		{Type: "summary", Time: now, FormatVersion: documents.FormatVersion, Summary: &summary},
	}
	for _, e := range []apply.Event{
		{Address: "connection.team", Kind: apply.Started},
		{Address: "connection.team", Kind: apply.StepDone, Step: plan.ProveConsumer{}, Took: time.Second},
		{Address: "connection.team", Kind: apply.Failed, Step: plan.ProveConsumer{}, Err: errors.New("401 Unauthorized")},
		{Address: "connection.team", Kind: apply.Warning, Step: plan.ProveSSH{}, Text: "learned a key"},
		{Address: "connection.team", Kind: apply.Finished, Text: string(apply.NotRun), Err: errors.New("stopped")},
	} {
		lines = append(lines, documents.EventLine(e, now))
	}
	for _, line := range lines {
		text, err := documents.Line(line)
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

func TestValidate(t *testing.T) {
	diags := hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "Unsupported argument", Subject: &hcl.Range{Filename: "main.hcl", Start: hcl.Pos{Line: 3, Column: 1}}},
		{Severity: hcl.DiagWarning, Summary: "Old", Detail: "Use the new"},
	}
	doc := documents.NewValidate(nil, diags)
	if doc.Valid || doc.Errors != 1 || doc.Warnings != 1 {
		t.Errorf("%+v", doc)
	}
	if err := schematest.Check("validate", encode(t, doc)); err != nil {
		t.Error(err)
	}
	if err := schematest.Check("version", encode(t, documents.NewVersion("1.0.0", "abc", "", "go1.26", "linux/amd64"))); err != nil {
		t.Error(err)
	}
}

func TestDoctor(t *testing.T) {
	for name, r := range map[string]doctor.Report{"empty": {}, "all": reporttest.Diagnosis()} {
		if err := schematest.Check("doctor", encode(t, documents.NewDoctor("corp", r))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	doc := documents.NewDoctor("corp", reporttest.Diagnosis())
	if doc.Summary.Connections != 4 || doc.Summary.Failed != 1 || doc.Sections[2].Status != "failed" || doc.Sections[1].Status != "warning" {
		t.Errorf("%+v", doc.Summary)
	}
}
