// Package report presents plans, drift, diagnoses, diagnostics and fleets in the
// formats that a user can ask for. It decides nothing, prints nothing and asks no
// system.
package report

import (
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/doctor"
	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/graph"
	"github.com/bbsync/bbsync/internal/report/page"
	"github.com/bbsync/bbsync/internal/report/pipelines"
	"github.com/bbsync/bbsync/internal/report/terminal"
	"github.com/bbsync/bbsync/schema"
)

// A Format is a form that a result can have.
type Format string

// The formats.
const (
	Text              Format = "text"
	AsJSON            Format = "json"
	Markdown          Format = "markdown"           // for GitHub
	MarkdownBitbucket Format = "markdown-bitbucket" // shorter, without what Bitbucket does not know
	SARIF             Format = "sarif"
	JUnit             Format = "junit"
	GitHub            Format = "github"        // annotations of a workflow's log
	CodeInsights      Format = "code-insights" // a report of Bitbucket's REST
	HTML              Format = "html"          // one page
	DOT               Format = "dot"           // a graph for Graphviz
	Mermaid           Format = "mermaid"       // a graph for Markdown
	SVG               Format = "svg"           // a graph as a picture
)

// PlanFormats returns the formats of a plan, and of drift.
func PlanFormats() []Format {
	return []Format{Text, AsJSON, Markdown, MarkdownBitbucket, SARIF, JUnit, GitHub, CodeInsights, HTML}
}

// DoctorFormats returns the formats of a diagnosis.
func DoctorFormats() []Format { return []Format{Text, AsJSON} }

// ValidateFormats returns the formats of diagnostics: those of RenderDiagnostics,
// and text, which the schema's Source writes.
func ValidateFormats() []Format { return []Format{Text, AsJSON, SARIF, GitHub, CodeInsights} }

// GraphFormats returns the formats of a graph.
func GraphFormats() []Format { return []Format{DOT, Mermaid, SVG} }

// unknown is the error for a format that something does not have.
func unknown(what string, format Format) error {
	return fmt.Errorf("there is no format %q for %s", format, what)
}

// PlanOptions say how a plan is shown.
type PlanOptions struct {
	terminal.Options
	Version string    // of bbsync, for the formats that name it
	Now     time.Time // when it was read, for the page
}

// RenderPlan returns a plan in a format.
func RenderPlan(p plan.Plan, format Format, opts PlanOptions) (string, error) {
	switch format {
	case Text:
		return terminal.Plan(p, opts.Options), nil
	case AsJSON:
		return documents.JSON(documents.NewPlan(p))
	case Markdown:
		return pipelines.Markdown(p), nil
	case MarkdownBitbucket:
		return pipelines.MarkdownBitbucket(p), nil
	case SARIF:
		return pipelines.SARIF(pipelines.PlanFindings(p, false), opts.Version)
	case JUnit:
		return pipelines.JUnit(p)
	case GitHub:
		return pipelines.GitHub(pipelines.PlanFindings(p, true)), nil
	case CodeInsights:
		return pipelines.PlanInsights(p, terminal.Plan(p, terminal.Options{}))
	case HTML:
		return page.HTML(p, opts.Now, opts.Version)
	case DOT, Mermaid, SVG:
	}
	return "", unknown("a plan", format)
}

// RenderDrift returns drift in a format; ok is false for the formats in which it is
// shown as a plan.
func RenderDrift(d drift.Report, format Format, style terminal.Style) (out string, ok bool, err error) {
	switch format {
	case Text:
		return terminal.Drift(d, style), true, nil
	case AsJSON:
		out, err = documents.JSON(documents.NewDrift(d))
		return out, true, err
	case Markdown, MarkdownBitbucket, SARIF, JUnit, GitHub, CodeInsights, HTML, DOT, Mermaid, SVG:
	}
	return "", false, nil
}

// RenderDoctor returns a diagnosis in a format.
func RenderDoctor(fleet string, r doctor.Report, format Format, opts terminal.Options) (string, error) {
	switch format {
	case Text:
		return terminal.Doctor(r, opts), nil
	case AsJSON:
		return documents.JSON(documents.NewDoctor(fleet, r))
	case Markdown, MarkdownBitbucket, SARIF, JUnit, GitHub, CodeInsights, HTML, DOT, Mermaid, SVG:
	}
	return "", unknown("a diagnosis", format)
}

// RenderDiagnostics returns the diagnostics of a configuration in a format; fleet is
// nil when there are errors. version is bbsync's.
func RenderDiagnostics(fleet *schema.Fleet, diags hcl.Diagnostics, format Format, version string) (string, error) {
	switch format {
	case AsJSON:
		return documents.JSON(documents.NewValidate(fleet, diags))
	case SARIF:
		return pipelines.SARIF(pipelines.DiagnosticFindings(diags), version)
	case GitHub:
		return pipelines.GitHub(pipelines.DiagnosticFindings(diags)), nil
	case CodeInsights:
		return pipelines.DiagnosticInsights(diags)
	case Text, Markdown, MarkdownBitbucket, JUnit, HTML, DOT, Mermaid, SVG:
	}
	return "", unknown("diagnostics", format)
}

// RenderGraph returns a fleet as a graph in a format.
func RenderGraph(fleet *schema.Fleet, format Format) (string, error) {
	switch format {
	case DOT:
		return graph.DOT(fleet), nil
	case Mermaid:
		return graph.Mermaid(fleet), nil
	case SVG:
		return graph.SVG(fleet), nil
	case Text, AsJSON, Markdown, MarkdownBitbucket, SARIF, JUnit, GitHub, CodeInsights, HTML:
	}
	return "", unknown("a graph", format)
}
