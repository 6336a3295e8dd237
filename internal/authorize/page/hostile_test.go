package page

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/plan"
)

// named is the page of two connections in which everything has this name and
// every address is this.
func named(t *testing.T, name, address string) *html.Node {
	t.Helper()
	server := &terraform{users: map[string]string{"done": name}}
	var requests []authorize.Request
	for _, client := range []string{"waiting", "done"} {
		requests = append(requests, authorize.Request{
			Target: plan.Target{Address: "connection." + name, Organization: client, BitbucketURL: address, ServiceUser: name + "!", Client: name},
			Person: plan.Person{ClientID: "oc-" + client, URL: address},
		})
	}
	watch := authorize.New(func(context.Context, string, string) (authorize.Terraform, error) { return server, nil }, requests, authorize.Options{Stay: true})
	for i := range requests {
		watch.Check(t.Context(), i)
		requests[i].Organization = name // for the page alone: the servers are asked by it
	}
	s, err := Open(t.Context(), watch)
	if err != nil {
		t.Fatal(err)
	}
	_, _, body := request(t, "GET", s.URL(), "", nil)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
	page, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// skeleton is a page's elements with the names of their attributes.
func skeleton(page *html.Node) []string {
	var out []string
	for n := range page.Descendants() {
		if n.Type == html.TextNode {
			continue
		}
		line := n.Data
		for _, a := range n.Attr {
			line += " " + a.Key
		}
		out = append(out, line)
	}
	return out
}

// A name is text, wherever it stands: it brings no element and no attribute.
func TestNamesOfStrangers(t *testing.T) {
	want := skeleton(named(t, "plain", "https://bitbucket.example"))
	if !slices.Contains(want, "a class href rel target") {
		t.Errorf("no connection is made as the wrong user, with a link to the settings: %q", want)
	}
	for _, name := range []string{
		`"><img src=x onerror="hacked()">`, `'><svg onload='hacked()'>`, `" onmouseover="hacked()" x="`, `</script><script>hacked()</script>`,
		`</title></li><script>hacked()</script>`, `<!--`, `javascript:hacked()`, `{{.}} { x } &amp;&#34;`, "nul \x00 escape \x1b[31m",
	} {
		if have := skeleton(named(t, name, "https://bitbucket.example")); !slices.Equal(have, want) {
			t.Errorf("%q changes the page:\n%q\n%q", name, have, want)
		}
	}
}

// An address is a link only when it leads to where one can look.
func TestAddressesOfStrangers(t *testing.T) {
	for _, address := range []string{
		"javascript:hacked()", "JavaScript:hacked()", " javascript:hacked()", "java\tscript:hacked()", "\x01javascript:hacked()",
		"data:text/html,<script>hacked()</script>", "vbscript:hacked()", `https://x.example/"onclick="hacked()`,
	} {
		for n := range named(t, "plain", address).Descendants() {
			for _, a := range n.Attr {
				if a.Key == "href" && a.Val != "page.css" && a.Val != "" && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "about:invalid") {
					t.Errorf("%q becomes a link to %q", address, a.Val)
				}
				if strings.HasPrefix(a.Key, "on") {
					t.Errorf("%q becomes the attribute %s", address, a.Key)
				}
			}
		}
	}
}
