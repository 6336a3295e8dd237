package report

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// githubMost is how many annotations of one kind GitHub shows of a step.
const githubMost = 10

// github returns findings as the workflow commands that GitHub shows beside the
// lines: the gravest first, and one for those that do not fit.
func github(findings []finding) string {
	var b strings.Builder
	shown := map[severity]int{}
	left := map[severity]int{}
	for _, f := range findings {
		if shown[f.severity] == githubMost-1 && f.severity != isError || shown[f.severity] == githubMost {
			left[f.severity]++
			continue
		}
		shown[f.severity]++
		fmt.Fprintf(&b, "::%s", []string{"error", "warning", "notice"}[f.severity])
		sep := " "
		for _, property := range githubProperties(f) {
			b.WriteString(sep + property)
			sep = ","
		}
		fmt.Fprintf(&b, "::%s\n", githubData(f.text))
	}
	if n := left[isError] + left[isWarning] + left[isNote]; n > 0 {
		fmt.Fprintf(&b, "::warning title=bbsync::%s\n", githubData(fmt.Sprintf("%d more findings are not shown here; the log of bbsync plan has all", n)))
	}
	return b.String()
}

func githubProperties(f finding) []string {
	var out []string
	if f.at.File != "" {
		out = append(out, "file="+githubProperty(f.at.File), fmt.Sprintf("line=%d", max(f.at.Line, 1)))
	}
	return append(out, "title="+githubProperty(f.title))
}

// githubData escapes a message, so that no text can begin a command of its own.
func githubData(text string) string {
	return strings.ReplaceAll(plaintext.Line(text), "%", "%25")
}

func githubProperty(text string) string {
	return strings.NewReplacer("%", "%25", ":", "%3A", ",", "%2C").Replace(plaintext.Line(text))
}

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

// codeInsights returns findings for a commit. The report fails only by what is
// wrong: pending changes are what a pull request is for.
func codeInsights(findings []finding, details string, data []insightsData) (string, error) {
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
	return JSON(out)
}

// cut shortens a text to so many bytes, at a character's border.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	text = text[:most-len(insightsElision)]
	return strings.ToValidUTF8(text, "") + insightsElision
}
