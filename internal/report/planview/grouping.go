package planview

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bbsync/bbsync/internal/plan"
)

// Group is connections whose plans have the same steps for the same kinds of
// reasons, in the order of the configuration.
type Group struct {
	Members []plan.Connection
	Lines   []Line // of the first
	// Variants counts, for each line, the texts that differ by more than names
	// and ids: 1 where all members say the same.
	Variants []int
}

// Addresses returns the addresses of all members.
func (g Group) Addresses() []string {
	out := make([]string, len(g.Members))
	for i, c := range g.Members {
		out[i] = c.Address
	}
	return out
}

// Sameness says what the members have in common.
func (g Group) Sameness() string {
	switch c := g.Members[0]; {
	case len(c.Blocks) > 0:
		return "the same obstacle"
	case len(c.Changes) == 1:
		return "the same step"
	case len(c.Changes) == 0:
		return "the same notes"
	default:
		return fmt.Sprintf("the same %d steps", len(c.Changes))
	}
}

// Grouper finds identical connections. Two texts are identical when they differ
// only by the organization, what is derived from its name, ids, fingerprints and
// dates.
type Grouper struct {
	ids    *regexp.Regexp
	digits *regexp.Regexp
}

// NewGrouper returns a Grouper.
func NewGrouper() *Grouper {
	return &Grouper{
		ids: regexp.MustCompile(`SHA256:[A-Za-z0-9+/]+=*` +
			`|\b[0-9a-f]{2}(?::[0-9a-f]{2}){7,}\b` +
			`|\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]{5})` +
			`|\b(?:oc|ot|ws|org|prj|apool|user|at)-[A-Za-z0-9]{6,}\b` +
			`|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b` +
			`|\b(?:[A-Za-z_-]*[0-9]){2}[A-Za-z0-9_-]{14,}\b`),
		digits: regexp.MustCompile(`[0-9]+`),
	}
}

// Groups returns the connections in one state: identical ones together unless
// apart, in the order of the first of each.
func (g *Grouper) Groups(connections []plan.Connection, state plan.State, apart bool) []Group {
	var out []Group
	index := map[string]int{}
	for _, c := range connections {
		if c.State() != state {
			continue
		}
		key := c.Address
		if !apart {
			key = g.shape(c)
		}
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, Group{})
		}
		out[i].Members = append(out[i].Members, c)
	}
	for i := range out {
		g.compare(&out[i], apart)
	}
	return out
}

// shape names the kinds of steps, reasons and notes, and what the blocks say.
func (g *Grouper) shape(c plan.Connection) string {
	var b strings.Builder
	b.WriteString(c.Bitbucket + "|" + c.Terraform)
	for _, change := range c.Changes {
		b.WriteString("|" + change.Step.Type().Kind)
		for _, r := range change.Because {
			fmt.Fprintf(&b, ",%s,%t", r.Kind, r.Live == "")
		}
	}
	for _, block := range c.Blocks {
		fmt.Fprintf(&b, "|%s %s", block.Kind, g.digits.ReplaceAllString(g.plain(block.Text, c), "#"))
	}
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "|%t", n.Warning)
	}
	return b.String()
}

// compare fills in what the members of a group say differently.
func (g *Grouper) compare(gr *Group, verbose bool) {
	first := gr.Members[0]
	gr.Lines = Lines(first.Changes, first.Blocks, first.Notes, verbose)
	gr.Variants = make([]int, len(gr.Lines))
	seen := make([]map[string]bool, len(gr.Lines))
	for i, e := range gr.Lines {
		seen[i] = map[string]bool{g.plain(e.Text, first): true}
	}
	for _, c := range gr.Members[1:] {
		for i, e := range Lines(c.Changes, c.Blocks, c.Notes, verbose) {
			if i < len(seen) && e.Text != gr.Lines[i].Text {
				seen[i][g.plain(e.Text, c)] = true
			}
		}
	}
	for i := range seen {
		gr.Variants[i] = len(seen[i])
	}
}

// plain takes out of a text what is the connection's own.
func (g *Grouper) plain(text string, c plan.Connection) string {
	return g.Without(text, c.Address, c.LinkURL, c.Record, c.Organization)
}

// Without takes names out of a text, the longest first, and whatever is an id.
func (g *Grouper) Without(text string, names ...string) string {
	slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) })
	for _, name := range names {
		text = replaceWord(text, name, "*")
	}
	return g.ids.ReplaceAllString(text, "#")
}

// replaceWord replaces a name where it stands alone, not inside of a word.
func replaceWord(text, name, by string) string {
	if name == "" || !strings.Contains(text, name) {
		return text
	}
	var b strings.Builder
	for {
		i := strings.Index(text, name)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(name):])
		b.WriteString(text[:i])
		if inWord(before) || inWord(after) {
			b.WriteString(name)
		} else {
			b.WriteString(by)
		}
		text = text[i+len(name):]
	}
}

func inWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// AddressList shortens a list of addresses for a line or two.
func AddressList(names []string) string {
	const most = 6
	text := AddressesTo(names, most)
	if len(names) > most+1 {
		text += " (--verbose shows all)"
	}
	return text
}

// AddressesTo names the first and the last of many addresses: the block is
// named where it changes.
func AddressesTo(names []string, most int) string {
	var b strings.Builder
	block := ""
	for i, address := range names {
		last := i == len(names)-1
		if i >= most && !last {
			continue
		}
		switch {
		case i == 0:
		case last && i > most:
			b.WriteString(", ... ")
		default:
			b.WriteString(", ")
		}
		name, key, found := strings.Cut(address, "[")
		if found && name == block {
			b.WriteString("[" + key)
		} else {
			b.WriteString(address)
		}
		block = name
	}
	return b.String()
}
