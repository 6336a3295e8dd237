package report_test

import (
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/documents/schematest"
	"github.com/bbsync/bbsync/internal/report/reporttest"
)

func TestEveryFormatTakesEveryPlan(t *testing.T) {
	for name, p := range map[string]plan.Plan{"empty": {}, "mixed": reporttest.Mixed(), "hostile": reporttest.Hostile()} {
		for _, format := range report.PlanFormats() {
			text, err := report.RenderPlan(p, format, report.PlanOptions{Version: "1.2.3"})
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(text, "\x1b\x00") {
				t.Errorf("%s as %s has control characters", name, format)
			}
		}
	}
	if _, err := report.RenderPlan(plan.Plan{}, "nothing", report.PlanOptions{}); err == nil {
		t.Error("a format that is not there")
	}
}

func TestDiagnosticFormats(t *testing.T) {
	schema, err := os.ReadFile("pipelines/testdata/sarif.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	diags := hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "Unsupported argument", Detail: "no\n::error::", Subject: &hcl.Range{Filename: "a b/main.hcl", Start: hcl.Pos{Line: 3, Column: 1}}},
		{Severity: hcl.DiagError, Summary: "Unsupported argument", Detail: "no", Subject: &hcl.Range{Filename: "a b/main.hcl", Start: hcl.Pos{Line: 9, Column: 1}}},
		{Severity: hcl.DiagWarning, Summary: "Old"},
	}
	for _, format := range report.ValidateFormats()[1:] {
		text, err := report.RenderDiagnostics(nil, diags, format, "1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		switch format {
		case report.SARIF:
			if err := schematest.CheckWith(string(schema), text); err != nil || !strings.Contains(text, `"a%20b/main.hcl"`) {
				t.Errorf("%v\n%s", err, text)
			}
		case report.GitHub:
			if strings.Count(text, "\n") != 3 || strings.Count(text, "\n::error::") != 0 {
				t.Errorf("%s", text)
			}
		case report.Text, report.AsJSON, report.Markdown, report.MarkdownBitbucket, report.JUnit, report.CodeInsights, report.HTML, report.DOT, report.Mermaid, report.SVG:
		}
	}
}
