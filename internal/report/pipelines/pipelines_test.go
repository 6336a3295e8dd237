package pipelines

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/documents/schematest"
	"github.com/bbsync/bbsync/internal/report/reporttest"
)

// text returns what a presentation that cannot fail here returns.
func text(t *testing.T) func(string, error) string {
	t.Helper()
	return func(out string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func sarifOf(t *testing.T, p plan.Plan) string {
	t.Helper()
	return text(t)(SARIF(PlanFindings(p, false), "1.2.3"))
}

func insightsOf(t *testing.T, p plan.Plan) string {
	t.Helper()
	return text(t)(PlanInsights(p, strings.Repeat("details ", 1000)))
}

func githubOf(p plan.Plan) string { return GitHub(PlanFindings(p, true)) }

func TestMarkdown(t *testing.T) {
	reporttest.Golden(t, "plan.md", Markdown(reporttest.Mixed()))
	reporttest.Golden(t, "plan-bitbucket.md", MarkdownBitbucket(reporttest.Mixed()))
	reporttest.Golden(t, "hostile.md", Markdown(reporttest.Hostile()))
}

func TestMarkdownKeepsToTheLimit(t *testing.T) {
	p := reporttest.Wide(2000)
	for format, most := range map[string]int{"github": 65_536, "bitbucket": 32_768} {
		text := Markdown(p)
		if format == "bitbucket" {
			text = MarkdownBitbucket(p)
		}
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
	for name, p := range map[string]plan.Plan{"empty": {}, "mixed": reporttest.Mixed(), "hostile": reporttest.Hostile()} {
		if err := schematest.CheckWith(string(schema), sarifOf(t, p)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(sarifOf(t, reporttest.Mixed())), &log); err != nil {
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
	before, after := reporttest.Mixed(), reporttest.Mixed()
	for i := range after.Connections {
		c := &after.Connections[i]
		c.At.Start.Line += 10
		for j := range c.Changes {
			for k := range c.Changes[j].Because {
				c.Changes[j].Because[k].At.Start.Line += 10
			}
		}
	}
	a, b := PlanFindings(before, false), PlanFindings(after, false)
	for i := range a {
		if a[i].fingerprint != b[i].fingerprint {
			t.Errorf("%s: %s has another fingerprint", a[i].title, a[i].text)
		}
	}
}

func TestJUnitReadsBack(t *testing.T) {
	for name, p := range map[string]plan.Plan{"mixed": reporttest.Mixed(), "hostile": reporttest.Hostile()} {
		var back junitSuites
		if err := xml.Unmarshal([]byte(text(t)(JUnit(p))), &back); err != nil {
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
	for line := range strings.Lines(githubOf(reporttest.Hostile())) {
		if strings.HasPrefix(line, "::notice title=<b>&::the certificate ") {
			continue // of the fleet as a whole: no file
		}
		if !strings.HasPrefix(line, "::warning ") && !strings.HasPrefix(line, "::error ") {
			t.Errorf("not a command: %q", line)
		}
		properties, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), "::")
		if strings.Count(properties, "=") != 3+strings.Count(properties, "src=x")*2 {
			t.Errorf("properties: %q", properties)
		}
	}
	reporttest.Golden(t, "github.txt", githubOf(reporttest.Mixed()))
	if n := strings.Count(githubOf(reporttest.Wide(100)), "::error "); n != githubMost {
		t.Errorf("%d errors", n)
	}
}

func TestCodeInsights(t *testing.T) {
	p := reporttest.Wide(1200)
	p.Connections[0].Blocks[0].Text = strings.Repeat("ä", 3000)
	var got insights
	if err := json.Unmarshal([]byte(insightsOf(t, p)), &got); err != nil {
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
	if err := json.Unmarshal([]byte(insightsOf(t, plan.Plan{Connections: []plan.Connection{reporttest.Fresh("a")}})), &got); err != nil || got.Report.Result != "PASS" {
		t.Errorf("%s, %v", got.Report.Result, err)
	}
}

// The same mistake twice in a file is two findings.
func TestDiagnosticFingerprints(t *testing.T) {
	at := func(line int) *hcl.Range { return &hcl.Range{Filename: "main.hcl", Start: hcl.Pos{Line: line}} }
	found := DiagnosticFindings(hcl.Diagnostics{{Summary: "Unsupported argument", Subject: at(3)}, {Summary: "Unsupported argument", Subject: at(9)}})
	if found[0].fingerprint == found[1].fingerprint {
		t.Error("two mistakes with one fingerprint")
	}
}
