// Package pipelines presents plans and diagnostics to pipelines: SARIF, JUnit,
// GitHub annotations, Bitbucket Code Insights and comments in Markdown.
package pipelines

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/planview"
	"github.com/bbsync/bbsync/internal/sourcepos"
	"github.com/bbsync/bbsync/schema"
)

// A severity of a finding, the gravest first.
type severity int

const (
	isError severity = iota
	isWarning
	isNote
)

// Finding is one thing that differs or is wrong, at its place in the files:
// what SARIF, annotations and Code Insights have in common.
type Finding struct {
	rule        string // stable
	severity    severity
	title       string
	text        string
	at          sourcepos.Position
	fingerprint string // the same for the same finding, wherever in the file it moves
	also        int    // alike findings that this one stands for
}

// PlanFindings returns what differs: of each connection, or of one of each kind
// when alike ones are to be told once. Proofs are no differences.
func PlanFindings(p plan.Plan, once bool) []Finding {
	var out []Finding
	for _, b := range p.Bitbuckets {
		out = append(out, changeFindings("bitbucket."+b.Label, 0, b.Changes, b.Blocks, b.Notes)...)
	}
	g := planview.NewGrouper()
	for _, state := range plan.States() {
		for _, group := range g.Groups(p.Connections, state, !once) {
			c := group.Members[0]
			out = append(out, changeFindings(c.Address, len(group.Members)-1, c.Changes, c.Blocks, c.Notes)...)
		}
	}
	for _, w := range p.Warnings {
		out = append(out, Finding{rule: "note", severity: isNote, title: p.Fleet, text: w.Text, fingerprint: fingerprint("note", p.Fleet, w.ID)})
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return cmp.Compare(a.severity, b.severity) })
	return out
}

func changeFindings[S plan.AnyStep](address string, also int, changes []plan.ChangeOf[S], blocks []plan.Block, notes []plan.Note) []Finding {
	var out []Finding
	ids := planview.NewGrouper()
	add := func(rule string, level severity, key, text string, at hcl.Range) {
		title := address
		if also > 0 {
			title = fmt.Sprintf("%s and %d more", address, also)
		}
		out = append(out, Finding{
			rule: rule, severity: level, title: title, text: text, at: sourcepos.Of(at), also: also,
			fingerprint: fingerprint(rule, address, key),
		})
	}
	for _, b := range blocks {
		add(string(b.Kind), isError, "", sentence(b.Text, b.Remedy), b.At)
	}
	for _, c := range changes {
		kind := strings.ReplaceAll(c.Step.Type().Kind, "_", "-")
		for _, r := range c.Because {
			if len(blocks) == 0 {
				add(kind, isWarning, r.Kind+"\x00"+ids.Without(fields(c.Step)), fmt.Sprintf("%s. To do: %s", planview.ReasonText(r), c.Step), r.At)
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

// fields returns a step's values, which name its object however its text is worded.
func fields(s plan.AnyStep) string {
	text, err := json.Marshal(s)
	if err != nil { // plain data: a bug, not an event
		panic(fmt.Sprintf("encoding %s: %v", s, err))
	}
	return string(text)
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

// DiagnosticFindings returns the mistakes of the files. What moves in the file
// keeps its fingerprint; the same mistake twice in a file is counted.
func DiagnosticFindings(diags hcl.Diagnostics) []Finding {
	var out []Finding
	seen := map[string]int{}
	for _, d := range documents.NewValidate(nil, diags).Diagnostics {
		f := Finding{rule: d.Rule, title: d.Summary, text: d.Summary, at: d.At}
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
