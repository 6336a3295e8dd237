package person

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"github.com/bbsync/bbsync/sandbox"
)

// mostPages is more than the way from Connect to the end has.
const mostPages = 12

// Approve walks from an organization's Connect link, or another page that leads
// there, over the login pages to Allow and back, as the Bitbucket user of that name,
// and returns the last page's title with the verification code that it shows.
func (p *Person) Approve(ctx context.Context, connect, as string) (string, error) {
	next, err := http.NewRequestWithContext(ctx, http.MethodGet, connect, nil)
	if err != nil {
		return "", err
	}
	for i := range mostPages {
		page, err := p.visit(next)
		if err != nil {
			return "", err
		}
		if page.button != "" && (i == 0 || page.alert == "") {
			if next, err = page.press(ctx); err != nil {
				return "", err
			}
			continue
		}
		form := page.form()
		if form == nil || form.fields == nil {
			return page.title, page.problem()
		}
		if err := p.fill(form, as); err != nil {
			return page.title, errors.Join(err, page.problem())
		}
		if !form.understood {
			return page.title, page.problem()
		}
		if form.login {
			next, err = p.authenticate(ctx, form, page.url)
		} else {
			next, err = form.submit(ctx, page.url)
		}
		if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("still not at the end after %d pages", mostPages)
}

// fill types what a person would into the forms of both systems.
func (p *Person) fill(f *form, as string) error {
	switch {
	case f.has("user[login]"):
		f.set("user[login]", sandbox.PlatformUser)
		f.set("user[password]", p.facts.People.Platform)
	case f.has("j_username"):
		if f.page.failed {
			return fmt.Errorf("logging in to Bitbucket as %s was refused", as)
		}
		f.set("j_username", as)
		f.set("j_password", p.password(as))
	case f.has("totpCode"):
		f.set("username", as)
		f.set("password", p.password(as))
		f.login = true
	case f.has("approve"):
		f.press = "approve"
	default:
		return nil
	}
	f.understood = true
	return nil
}

// password returns a Bitbucket user's password.
func (p *Person) password(user string) string {
	if user == sandbox.AdminUser {
		return p.facts.People.Admin
	}
	return p.facts.People.ServiceUser
}

// A page is what the browser shows.
type page struct {
	url    *url.URL
	status int
	title  string
	alert  string
	failed bool   // a login form after a failed login
	button string // address that the button of bbsync login leads to
	root   *html.Node
}

func (p *Person) visit(req *http.Request) (*page, error) {
	res, err := p.browser.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	root, err := html.Parse(res.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the page %s: %w", req.URL.Path, err)
	}
	out := &page{url: res.Request.URL, status: res.StatusCode, root: root}
	walk(root, func(n *html.Node) {
		switch {
		case n.Data == "title" && n.FirstChild != nil:
			out.title = strings.TrimSpace(n.FirstChild.Data)
		case attribute(n, "id") == "verifier" && n.FirstChild != nil:
			out.title += ", code " + strings.TrimSpace(n.FirstChild.Data)
		case n.Data == "a" && attribute(n, "id") == "go":
			out.button = attribute(n, "href")
		case attribute(n, "role") == "alert" && n.FirstChild != nil:
			out.alert = strings.TrimSpace(n.FirstChild.Data)
		}
	})
	out.failed = out.alert != ""
	return out, nil
}

// press follows the button of bbsync login.
func (g *page) press(ctx context.Context) (*http.Request, error) {
	to, err := g.url.Parse(g.button)
	if err != nil {
		return nil, err
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
}

// problem returns the page as an error when it tells one.
func (g *page) problem() error {
	if g.status < http.StatusBadRequest && g.alert == "" {
		return nil
	}
	return fmt.Errorf("%s: %s (%d)", g.title, g.alert, g.status)
}

// A form is the first form of a page that is not for leaving.
type form struct {
	page       *page
	action     string
	fields     url.Values
	press      string
	buttons    map[string]string
	understood bool
	login      bool   // whose script sends it, as JSON
	next       string // where the script goes on to
}

func (g *page) form() *form {
	var found *form
	walk(g.root, func(n *html.Node) {
		if found != nil || n.Data != "form" || strings.Contains(attribute(n, "action"), "/session/end") {
			return
		}
		f := &form{page: g, action: attribute(n, "action"), next: attribute(n, "data-next"), fields: url.Values{}, buttons: map[string]string{}}
		walk(n, func(in *html.Node) {
			name := attribute(in, "name")
			switch {
			case in.Data != "input" && in.Data != "button" || name == "":
			case attribute(in, "type") == "submit":
				f.buttons[name] = attribute(in, "value")
			case attribute(in, "type") == "checkbox":
			default:
				f.fields.Set(name, attribute(in, "value"))
			}
		})
		found = f
	})
	return found
}

func (f *form) has(name string) bool {
	_, button := f.buttons[name]
	return button || f.fields.Has(name)
}

func (f *form) set(name, value string) { f.fields.Set(name, value) }

func (f *form) submit(ctx context.Context, base *url.URL) (*http.Request, error) {
	action, err := base.Parse(f.action)
	if err != nil {
		return nil, err
	}
	if f.press != "" {
		f.fields.Set(f.press, f.buttons[f.press])
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, action.String(), strings.NewReader(f.fields.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req, nil
}

func walk(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for c := range n.ChildNodes() {
		walk(c, visit)
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
