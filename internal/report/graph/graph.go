// Package graph draws who is connected to what, as the configuration says.
package graph

import (
	"fmt"
	"html"
	"strings"
	"unicode"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/report/planview"
	"github.com/bbsync/bbsync/schema"
)

// mostAlone is how many connections get a node each; of more, those of one
// block share one.
const mostAlone = 60

// A graph is nodes in columns: Terraforms, organizations, Bitbuckets,
// repositories.
type graph struct {
	columns [4][]int // indexes of nodes
	nodes   []node
	edges   []edge
	index   map[string]int
}

type node struct {
	title, below string
	column       int
	members      int
}

type edge struct {
	from, to int
	label    string
}

// DOT returns a fleet as a graph for Graphviz.
func DOT(fleet *schema.Fleet) string { return graphOf(fleet).dot() }

// Mermaid returns a fleet as a graph for Markdown.
func Mermaid(fleet *schema.Fleet) string { return graphOf(fleet).mermaid() }

// SVG returns a fleet as a picture.
func SVG(fleet *schema.Fleet) string { return graphOf(fleet).svg() }

func graphOf(fleet *schema.Fleet) *graph {
	g := &graph{index: map[string]int{}}
	for _, c := range fleet.Connections {
		terraform := g.node("t|"+c.Terraform.Label, 0, "terraform."+c.Terraform.Label, c.Terraform.Address)
		key, title, below := "c|"+c.Address, c.Organization, c.Address
		if len(fleet.Connections) > mostAlone {
			key, title, below = "b|"+c.Block+"|"+c.Terraform.Label+"|"+c.Bitbucket.Label, "connection."+c.Block, ""
		}
		organization := g.node(key, 1, title, below)
		g.nodes[organization].members++
		bitbucket := g.node("s|"+c.Bitbucket.Label, 2, "bitbucket."+c.Bitbucket.Label, c.Bitbucket.URL)
		g.edge(terraform, organization, "")
		g.edge(organization, bitbucket, c.ServiceUser)
		for _, grant := range c.Grants {
			name := grant.Project + "/" + grant.Repository
			if grant.Repository == "" {
				name = grant.Project
			}
			g.edge(bitbucket, g.node("r|"+c.Bitbucket.Label+"|"+name, 3, name, ""), grant.Permission)
		}
	}
	for i, n := range g.nodes {
		if n.column == 1 && n.below == "" {
			g.nodes[i].below = planview.Count(n.members, "organization")
		}
	}
	return g
}

// node returns the node with this key, made where it is not there.
func (g *graph) node(key string, column int, title, below string) int {
	if i, ok := g.index[key]; ok {
		return i
	}
	i := len(g.nodes)
	g.index[key] = i
	g.nodes = append(g.nodes, node{title: plaintext.Line(title), below: plaintext.Line(below), column: column})
	g.columns[column] = append(g.columns[column], i)
	return i
}

func (g *graph) edge(from, to int, label string) {
	key := fmt.Sprintf("e|%d|%d|%s", from, to, label)
	if _, ok := g.index[key]; ok {
		return
	}
	g.index[key] = len(g.edges)
	g.edges = append(g.edges, edge{from, to, plaintext.Line(label)})
}

func (n node) lines() []string {
	if n.below == "" {
		return []string{n.title}
	}
	return []string{n.title, n.below}
}

func (g *graph) dot() string {
	quote := func(text string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
	}
	var b strings.Builder
	b.WriteString("digraph bbsync {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n")
	for i, n := range g.nodes {
		fmt.Fprintf(&b, "  n%d [label=%s];\n", i, quote(strings.Join(n.lines(), "\n")))
	}
	for _, e := range g.edges {
		fmt.Fprintf(&b, "  n%d -> n%d [label=%s];\n", e.from, e.to, quote(e.label))
	}
	return b.String() + "}\n"
}

func (g *graph) mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i, n := range g.nodes {
		var lines []string
		for _, line := range n.lines() {
			lines = append(lines, mermaidText(line))
		}
		fmt.Fprintf(&b, "  n%d[\"%s\"]\n", i, strings.Join(lines, "<br/>"))
	}
	for _, e := range g.edges {
		if e.label == "" {
			fmt.Fprintf(&b, "  n%d --> n%d\n", e.from, e.to)
		} else {
			fmt.Fprintf(&b, "  n%d -->|\"%s\"| n%d\n", e.from, mermaidText(e.label), e.to)
		}
	}
	return b.String()
}

// mermaidText writes what could mean something to Mermaid or HTML as character
// codes.
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" -_.,:/", r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}

// The picture's measures.
const (
	svgWidth, svgGap  = 230, 110
	svgHeight, svgRow = 44, 58
	svgMargin         = 16
	svgMostCharacters = 34
)

// svg draws the columns side by side, each in the middle of the height.
func (g *graph) svg() string {
	rows := 1
	for _, column := range g.columns {
		rows = max(rows, len(column))
	}
	height := 2*svgMargin + rows*svgRow
	width := 2*svgMargin + 4*svgWidth + 3*svgGap
	x, y := make([]int, len(g.nodes)), make([]int, len(g.nodes))
	for c, column := range g.columns {
		for i, n := range column {
			x[n] = svgMargin + c*(svgWidth+svgGap)
			y[n] = svgMargin + (rows-len(column))*svgRow/2 + i*svgRow
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="system-ui, sans-serif">`, width, height, width, height)
	fmt.Fprintf(&b, "\n<title>%d nodes, %d connections between them</title>\n", len(g.nodes), len(g.edges))
	b.WriteString("<style>rect{fill:#f5f7fa;stroke:#8a96a5}path{fill:none;stroke:#8a96a5}text{fill:#1b2430;font-size:13px}.b{fill:#5b6675;font-size:11px}" +
		"@media(prefers-color-scheme:dark){rect{fill:#1a212b}text{fill:#e4e9f0}.b{fill:#9ba8b8}}</style>\n")
	for _, e := range g.edges {
		x1, y1, x2, y2 := x[e.from]+svgWidth, y[e.from]+svgHeight/2, x[e.to], y[e.to]+svgHeight/2
		fmt.Fprintf(&b, `<path d="M%d %dC%d %d %d %d %d %d"/>`, x1, y1, (x1+x2)/2, y1, (x1+x2)/2, y2, x2, y2)
		fmt.Fprintf(&b, "<text class=\"b\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", x2-4, y2-5, html.EscapeString(shortened(e.label, svgGap/6)))
	}
	for i, n := range g.nodes {
		fmt.Fprintf(&b, `<g><title>%s</title><rect x="%d" y="%d" width="%d" height="%d" rx="8"/>`, html.EscapeString(strings.Join(n.lines(), " ")), x[i], y[i], svgWidth, svgHeight)
		first := y[i] + 26
		if n.below != "" {
			first = y[i] + 19
			fmt.Fprintf(&b, `<text class="b" x="%d" y="%d">%s</text>`, x[i]+10, y[i]+35, html.EscapeString(shortened(n.below, svgMostCharacters)))
		}
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\">%s</text></g>\n", x[i]+10, first, html.EscapeString(shortened(n.title, svgMostCharacters-4)))
	}
	return b.String() + "</svg>\n"
}

// shortened cuts a text to so many characters.
func shortened(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
