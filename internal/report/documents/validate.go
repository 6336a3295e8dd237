package documents

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/sourcepos"
	"github.com/bbsync/bbsync/schema"
)

// A Validate is what is wrong with the files.
type Validate struct {
	Header
	Valid       bool         `json:"valid"`
	Fleet       string       `json:"fleet,omitempty"`
	Connections int          `json:"connections"`
	Errors      int          `json:"errors"`
	Warnings    int          `json:"warnings"`
	Diagnostics []Diagnostic `json:"diagnostics"`
}

// A Diagnostic is one mistake.
type Diagnostic struct {
	Severity string             `json:"severity"` // "error" or "warning"
	Rule     string             `json:"rule"`     // stable name; "" for none
	Summary  string             `json:"summary"`
	Detail   string             `json:"detail,omitempty"`
	At       sourcepos.Position `json:"at"`
}

// NewValidate returns what loading found; fleet is nil when the files
// have errors.
func NewValidate(fleet *schema.Fleet, diags hcl.Diagnostics) Validate {
	out := Validate{Header: header("validate"), Valid: fleet != nil, Diagnostics: []Diagnostic{}}
	if fleet != nil {
		out.Fleet, out.Connections = fleet.Name, len(fleet.Connections)
	}
	for _, d := range diags {
		severity := "error"
		if d.Severity == hcl.DiagWarning {
			severity = "warning"
			out.Warnings++
		} else {
			out.Errors++
		}
		doc := Diagnostic{Severity: severity, Rule: string(schema.RuleOf(d)), Summary: d.Summary, Detail: d.Detail}
		if d.Subject != nil {
			doc.At = sourcepos.Of(*d.Subject)
		}
		out.Diagnostics = append(out.Diagnostics, doc)
	}
	return out
}
