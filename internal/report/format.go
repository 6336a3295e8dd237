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
	Text   Format = "text"
	AsJSON Format = "json"
)

// PlanFormats returns the formats that RenderPlan knows.
func PlanFormats() []Format { return []Format{Text, AsJSON} }

// RenderPlan returns a plan in a format. kind names it in documents: "plan", or
// "drift" for what is read with no wish to apply.
func RenderPlan(kind string, p plan.Plan, format Format, opts PlanOptions) (string, error) {
	switch format {
	case Text:
		return Plan(p, opts), nil
	case AsJSON:
		return JSON(NewPlanDocument(kind, p))
	}
	return "", fmt.Errorf("a plan has no format %q", format)
}

// ValidateFormats returns the formats that RenderDiagnostics knows, and text,
// which the schema's Source writes.
func ValidateFormats() []Format { return []Format{Text, AsJSON} }

// RenderDiagnostics returns the mistakes of the files in a format; fleet is nil
// when there are errors.
func RenderDiagnostics(fleet *schema.Fleet, diags hcl.Diagnostics, format Format) (string, error) {
	if format == AsJSON {
		return JSON(NewValidateDocument(fleet, diags))
	}
	return "", fmt.Errorf("mistakes have no format %q", format)
}
