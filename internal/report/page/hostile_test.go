package page

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plan"
)

// strangers are what other systems may call their things.
func strangers() []string {
	return []string{
		`"><img src=x onerror="hacked()">`, `'><svg onload='hacked()'>`, `" onmouseover="hacked()" x="`, `</script><script>hacked()</script>`,
		`</style></title></pre><script>hacked()</script>`, `<!--`, `javascript:hacked()`, `{{.}} { x } &amp;&#34;`, "nul \x00 escape \x1b[31m",
	}
}

// named is a fleet in which everything that others may name is named so.
func named(name, url string) (plan.Plan, []drift.Report) {
	p := fleetOf(60)
	p.Fleet = name
	for i := range p.Connections {
		c := &p.Connections[i]
		c.Organization, c.ServiceUser, c.Client = name, name, name
		c.Needs = []plan.GrantPermission{{User: name, Project: name, Repository: name, Permission: "REPO_ADMIN"}}
		for j := range c.Blocks {
			c.Blocks[j].Text, c.Blocks[j].Remedy = name, name
		}
		for j := range c.Notes {
			c.Notes[j].Text = name
		}
		for j := range c.Changes {
			c.Changes[j].Because = []plan.Reason{{What: name, Live: name, Want: name}}
		}
	}
	for i := range p.Bitbuckets {
		p.Bitbuckets[i].URL = url
	}
	runs := fleetRuns(5)
	for i := range runs {
		for j := range runs[i].Connections {
			runs[i].Connections[j].Organization = name
		}
	}
	return p, runs
}

func parsePage(t *testing.T, name, url string) (*html.Node, string) {
	t.Helper()
	p, runs := named(name, url)
	text, err := HTML(p, pageNow(), "1.2.3", runs...)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed, text
}

// skeleton is a page's elements with the names of their attributes.
func skeleton(page *html.Node) []string {
	var out []string
	for n := range page.Descendants() {
		if n.Type == html.TextNode {
			continue
		}
		line := fmt.Sprint(n.Type, " ", n.Data)
		for _, a := range n.Attr {
			line += " " + a.Key
		}
		out = append(out, line)
	}
	return out
}

// A name is text, wherever it stands: it brings no element and no attribute.
func TestNamesOfStrangers(t *testing.T) {
	plain, _ := parsePage(t, "plain", "https://bitbucket.example")
	want := skeleton(plain)
	for _, name := range strangers() {
		page, text := parsePage(t, name, "https://bitbucket.example")
		if have := skeleton(page); !slices.Equal(have, want) {
			t.Errorf("%q changes the page:\n%s", name, text)
		}
		if strings.ContainsAny(text, "\x00\x1b") {
			t.Errorf("%q: the page has control characters", name)
		}
	}
}

// An address is a link only when it leads to where one can look.
func TestAddressesOfStrangers(t *testing.T) {
	for _, url := range []string{
		"javascript:hacked()", "JavaScript:hacked()", " javascript:hacked()", "java\tscript:hacked()", "\x01javascript:hacked()", "javascript&colon;hacked()",
		"data:text/html,<script>hacked()</script>", "vbscript:hacked()", `https://x.example/"onclick="hacked()`,
	} {
		page, _ := parsePage(t, "plain", url)
		for n := range page.Descendants() {
			for _, a := range n.Attr {
				address := strings.HasPrefix(a.Val, "#") || strings.HasPrefix(a.Val, "https://") || strings.HasPrefix(a.Val, "about:invalid")
				if a.Key == "href" && !address && !strings.HasPrefix(a.Val, "javascript&colon;") {
					t.Errorf("%q becomes a link to %q", url, a.Val)
				}
				if strings.HasPrefix(a.Key, "on") {
					t.Errorf("%q becomes the attribute %s", url, a.Key)
				}
			}
		}
	}
}

// The policy allows the one script that the page has, as it stands there.
func TestPolicyAndScript(t *testing.T) {
	_, text := parsePage(t, `</script>`, "https://bitbucket.example")
	_, rest, _ := strings.Cut(text, "<script>")
	script, rest, found := strings.Cut(rest, "</script>")
	if !found || strings.Contains(rest, "<script") {
		t.Fatal("not one script")
	}
	sum := sha256.Sum256([]byte(script))
	if want := html.EscapeString("script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"); !strings.Contains(text, want) {
		t.Errorf("the policy lacks %s", want)
	}
}
