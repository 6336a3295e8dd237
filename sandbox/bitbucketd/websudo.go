package bitbucketd

import (
	"net/http"
	"net/url"
	"strings"
)

// A secure administrator session ("WebSudo") is a session whose user has proved its
// identity again. It ends on its own; REST calls do not prolong it.
// Doubt: the real one is prolonged by administration pages at least.

// elevate opens administration to the caller's session.
func (c *call) elevate() { c.who.session.elevated = c.now().Add(c.opts.WebSudoTimeout) }

func (c *call) elevated() bool {
	return c.who.session != nil && c.now().Before(c.who.session.elevated)
}

// elevates begins an elevation over the tsv resources: it returns the caller's
// session's user, or the refusal.
func (c *call) elevates(factor bool) (*User, *reply) {
	u := c.who.user
	switch {
	case c.who.by != bySession:
		return nil, &reply{status: http.StatusForbidden, body: tsvMessage{notPermitted}}
	case factor != (u.SecondFactor != nil):
		return nil, &reply{status: http.StatusBadRequest, body: tsvMessage{"The method is not available."}}
	}
	return u, nil
}

// proved elevates the session, unless the proof was for the settings of two-step
// verification only.
func (c *call) proved() {
	if !c.opts.ElevateSettingsOnly && c.query("actionType") == "" {
		c.elevate()
	}
}

// getElevation answers whether the session is elevated, or how it can be.
func getElevation(c *call) (reply, error) {
	switch {
	case c.who.by != bySession:
		return tsvRefuse(http.StatusUnauthorized, notPermitted)
	case c.elevated():
		return reply{status: http.StatusNoContent}, nil
	}
	methods := []string{"PASSWORD"}
	if c.who.user.SecondFactor != nil {
		methods = []string{"TOTP"}
	}
	return reply{status: http.StatusUnauthorized, body: map[string][]string{"elevationMethods": methods}}, nil
}

// elevateByPassword takes the password. Doubt: the vendor's document names the field
// totpCode, surely a slip.
func elevateByPassword(c *call) (reply, error) {
	var in struct {
		Password string `json:"password"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	u, no := c.elevates(false)
	if no != nil {
		return *no, nil
	}
	if err := c.password(u, in.Password); err != nil {
		return tsvRefuse(http.StatusBadRequest, "The password is wrong.")
	}
	c.proved()
	return reply{status: http.StatusNoContent}, nil
}

func elevateByCode(c *call) (reply, error) {
	var in struct {
		Code string `json:"totpCode"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	u, no := c.elevates(true)
	if no != nil {
		return *no, nil
	}
	if !u.SecondFactor.takes(in.Code, c.now(), c.opts.CodesCountAgain) {
		return tsvRefuse(http.StatusBadRequest, "The code is wrong or was used.")
	}
	c.proved()
	return reply{status: http.StatusNoContent}, nil
}

// elevateByRecovery takes the recovery code and answers the next one.
func elevateByRecovery(c *call) (reply, error) {
	var in struct {
		Code string `json:"recoveryCode"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	u, no := c.elevates(true)
	if no != nil {
		return *no, nil
	}
	if !u.SecondFactor.recovers(in.Code) {
		return tsvRefuse(http.StatusBadRequest, "The recovery code is wrong.")
	}
	c.proved()
	return reply{body: map[string]string{"recoveryCode": u.SecondFactor.Recovery}}, nil
}

// getWebSudo serves the page that asks for the password again.
func getWebSudo(c *call) (reply, error) { return c.webSudoPage(false) }

func (c *call) webSudoPage(failed bool) (reply, error) {
	if !c.hasWebSudo() {
		return unknownPage(c)
	}
	u, err := c.person()
	if err != nil {
		return reply{}, err
	}
	return c.page(http.StatusOK, webSudoForm(webSudo{User: u, XSRF: c.xsrf(), Action: c.base.Path + "/websudo", Failed: failed}))
}

// postWebSudo serves its form. Doubt: the answers; a right password is taken to lead
// away, and a wrong one to the page again. From 9.6 on, users with a second factor
// must give that, which this form does not take.
func postWebSudo(c *call) (reply, error) {
	if !c.hasWebSudo() {
		return unknownPage(c)
	}
	u, err := c.person()
	if err != nil {
		return reply{}, err
	}
	form, err := url.ParseQuery(string(c.body))
	if err != nil || form.Get("atl_token") != c.xsrf() {
		return c.page(http.StatusForbidden, problemPage("Xsrf token validation failed"))
	}
	byFactor := u.SecondFactor != nil && c.version.since(9, 6, 0) && !c.opts.ElevateSettingsOnly
	if byFactor || !strings.EqualFold(form.Get("j_username"), u.Name) || c.password(u, form.Get("j_password")) != nil || c.who.session == nil {
		return c.webSudoPage(true)
	}
	c.elevate()
	return redirect(c.base.Path + "/"), nil
}

// webSudo refuses those who must prove their identity again first: sessions, and what
// Options add. Basic credentials need not, if the scheme is spelt as here.
func (c *call) webSudo() error {
	exempt := c.who.by == byPlay || strings.HasPrefix(c.r.Header.Get("Authorization"), "Basic ") || c.who.by == byOAuth && !c.opts.SignedNeedsWebSudo
	if !c.hasWebSudo() || exempt || c.elevated() {
		return nil
	}
	return refuseStatus(http.StatusUnauthorized, "This resource requires WebSudo.")
}

// adminPath guards the core's administration, for those who may use it at all.
func (c *call) adminPath() error {
	parts := strings.SplitN(c.r.URL.Path, "/", 6) // "", rest, api, version, admin, …
	if c.opts.AdminWithoutWebSudo || len(parts) < 6 || parts[1] != "rest" || parts[2] != "api" || parts[4] != "admin" {
		return nil
	}
	if c.globalRank() < Admin.rank() && !c.opts.WebSudoFirst {
		return nil // the resource refuses
	}
	return c.webSudo()
}

// hasWebSudo reports whether administration asks for an elevated session.
func (c *call) hasWebSudo() bool { return c.version.hasWebSudo() && c.opts.WebSudo.or(true) }
