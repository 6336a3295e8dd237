package terminal

import (
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/adopt"
	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/report/planview"
)

const nothingToImport = "Nothing to import.\n"

// Import returns what an import wrote to a file and how many records to Vault, and
// what it could not match.
func Import(found adopt.Proposal, file string, records int) string {
	out := Unmatched(found.Unmatched)
	if len(found.Places) == 0 {
		return out + nothingToImport
	}
	return out + plaintext.Sprintf("Imported %s into %s, %s into Vault. Neither Terraform nor Bitbucket was changed; bbsync plan shows what is left.\n",
		planview.Count(len(found.Places), "connection"), file, planview.Count(records, "record"))
}

// ImportPreview returns what an import would write, and what it could not match.
func ImportPreview(found adopt.Proposal) string {
	out := string(found.HCL) + Unmatched(found.Unmatched)
	if len(found.Places) == 0 {
		return out + nothingToImport
	}
	return out
}

// Unmatched lists objects that match no connection, by kind.
func Unmatched(all []adopt.Unmatched) string {
	var order []adopt.Kind
	texts := map[adopt.Kind][]string{}
	remedies := map[adopt.Kind]string{}
	for _, u := range all {
		if texts[u.Kind] == nil {
			order = append(order, u.Kind)
			remedies[u.Kind] = u.Remedy
		}
		texts[u.Kind] = append(texts[u.Kind], u.Text)
	}
	slices.Sort(order)
	var b strings.Builder
	for _, kind := range order {
		plaintext.Fprintf(&b, "%s (%d)\n", kind, len(texts[kind]))
		if remedies[kind] != "" {
			plaintext.Fprintf(&b, "  %s\n", plaintext.LineStart(remedies[kind]))
		}
		for _, text := range texts[kind] {
			plaintext.Fprintf(&b, "  - %s\n", text)
		}
	}
	if len(order) > 0 {
		plaintext.Fprintf(&b, "\n")
	}
	return b.String()
}
