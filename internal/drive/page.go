package drive

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/names"
)

// A page is what is known of what the browser shows. No field's value is among
// it.
type page struct {
	URL      string `json:"url"`
	Title    string `json:"title"`
	Status   int    `json:"status"`   // of HTTP; 0 when the browser does not tell
	Ready    bool   `json:"ready"`    // it has loaded
	Password bool   `json:"password"` // it asks for a password
	Allow    bool   `json:"allow"`    // it has a form with a request token and a button to approve it
	Sends    string `json:"sends"`    // the origin that the form goes to
	Named    bool   `json:"named"`    // its text names the consumer
	User     string `json:"user"`     // who is logged in, as the page says
	Whoami   string `json:"whoami"`   // who is logged in, as Bitbucket says when asked; "" when it does not
}

// kind is what is to be done about a page.
type kind int

const (
	loading kind = iota // on its way, or its form is
	other               // a page of the two systems that is not known: it may lead on by itself
	persons             // it is the person's turn
	allow               // click
	back                // Terraform's, after the click: ask whether the token is there
	odd                 // nothing that was expected
)

type verdict struct {
	kind kind
	text string
}

// judge decides about a page. It clicks nothing: that is done by a script which
// checks the same once more in the moment of the click.
func (p page) judge(r authorize.Request, clicked bool) verdict {
	at, err := url.Parse(p.URL)
	if err != nil || !p.Ready || at.Host == "" {
		return verdict{kind: loading}
	}
	if at.Scheme == "chrome-error" {
		return verdict{odd, fmt.Sprintf("the browser cannot open a page between %s and %s: see there why, which may be the name, the network, a proxy or a certificate that it does not know",
			r.TerraformURL(), r.BitbucketURL)}
	}
	onBitbucket, onTerraform := within(at, r.BitbucketURL), within(at, r.TerraformURL())
	switch {
	case p.Allow && clicked:
		return verdict{kind: loading} // its form is on its way
	case p.Allow:
		return p.judgeAllow(r, onBitbucket)
	case p.Password:
		return verdict{persons, "log in at " + p.where() + as(r, onBitbucket)}
	case !onBitbucket && !onTerraform:
		return verdict{persons, "go on at " + p.where()}
	case p.Status >= 400:
		return verdict{odd, fmt.Sprintf("the page answers %d: %s", p.Status, p.where())}
	case onTerraform && clicked:
		return verdict{kind: back}
	}
	return verdict{kind: other}
}

func as(r authorize.Request, onBitbucket bool) string {
	if onBitbucket {
		return " as " + r.ServiceUser
	}
	return ""
}

// judgeAllow looks whose page with an Allow button it is.
func (p page) judgeAllow(r authorize.Request, onBitbucket bool) verdict {
	user := p.Whoami
	if user == "" {
		user = p.User
	}
	is := func(name string) bool { return names.SameUser(name, r.ServiceUser) }
	switch {
	case !onBitbucket:
		return verdict{odd, fmt.Sprintf("a page with an Allow button is at %s, and not on the Bitbucket at %s", p.where(), r.BitbucketURL)}
	case p.Sends != origin(r.BitbucketURL):
		return verdict{odd, fmt.Sprintf("the Allow button sends to %s, and not to the Bitbucket at %s", p.Sends, r.BitbucketURL)}
	case user == "":
		return verdict{odd, "the page does not tell who is logged in to Bitbucket, and Bitbucket does not either"}
	case !is(user) || p.User != "" && !is(p.User):
		return verdict{odd, fmt.Sprintf("%s is logged in to Bitbucket, and not %s: log out there, log in as %s, and open the link again", first(p.User, user), r.ServiceUser, r.ServiceUser)}
	case !p.Named:
		return verdict{odd, fmt.Sprintf("the Allow page is not about the application %q", r.Consumer)}
	}
	return verdict{kind: allow}
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// where is the page's address without what may be secret in it.
func (p page) where() string {
	u, err := url.Parse(p.URL)
	if err != nil {
		return "an address that cannot be read"
	}
	text := u.Scheme + "://" + u.Host + u.Path
	if p.Title != "" {
		text += fmt.Sprintf(" (%q)", p.Title)
	}
	return text
}

// within reports whether an address is on a site: same scheme, host and port,
// and below its path.
func within(at *url.URL, site string) bool {
	u, err := url.Parse(site)
	if err != nil || u.Host == "" || origin(at.String()) != origin(site) {
		return false
	}
	path := strings.TrimRight(u.Path, "/")
	return at.Path == path || strings.HasPrefix(at.Path, path+"/")
}

// origin is an address as browsers compare it: the usual port left out.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" && !(u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80") {
		host += ":" + port
	}
	return u.Scheme + "://" + host
}
