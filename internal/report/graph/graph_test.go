package graph

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/report/reporttest"
	"github.com/bbsync/bbsync/schema"
)

func graphFleet(n int, name string) *schema.Fleet {
	terraform := &schema.Terraform{Label: "hcp", Address: "https://app.terraform.io"}
	bitbucket := &schema.Bitbucket{Label: "corp", URL: "https://bitbucket.example.com"}
	f := &schema.Fleet{Name: "corp"}
	for i := range n {
		organization := fmt.Sprintf("%s%d", name, i)
		f.Connections = append(f.Connections, &schema.Connection{
			Address: fmt.Sprintf("connection.team[%q]", organization), Block: "team", Organization: organization,
			Terraform: terraform, Bitbucket: bitbucket, ServiceUser: "svc-terraform",
			Grants: []schema.Grant{{Project: "INFRA", Repository: "vpc", Permission: "REPO_ADMIN"}, {Project: "DATA", Permission: "PROJECT_ADMIN"}},
		})
	}
	return f
}

func TestGraph(t *testing.T) {
	fleet := graphFleet(3, "acme-")
	reporttest.Golden(t, "graph.dot", DOT(fleet))
	reporttest.Golden(t, "graph.mermaid", Mermaid(fleet))
	reporttest.Golden(t, "graph.svg", SVG(fleet))
}

// A fleet of any size stays a graph that can be seen.
func TestGraphOfMany(t *testing.T) {
	g := graphOf(graphFleet(5000, "acme-"))
	if len(g.nodes) != 5 || g.nodes[1].below != "5000 organizations" {
		t.Errorf("%+v", g.nodes)
	}
}

func TestHostileGraph(t *testing.T) {
	fleet := graphFleet(2, "\"]; click n0 \"javascript:x\" <script>`|--> \\")
	decoder := xml.NewDecoder(strings.NewReader(SVG(fleet)))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "script" {
			t.Error("a script came in with a name")
		}
	}
	line := regexp.MustCompile(`^(flowchart LR|  n\d+\["[^"\[\]|<>]*(<br/>[^"\[\]|<>]*)?"\]|  n\d+ -->(\|"[^"|<>]*"\|)? n\d+)$`)
	for l := range strings.SplitSeq(strings.TrimSpace(Mermaid(fleet)), "\n") {
		if !line.MatchString(strings.TrimRight(l, " ")) {
			t.Errorf("a name became syntax: %s", l)
		}
	}
	if text := DOT(fleet); strings.Count(strings.ReplaceAll(text, `\"`, ""), `"`)%2 != 0 {
		t.Error(text)
	}
}
