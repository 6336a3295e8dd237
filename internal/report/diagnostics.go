package report

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/schema"
)

// A ValidateDocument is what is wrong with the files.
type ValidateDocument struct {
	Header
	Valid       bool                 `json:"valid"`
	Fleet       string               `json:"fleet,omitempty"`
	Connections int                  `json:"connections"`
	Errors      int                  `json:"errors"`
	Warnings    int                  `json:"warnings"`
	Diagnostics []DiagnosticDocument `json:"diagnostics"`
}

// A DiagnosticDocument is one mistake.
type DiagnosticDocument struct {
	Severity string        `json:"severity"` // "error" or "warning"
	Rule     string        `json:"rule"`     // stable name; "" for none
	Summary  string        `json:"summary"`
	Detail   string        `json:"detail,omitempty"`
	At       PlaceDocument `json:"at"`
}

// NewValidateDocument returns what loading found; fleet is nil when the files
// have errors.
func NewValidateDocument(fleet *schema.Fleet, diags hcl.Diagnostics) ValidateDocument {
	out := ValidateDocument{Header: header("validate"), Valid: fleet != nil, Diagnostics: []DiagnosticDocument{}}
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
		doc := DiagnosticDocument{Severity: severity, Rule: string(schema.RuleOf(d)), Summary: d.Summary, Detail: d.Detail}
		if d.Subject != nil {
			doc.At = NewPlaceDocument(*d.Subject)
		}
		out.Diagnostics = append(out.Diagnostics, doc)
	}
	return out
}

// A VersionDocument says what runs.
type VersionDocument struct {
	Header
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Date     string `json:"date"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// NewVersionDocument returns the document of the version.
func NewVersionDocument(version, commit, date, goVersion, platform string) VersionDocument {
	return VersionDocument{header("version"), version, commit, date, goVersion, platform}
}
