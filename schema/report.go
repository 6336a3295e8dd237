package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// A problem is one mistake before it is shown.
type problem struct {
	rule    Rule
	warning bool
	at      hcl.Range // zero for none
	summary string
	detail  string
	hint    string
	in      string // address of the instance it was found in, "" where the place says it all
}

// A finding is a problem with the other instances that have it too: a mistake
// in a for_each block is shown once, not once per instance.
type finding struct {
	problem
	also []string
	more int
}

// A reporter collects problems. It drops repetitions, and on output removes
// whatever looks like a secret.
type reporter struct {
	list []*finding
	seen map[problemKey]*finding
	mask *masker
}

type problemKey struct {
	rule    Rule
	at      hcl.Range
	summary string
}

func newReporter(m *masker) *reporter {
	return &reporter{seen: map[problemKey]*finding{}, mask: m}
}

// alsoShown is how many of the other instances are named.
const alsoShown = 3

func (r *reporter) add(p problem) {
	key := problemKey{p.rule, p.at, p.summary}
	have, ok := r.seen[key]
	if !ok {
		f := &finding{problem: p}
		r.seen[key] = f
		r.list = append(r.list, f)
		return
	}
	if p.in == "" || p.in == have.in || slices.Contains(have.also, p.in) {
		return
	}
	if len(have.also) < alsoShown {
		have.also = append(have.also, p.in)
	} else {
		have.more++
	}
}

func (r *reporter) failed() bool {
	return slices.ContainsFunc(r.list, func(f *finding) bool { return !f.warning })
}

// diagnostics returns what was found, in the order of the files.
func (r *reporter) diagnostics() hcl.Diagnostics {
	sorted := slices.Clone(r.list)
	slices.SortStableFunc(sorted, func(a, b *finding) int {
		return cmp.Or(cmp.Compare(a.at.Filename, b.at.Filename), cmp.Compare(a.at.Start.Byte, b.at.Start.Byte))
	})
	var out hcl.Diagnostics
	for _, f := range sorted {
		out = append(out, r.diagnostic(f))
	}
	return out
}

// diagnostic leaves hcl's Expression and EvalContext out on purpose: with them
// the writer prints values of variables.
func (r *reporter) diagnostic(f *finding) *hcl.Diagnostic {
	d := &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  visible(r.mask.text(f.summary)),
		Detail:   visible(r.mask.text(f.text())),
		Extra:    f.rule,
	}
	if f.warning {
		d.Severity = hcl.DiagWarning
	}
	if f.at.Filename != "" {
		at := f.at
		d.Subject = &at
	}
	return d
}

// visible writes what a terminal would obey, and what nobody would see, as escapes:
// messages repeat what a CSV file or the environment holds.
func visible(text string) string {
	var out strings.Builder
	for _, r := range text {
		if strconv.IsPrint(r) || r == '\n' || r == '\t' {
			out.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		out.WriteString(quoted[1 : len(quoted)-1])
	}
	return out.String()
}

func (f *finding) text() string {
	parts := []string{f.detail}
	if f.in != "" {
		parts = append(parts, f.where())
	}
	if f.hint != "" {
		parts = append(parts, "Hint: "+f.hint)
	}
	return strings.Join(parts, "\n")
}

func (f *finding) where() string {
	text := "Found in " + f.in
	if len(f.also) == 0 {
		return text + "."
	}
	text += ", also in " + strings.Join(f.also, ", ")
	if f.more > 0 {
		text += fmt.Sprintf(" and %d more", f.more)
	}
	return text + "."
}

// place writes a range as people quote it.
func place(r hcl.Range) string {
	return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line)
}
