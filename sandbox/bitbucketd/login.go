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
	switch {
	case c.opts.SSO:
		return redirect(identityProvider + "?RelayState=" + url.QueryEscape(c.query("next"))), nil
	case !c.hasLoginForm():
		return c.page(http.StatusOK, tsvLoginPage(loginForm{
			Action: c.base.Path + "/rest/tsv/latest/authenticate", Next: c.query("next"), User: c.who.user,
		}))
	}
	return c.page(http.StatusOK, loginPage(loginForm{
		Action: c.base.Path + "/j_atl_security_check",
		Next:   c.query("next"), Failed: c.query("failed") != "", User: c.who.user,
	}))
}

// hasLoginForm reports whether the old login form is there. Doubt: since when it is
// not; the option for legacy mode brings it back.
func (c *call) hasLoginForm() bool { return c.opts.LoginForm.or(!c.version.since(10, 0, 0)) }

// needsFactor reports whether a password alone does not log the user in.
func (c *call) needsFactor(u *User) bool {
	return c.version.hasTSV() && (u.SecondFactor != nil || c.st.Settings.EnforceSecondFactor)
}

// postLogin serves the login form. A CAPTCHA cannot be solved here: the account
// stays locked until an administrator clears it.
func postLogin(c *call) (reply, error) {
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return reply{status: http.StatusBadRequest}, nil
	}
	if !c.hasLoginForm() {
		return unknownPage(c) // Doubt: nothing may be mapped there
	}
	next := form.Get("next")
	u := c.st.User(form.Get("j_username"))
	if c.opts.SSO || c.password(u, form.Get("j_password")) != nil || c.st.globalRank(u) == 0 || c.needsFactor(u) {
		return redirect(c.base.Path + "/login?failed=true&next=" + url.QueryEscape(next)), nil
	}
	c.logIn(u, form.Get("_atl_remember_me") == "on")
	return redirect(c.base.Path + inside(next)), nil
}

// identityProvider is where single sign-on leads: nothing is there.
const identityProvider = "https://idp.example.com/saml"

// inside returns the path to go on to: never another host's.
func inside(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return next
}

// getHome is the page that a person meets after logging in.
func getHome(c *call) (reply, error) {
	if c.who.user == nil {
		return redirect(c.base.Path + "/login"), nil
	}
	return c.page(http.StatusOK, homePage(c.who.user, c.base.Path+"/logout"))
}
