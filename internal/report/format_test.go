package report

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schemas/schematest"
)

// hostile is a fleet whose other side says what it should not.
func hostile() plan.Plan {
	const text = "``` </details><script>alert(1)</script> @everyone | \x1b[31m\n::error::gotcha\n# not a title `x` & ]]>"
	c := renamed("a", text)
	d := unreadable(`b"]<img src=x onerror=alert(1)>`, text)
	d.Blocks[0].Remedy = text
	return plan.Plan{Fleet: "<b>&", Connections: []plan.Connection{c, d}}
}

func wide(n int) plan.Plan {
	var p plan.Plan
	for i := range n {
		p.Connections = append(p.Connections, unreadable(fmt.Sprint("acme-", i), "terraform: "+strings.Repeat(string(rune('a'+i%26)), 20+i/26)+": refused"))
	}
	p.Connections = append(p.Connections, waiting("last"))
	return p
}

func render(t *testing.T, p plan.Plan, format Format) string {
	t.Helper()
	text, err := RenderPlan("plan", p, format, PlanOptions{Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEveryFormatTakesEveryPlan(t *testing.T) {
	for name, p := range map[string]plan.Plan{"empty": {}, "mixed": mixed(), "hostile": hostile()} {
		for _, format := range PlanFormats() {
			text := render(t, p, format)
			if strings.ContainsAny(text, "\x1b\x00") {
				t.Errorf("%s as %s has control characters", name, format)
			}
		}
	}
	if _, err := RenderPlan("plan", plan.Plan{}, "nothing", PlanOptions{}); err == nil {
		t.Error("a format that is not there")
	}
}

func TestMarkdown(t *testing.T) {
	golden(t, "plan.md", render(t, mixed(), Markdown))
	golden(t, "plan-bitbucket.md", render(t, mixed(), MarkdownBitbucket))
	golden(t, "hostile.md", render(t, hostile(), Markdown))
}

func TestMarkdownKeepsToTheLimit(t *testing.T) {
	p := wide(2000)
	for format, most := range map[Format]int{Markdown: 65_536, MarkdownBitbucket: 32_768} {
		text := render(t, p, format)
		if len(text) > most || len(text) < most*9/10 {
			t.Errorf("%s: %d bytes", format, len(text))
		}
		if !strings.Contains(text, "more not shown") || !strings.Contains(text, `connection.team["last"]`) {
			t.Errorf("%s: does not say what is left out, or leaves out who waits:\n%s", format, text[len(text)-300:])
		}
		if strings.Count(text, "<details>") != strings.Count(text, "</details>") {
			t.Errorf("%s: cut within a section", format)
		}
	}
}

func TestSARIF(t *testing.T) {
	schema, err := os.ReadFile("testdata/sarif.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]plan.Plan{"empty": {}, "mixed": mixed(), "hostile": hostile()} {
		if err := schematest.CheckWith(string(schema), render(t, p, SARIF)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(render(t, mixed(), SARIF)), &log); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range log.Runs[0].Results {
		print := r.PartialFingerprints["bbsync/v1"]
		if seen[print] {
			t.Errorf("twice: %s", r.Message.Text)
		}
		seen[print] = true
		if rule := log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID; rule != r.RuleID {
			t.Errorf("%s has the index of %s", r.RuleID, rule)
		}
	}
	if first := log.Runs[0].Results[0]; first.Level != "error" || first.RuleID != "unreadable" {
		t.Errorf("not the gravest first: %+v", first)
	}
}

// A finding that moves in its file is the same finding.
func TestFingerprintsStay(t *testing.T) {
	before, after := mixed(), mixed()
	for i := range after.Connections {
		c := &after.Connections[i]
		c.At.Start.Line += 10
		for j := range c.Changes {
			for k := range c.Changes[j].Because {
				c.Changes[j].Because[k].At.Start.Line += 10
			}
		}
	}
	a, b := planFindings(before, false), planFindings(after, false)
	for i := range a {
		if a[i].fingerprint != b[i].fingerprint {
			t.Errorf("%s: %s has another fingerprint", a[i].title, a[i].text)
		}
	}
}

func TestJUnitReadsBack(t *testing.T) {
	for name, p := range map[string]plan.Plan{"mixed": mixed(), "hostile": hostile()} {
		var back junitSuites
		if err := xml.Unmarshal([]byte(render(t, p, JUnit)), &back); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		cases, failed := 0, 0
		for _, s := range back.Suites {
			for _, c := range s.Cases {
				cases++
				if c.Failure != nil || c.Error != nil {
					failed++
				}
			}
		}
		if cases != back.Tests || cases != len(p.Connections)+len(p.Bitbuckets) || failed != back.Failures+back.Errors {
			t.Errorf("%s: %d cases, %d failed, of %+v", name, cases, failed, back)
		}
	}
}

func TestGitHub(t *testing.T) {
	for line := range strings.Lines(render(t, hostile(), GitHub)) {
		if !strings.HasPrefix(line, "::warning ") && !strings.HasPrefix(line, "::error ") {
			t.Errorf("not a command: %q", line)
		}
		properties, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), "::")
		if strings.Count(properties, "=") != 3+strings.Count(properties, "src=x")*2 {
			t.Errorf("properties: %q", properties)
		}
	}
	golden(t, "github.txt", render(t, mixed(), GitHub))
	if n := strings.Count(render(t, wide(100), GitHub), "::error "); n != githubMost {
		t.Errorf("%d errors", n)
	}
}

func TestCodeInsights(t *testing.T) {
	p := wide(1200)
	p.Connections[0].Blocks[0].Text = strings.Repeat("ä", 3000)
	var got insights
	if err := json.Unmarshal([]byte(render(t, p, CodeInsights)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Report.Result != "FAIL" || len(got.Report.Data) > 6 || len(got.Report.Details) > insightsText || len(got.Annotations.Annotations) != insightsMost {
		t.Errorf("%s, %d data, %d bytes of details, %d annotations", got.Report.Result, len(got.Report.Data), len(got.Report.Details), len(got.Annotations.Annotations))
	}
	ids := map[string]bool{}
	for _, a := range got.Annotations.Annotations {
		if len(a.Message) > insightsText || ids[a.ExternalID] {
			t.Errorf("%d bytes, %s", len(a.Message), a.ExternalID)
		}
		ids[a.ExternalID] = true
	}
	if err := json.Unmarshal([]byte(render(t, plan.Plan{Connections: []plan.Connection{fresh("a")}}, CodeInsights)), &got); err != nil || got.Report.Result != "PASS" {
		t.Errorf("%s, %v", got.Report.Result, err)
	}
}

func TestDiagnosticFormats(t *testing.T) {
	schema, err := os.ReadFile("testdata/sarif.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	diags := hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "Unsupported argument", Detail: "no\n::error::", Subject: &hcl.Range{Filename: "a b/main.hcl", Start: hcl.Pos{Line: 3, Column: 1}}},
		{Severity: hcl.DiagError, Summary: "Unsupported argument", Detail: "no", Subject: &hcl.Range{Filename: "a b/main.hcl", Start: hcl.Pos{Line: 9, Column: 1}}},
		{Severity: hcl.DiagWarning, Summary: "Old"},
	}
	for _, format := range ValidateFormats()[1:] {
		text, err := RenderDiagnostics(nil, diags, format, "1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		switch format {
		case SARIF:
			if err := schematest.CheckWith(string(schema), text); err != nil || !strings.Contains(text, `"a%20b/main.hcl"`) {
				t.Errorf("%v\n%s", err, text)
			}
		case GitHub:
			if strings.Count(text, "\n") != 3 || strings.Count(text, "\n::error::") != 0 {
				t.Errorf("%s", text)
			}
		case Text, AsJSON, Markdown, MarkdownBitbucket, JUnit, CodeInsights, HTML, DOT, Mermaid, SVG:
		}
	}
	found := diagnosticFindings(diags)
	if found[0].fingerprint == found[1].fingerprint {
		t.Error("two mistakes with one fingerprint")
	}
}
