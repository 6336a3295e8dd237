package pipelines

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/planview"
)

// The limits of Bitbucket's Code Insights.
const (
	insightsMost    = 1000 // annotations of a report
	insightsText    = 2000 // bytes of a message, and of the details
	insightsID      = 450
	insightsElision = "..."
)

// insights is the two bodies of Bitbucket's REST: the report, which is PUT, and
// its annotations, which are POSTed.
type insights struct {
	Report      insightsReport      `json:"report"`
	Annotations insightsAnnotations `json:"annotations"`
}

type insightsReport struct {
	Title    string         `json:"title"`
	Details  string         `json:"details"`
	Result   string         `json:"result"`
	Reporter string         `json:"reporter"`
	Data     []insightsData `json:"data"`
}

type insightsData struct {
	Title string `json:"title"`
	Type  string `json:"type"`
	Value int    `json:"value"`
}

type insightsAnnotations struct {
	Annotations []insightsAnnotation `json:"annotations"`
}

type insightsAnnotation struct {
	ExternalID string `json:"externalId"`
	Message    string `json:"message"`
	Severity   string `json:"severity"`
	Type       string `json:"type,omitempty"`
	Path       string `json:"path,omitempty"`
	Line       int    `json:"line"`
}

// PlanInsights returns a plan for a commit; details is its text.
func PlanInsights(p plan.Plan, details string) (string, error) {
	s := p.Summary()
	data := []insightsData{{"Connections", "NUMBER", s.Connections}, {"Steps planned", "NUMBER", s.Steps}}
	for _, state := range []plan.State{plan.StateWaiting, plan.StateRefused, plan.StateUnreadable, plan.StateInSync} {
		data = append(data, insightsData{state.String(), "NUMBER", s.States[state]})
	}
	return codeInsights(PlanFindings(p, true), details, data)
}

// DiagnosticInsights returns the diagnostics of a configuration for a commit.
func DiagnosticInsights(diags hcl.Diagnostics) (string, error) {
	doc := documents.NewValidate(nil, diags)
	details := fmt.Sprintf("The configuration: %s, %s.", planview.Count(doc.Errors, "mistake"), planview.Count(doc.Warnings, "warning"))
	return codeInsights(DiagnosticFindings(diags), details, []insightsData{{"Mistakes", "NUMBER", doc.Errors}, {"Warnings", "NUMBER", doc.Warnings}})
}

// codeInsights returns findings for a commit. The report fails only by what is
// wrong: pending changes are what a pull request is for.
func codeInsights(findings []Finding, details string, data []insightsData) (string, error) {
	out := insights{
		Report:      insightsReport{Title: "bbsync", Details: cut(details, insightsText), Result: "PASS", Reporter: "bbsync", Data: data},
		Annotations: insightsAnnotations{Annotations: []insightsAnnotation{}},
	}
	for i, f := range findings {
		if f.severity == isError {
			out.Report.Result = "FAIL"
		}
		if i >= insightsMost {
			continue
		}
		a := insightsAnnotation{
			ExternalID: cut(f.rule+"-"+f.fingerprint, insightsID), Message: cut(plaintext.Line(f.title+": "+f.text), insightsText),
			Severity: []string{"HIGH", "MEDIUM", "LOW"}[f.severity], Path: f.at.File, Line: f.at.Line,
		}
		if f.severity == isError {
			a.Type = "BUG"
		}
		out.Annotations.Annotations = append(out.Annotations.Annotations, a)
	}
	return documents.JSON(out)
}

// cut shortens a text to so many bytes, at a character's border.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	text = text[:most-len(insightsElision)]
	return strings.ToValidUTF8(text, "") + insightsElision
}
