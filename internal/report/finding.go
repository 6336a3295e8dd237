package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// A severity of a finding, the gravest first.
type severity int

const (
	isError severity = iota
	isWarning
	isNote
)

// A finding is one thing that differs or is wrong, at its place in the files:
// what SARIF, annotations and Code Insights have in common.
type finding struct {
	rule        string // stable
	severity    severity
	title       string
	text        string
	at          PlaceDocument
	fingerprint string // the same for the same finding, wherever in the file it moves
	also        int    // alike findings that this one stands for
}

// planFindings returns what differs: of each connection, or of one of each kind
// when alike ones are to be told once. Proofs are no differences.
func planFindings(p plan.Plan, once bool) []finding {
	var out []finding
	for _, b := range p.Bitbuckets {
		out = append(out, changeFindings("bitbucket."+b.Label, 0, b.Changes, b.Blocks, b.Notes)...)
	}
	g := newGrouper()
	for _, state := range states() {
		for _, group := range g.groups(p.Connections, state, !once) {
			c := group.members[0]
			out = append(out, changeFindings(c.Address, len(group.members)-1, c.Changes, c.Blocks, c.Notes)...)
		}
	}
	slices.SortStableFunc(out, func(a, b finding) int { return cmp.Compare(a.severity, b.severity) })
	return out
}

func changeFindings(address string, also int, changes []plan.Change, blocks []plan.Block, notes []plan.Note) []finding {
	var out []finding
	ids := newGrouper()
	add := func(rule string, level severity, key, text string, at hcl.Range) {
		title := address
		if also > 0 {
			title = fmt.Sprintf("%s and %d more", address, also)
		}
		out = append(out, finding{
			rule: rule, severity: level, title: title, text: text, at: NewPlaceDocument(at), also: also,
			fingerprint: fingerprint(rule, address, key),
		})
	}
	for _, b := range blocks {
		add(string(b.Kind), isError, "", sentence(b.Text, b.Remedy), b.At)
	}
	for _, c := range changes {
		kind := strings.ReplaceAll(c.Step.Kind(), "_", "-")
		for _, r := range c.Because {
			if len(blocks) == 0 {
				add(kind, isWarning, r.What+"\x00"+ids.without(c.Step.String()), fmt.Sprintf("%s. To do: %s", reasonText(r), c.Step), r.At)
			}
		}
	}
	for _, n := range notes {
		if n.Warning {
			add("note", isNote, n.Text, n.Text, n.At)
		}
	}
	return out
}

func sentence(text, remedy string) string {
	if remedy == "" {
		return text
	}
	return text + ". Remedy: " + remedy
}

func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:32]
}

// diagnosticFindings returns the mistakes of the files. What moves in the file
// keeps its fingerprint; the same mistake twice in a file is counted.
func diagnosticFindings(diags hcl.Diagnostics) []finding {
	var out []finding
	seen := map[string]int{}
	for _, d := range NewValidateDocument(nil, diags).Diagnostics {
		f := finding{rule: d.Rule, title: d.Summary, text: d.Summary, at: d.At}
		if f.rule == "" {
			f.rule = "other"
		}
		if d.Severity == "warning" {
			f.severity = isWarning
		}
		if d.Detail != "" {
			f.text += ". " + d.Detail
		}
		key := strings.Join([]string{f.rule, d.At.File, d.Summary}, "\x00")
		f.fingerprint = fingerprint(key, fmt.Sprint(seen[key]))
		seen[key]++
		out = append(out, f)
	}
	return out
}

// ruleText says what a rule of a plan's finding is about. Those of mistakes are
// the schema's own.
func ruleText(rule string) string {
	for _, r := range schema.Rules() {
		if string(r.Rule) == rule {
			return r.Text
		}
	}
	switch rule {
	case string(plan.Unreadable):
		return "A system did not answer, so nothing is known of the connection."
	case string(plan.Refused):
		return "A safety rule forbids the change."
	case string(plan.Leased):
		return "Another apply is at the connection."
	case string(plan.Invalid):
		return "What the files ask for cannot be."
	case "note":
		return "Something to know."
	case "authorize":
		return "A person must authorize the connection."
	}
	return "The live state differs from the files: apply would " + strings.ReplaceAll(rule, "-", " ") + "."
}
