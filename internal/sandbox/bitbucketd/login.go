package bitbucketd

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"
)

// page renders a page with the headers that keep it out of frames.
func (c *call) page(status int, shown templ.Component) (reply, error) {
	var out bytes.Buffer
	if err := shown.Render(c.r.Context(), &out); err != nil {
		return reply{}, err
	}
	return reply{
		status: status, text: out.String(), media: "text/html;charset=UTF-8",
		header: http.Header{"X-Frame-Options": {"SAMEORIGIN"}},
	}, nil
}

// toLogin sends the browser to log in, and to come back.
func (c *call) toLogin() reply {
	next := c.r.URL.EscapedPath()
	if c.r.URL.RawQuery != "" {
		next += "?" + c.r.URL.RawQuery
	}
	return redirect(c.base.Path + "/login?next=" + url.QueryEscape(next))
}

func getLogin(c *call) (reply, error) {
	return c.page(http.StatusOK, loginPage(loginForm{
		Action: c.base.Path + "/j_atl_security_check",
		Next:   c.query("next"), Failed: c.query("failed") != "", User: c.who.user,
	}))
}

// postLogin serves the login form. A CAPTCHA cannot be solved here: the account
// stays locked until an administrator clears it.
func postLogin(c *call) (reply, error) {
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return reply{status: http.StatusBadRequest}, nil
	}
	next := form.Get("next")
	u := c.st.User(form.Get("j_username"))
	if err := c.password(u, form.Get("j_password")); err != nil {
		return redirect(c.base.Path + "/login?failed=true&next=" + url.QueryEscape(next)), nil
	}
	c.dropSession()
	ses := &session{id: random(16), user: strings.ToLower(u.Name), xsrf: random(20), expires: c.now().Add(sessionLife)}
	c.sessions[ses.id] = ses
	c.who = actor{user: u, by: bySession, session: ses}
	rep := redirect(c.base.Path + inside(next))
	rep.header.Add("Set-Cookie", c.cookie(ses.id, 0).String())
	return rep, nil
}

// inside returns the path to go on to: never another host's.
func inside(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return next
}

func (c *call) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: sessionCookie, Value: value, Path: c.base.Path + "/", HttpOnly: true, MaxAge: maxAge,
		Secure: c.base.Scheme == "https", SameSite: http.SameSiteLaxMode,
	}
}

func logout(c *call) (reply, error) {
	if c.who.session != nil {
		delete(c.sessions, c.who.session.id)
	}
	c.who = actor{}
	rep := redirect(c.base.Path + "/login")
	rep.header.Add("Set-Cookie", c.cookie("", -1).String())
	return rep, nil
}

// getHome is the page that a person meets after logging in.
func getHome(c *call) (reply, error) {
	if c.who.user == nil {
		return redirect(c.base.Path + "/login"), nil
	}
	return c.page(http.StatusOK, homePage(c.who.user, c.base.Path+"/logout"))
}
