package report

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plan"
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

// PlanFormats returns the formats that RenderPlan knows.
func PlanFormats() []Format {
	return []Format{Text, AsJSON, Markdown, MarkdownBitbucket, SARIF, JUnit, GitHub, CodeInsights, HTML}
}

// RenderPlan returns a plan in a format. kind names it in documents: "plan", or
// "drift" for what is read with no wish to apply.
func RenderPlan(kind string, p plan.Plan, format Format, opts PlanOptions) (string, error) {
	switch format {
	case Text:
		return Plan(p, opts), nil
	case AsJSON:
		return JSON(NewPlanDocument(kind, p))
	case Markdown:
		return markdown(p, githubFlavour()), nil
	case MarkdownBitbucket:
		return markdown(p, bitbucketFlavour()), nil
	case SARIF:
		return sarif(planFindings(p, false), opts.Version)
	case JUnit:
		return junit(p)
	case GitHub:
		return github(planFindings(p, true)), nil
	case CodeInsights:
		return planInsights(p)
	case HTML:
		return Page(p, opts.Now, opts.Version)
	case DOT, Mermaid, SVG:
	}
	return "", fmt.Errorf("a plan has no format %q", format)
}

func planInsights(p plan.Plan) (string, error) {
	s := p.Summary()
	data := []insightsData{{"Connections", "NUMBER", s.Connections}, {"Steps planned", "NUMBER", s.Steps}}
	for _, state := range []plan.State{plan.StateWaiting, plan.StateRefused, plan.StateUnreadable, plan.StateInSync} {
		data = append(data, insightsData{string(state), "NUMBER", s.States[state]})
	}
	return codeInsights(planFindings(p, true), Plan(p, PlanOptions{}), data)
}

// ValidateFormats returns the formats that RenderDiagnostics knows, and text,
// which the schema's Source writes.
func ValidateFormats() []Format { return []Format{Text, AsJSON, SARIF, GitHub, CodeInsights} }

// RenderDiagnostics returns the mistakes of the files in a format; fleet is nil
// when there are errors. version is bbsync's.
func RenderDiagnostics(fleet *schema.Fleet, diags hcl.Diagnostics, format Format, version string) (string, error) {
	doc := NewValidateDocument(fleet, diags)
	switch format {
	case AsJSON:
		return JSON(doc)
	case SARIF:
		return sarif(diagnosticFindings(diags), version)
	case GitHub:
		return github(diagnosticFindings(diags)), nil
	case CodeInsights:
		details := fmt.Sprintf("The configuration: %s, %s.", count(doc.Errors, "mistake"), count(doc.Warnings, "warning"))
		return codeInsights(diagnosticFindings(diags), details, []insightsData{{"Mistakes", "NUMBER", doc.Errors}, {"Warnings", "NUMBER", doc.Warnings}})
	case Text, Markdown, MarkdownBitbucket, JUnit, HTML, DOT, Mermaid, SVG:
	}
	return "", fmt.Errorf("mistakes have no format %q", format)
}
