package pipelines

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/planview"
)

// A flavour is what a place for Markdown can take.
type flavour struct {
	most    int  // bytes
	details bool // knows <details>
}

// Markdown returns a plan for a pull request on GitHub, whose comments end at 65,536
// characters. Some are left for what a pipeline puts around them.
func Markdown(p plan.Plan) string { return markdown(p, flavour{most: 65_000, details: true}) }

// MarkdownBitbucket returns a plan for a pull request on Bitbucket, whose comments
// end at 32,768 characters.
func MarkdownBitbucket(p plan.Plan) string { return markdown(p, flavour{most: 32_000}) }

// markdown returns a plan for a pull request: counts, what removes something,
// what waits for a person, what cannot be done, then the changes. What does not
// fit is left out from the end, and said so.
func markdown(p plan.Plan, f flavour) string {
	s := p.Summary()
	var b strings.Builder
	fmt.Fprintf(&b, "## bbsync: %s\n\n%s\n", headline(s), counts(s))
	if n := removals(p); n > 0 {
		fmt.Fprintf(&b, "\n**Removes something: %s.**\n", planview.Count(n, "step"))
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "\n**Warning:** %s\n", code(w.Text))
	}
	sections, connections := markdownSections(p, f)
	left := 0
	const tail = 200
	for i, section := range sections {
		if left > 0 || b.Len()+len(section) > f.most-tail {
			left += connections[i]
			continue
		}
		b.WriteString(section)
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n_%s more not shown: this comment is as long as it may be. `bbsync plan` shows all._\n", planview.Count(left, "plan"))
	}
	return b.String()
}

func headline(s plan.Summary) string {
	switch {
	case s.States[plan.StateInSync] == s.Connections && s.Steps == 0:
		return planview.Count(s.Connections, "connection") + " in sync"
	case s.Steps == 0:
		return "nothing to apply, but not in sync"
	}
	return planview.Count(s.Steps, "step") + " planned"
}

func counts(s plan.Summary) string {
	heads, lines, values := []string{"connections"}, []string{"---:"}, []string{fmt.Sprint(s.Connections)}
	for _, state := range plan.States() {
		if n := s.States[state]; n > 0 {
			heads, lines, values = append(heads, state.String()), append(lines, "---:"), append(values, fmt.Sprint(n))
		}
	}
	row := func(cells []string) string { return "| " + strings.Join(cells, " | ") + " |" }
	return row(heads) + "\n" + row(lines) + "\n" + row(values)
}

func removals(p plan.Plan) int {
	n := 0
	for _, c := range p.Connections {
		for _, change := range c.Changes {
			if change.Step.Type().Symbol == "-" && len(c.Blocks) == 0 {
				n++
			}
		}
	}
	return n
}

// markdownSections returns the sections in the order of their importance, and
// how many connections each is of.
func markdownSections(p plan.Plan, f flavour) (sections []string, connections []int) {
	g := planview.NewGrouper()
	add := func(section string, n int) {
		sections = append(sections, section)
		connections = append(connections, n)
	}
	groups := func(state plan.State) {
		for _, gr := range g.Groups(p.Connections, state, false) {
			if state != plan.StateInSync || len(gr.Lines) > 0 {
				add(markdownGroup(gr, state, f), len(gr.Members))
			}
		}
	}
	for _, state := range []plan.State{plan.StateWaiting, plan.StateUnreadable, plan.StateRefused, plan.StateLeased} {
		groups(state)
	}
	for _, b := range p.Bitbuckets {
		if lines := planview.Lines(b.Changes, b.Blocks, b.Notes, false); len(lines) > 0 {
			title := fmt.Sprintf("%s, for all its connections: %s", code(b.Address()), b.State().String())
			add(markdownSection(title, fenced(lines, nil), f), 1)
		}
	}
	groups(plan.StateChanges)
	groups(plan.StateInSync)
	return sections, connections
}

func markdownGroup(g planview.Group, state plan.State, f flavour) string {
	first := g.Members[0]
	title := fmt.Sprintf("%s: %s", code(first.Address), state.String())
	body := fenced(g.Lines, g.Variants)
	if n := len(g.Members); n > 1 {
		title = fmt.Sprintf("%d connections: %s, %s", n, state.String(), g.Sameness())
		body = fmt.Sprintf("As of %s, and alike: %s\n\n", code(first.Address), code(strings.TrimSuffix(planview.AddressList(g.Addresses()[1:]), " (--verbose shows all)"))) + body
	}
	return markdownSection(title, body, f)
}

func markdownSection(title, body string, f flavour) string {
	if f.details {
		return fmt.Sprintf("\n<details><summary>%s</summary>\n\n%s\n</details>\n", htmlTitle(title), body)
	}
	return fmt.Sprintf("\n### %s\n\n%s", title, body)
}

// htmlTitle writes a title in HTML, where Markdown's code marks mean nothing.
func htmlTitle(title string) string {
	text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(title)
	for strings.Count(text, "`") >= 2 {
		text = strings.Replace(strings.Replace(text, "`", "<code>", 1), "`", "</code>", 1)
	}
	return text
}

// fenced writes lines where nothing in them means anything: in a fence that is
// longer than any within.
func fenced(lines []planview.Line, variants []int) string {
	var b strings.Builder
	for i, e := range lines {
		note := ""
		if i < len(variants) && variants[i] > 1 {
			note = fmt.Sprintf("[differs among them: %d kinds]", variants[i])
		}
		b.WriteString(e.Annotated(note) + "\n")
	}
	fence := "```"
	for strings.Contains(b.String(), fence) {
		fence += "`"
	}
	return fence + "diff\n" + b.String() + fence + "\n"
}

// code writes a name so that nothing in it means anything. Names are of one
// line.
func code(text string) string {
	text = strings.ReplaceAll(plaintext.Line(text), "`", "'")
	return "`" + text + "`"
}
