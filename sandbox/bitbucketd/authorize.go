package bitbucketd

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
)

// person returns the user that a page is for; a call without a session is sent to
// log in. Only the session's own user counts, unless Options.BasicOnServlets.
func (c *call) person() (*User, error) {
	if c.who.by == bySession || c.who.by == byBasic && c.opts.BasicOnServlets {
		return c.who.user, nil
	}
	return nil, &refusal{c.toLogin()}
}

// xsrf returns the token that the person's forms must carry.
func (c *call) xsrf() string {
	if c.who.session != nil {
		return c.who.session.xsrf
	}
	return digest("xsrf", c.who.user.Salt) // Basic: no session to hold one
}

// askConsent serves GET /plugins/servlet/oauth/authorize: the Allow page.
func askConsent(c *call) (reply, error) {
	u, err := c.person()
	if err != nil {
		return reply{}, err
	}
	t, rep := c.pending(c.query("oauth_token"))
	if t == nil {
		return rep, nil
	}
	con := c.st.Consumers[t.Consumer]
	return c.page(http.StatusOK, authorizePage(consent{
		User: u, Consumer: con, Token: t.Token,
		XSRF: c.xsrf(), Action: c.base.Path + "/plugins/servlet/oauth/authorize", Callback: c.query("oauth_callback"),
	}))
}

// pending returns the request token, if it waits for an answer, or the page that
// says why it does not.
func (c *call) pending(token string) (*RequestToken, reply) {
	t := c.st.RequestTokens[token]
	code := ""
	switch {
	case t == nil || c.st.Consumers[t.Consumer] == nil:
		code = "token_rejected"
	case t.User != "":
		code = "token_used"
	case t.expired(c.now()):
		code = "token_expired"
	default:
		return t, reply{}
	}
	rep, err := c.page(http.StatusUnauthorized, problemPage(code))
	if err != nil {
		return nil, coreError(http.StatusInternalServerError, "", "", err.Error())
	}
	return nil, rep
}

// giveConsent serves POST of the Allow page's form.
func giveConsent(c *call) (reply, error) {
	u, err := c.person()
	if err != nil {
		return reply{}, err
	}
	form, err := url.ParseQuery(string(c.body))
	if err != nil || form.Get("atl_token") != c.xsrf() {
		return c.page(http.StatusForbidden, problemPage("Xsrf token validation failed"))
	}
	t, rep := c.pending(form.Get("oauth_token"))
	if t == nil {
		return rep, nil
	}
	switch {
	case form.Has("approve"):
		t.Verifier = verifier()
		c.wrote("oauth request of consumer %s approved by %s", t.Consumer, u.Name)
	case form.Has("deny"):
		t.Verifier, t.Denied = "denied", true
		c.wrote("oauth request of consumer %s denied by %s", t.Consumer, u.Name)
	default:
		return c.page(http.StatusBadRequest, problemPage("neither approved nor denied"))
	}
	t.User = strings.ToLower(u.Name)
	return c.sendBack(t, form.Get("oauth_callback"))
}

// verifier is six letters and digits.
func verifier() string {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
	digits := make([]byte, 6)
	_, _ = rand.Read(digits) // never fails
	for i, d := range digits {
		digits[i] = alphabet[int(d)%len(alphabet)]
	}
	return string(digits)
}

// sendBack sends the browser to the consumer's callback: the request token's own,
// else (OAuth 1.0) the form's, else the consumer's, else shows the verifier.
func (c *call) sendBack(t *RequestToken, fromForm string) (reply, error) {
	callback := t.Callback
	if callback == "" {
		callback = fromForm
	}
	if callback == "" || callback == "oob" {
		callback = c.st.Consumers[t.Consumer].Callback
	}
	u, err := url.Parse(callback)
	if callback == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return c.page(http.StatusOK, verifierPage(t.Verifier))
	}
	q := u.Query()
	q.Set("oauth_token", t.Token)
	if t.Callback != "" {
		q.Set("oauth_verifier", t.Verifier)
	}
	u.RawQuery = q.Encode()
	return redirect(u.String()), nil
}

func redirect(to string) reply {
	return reply{status: http.StatusFound, header: http.Header{"Location": {to}}}
}

// listAccess serves GET /plugins/servlet/oauth/users/access-tokens: what the person
// has consented to.
func listAccess(c *call) (reply, error) {
	u, err := c.person()
	if err != nil {
		return reply{}, err
	}
	var rows []accessRow
	for _, t := range c.st.AccessTokens {
		if con := c.st.Consumers[t.Consumer]; con != nil && t.User == strings.ToLower(u.Name) {
			rows = append(rows, accessRow{t.Token, con.Name})
		}
	}
	return c.page(http.StatusOK, accessPage(u, rows))
}

// revokeAccess serves DELETE on the same: of one's own token only.
func revokeAccess(c *call) (reply, error) {
	u, err := c.person()
	if err != nil {
		return reply{}, err
	}
	id := c.query("token")
	t := c.st.AccessTokens[id]
	switch {
	case id == "" || t == nil:
		return reply{status: http.StatusBadRequest}, nil
	case t.User != strings.ToLower(u.Name):
		return reply{status: http.StatusUnauthorized}, nil
	}
	delete(c.st.AccessTokens, id)
	c.wrote("oauth access token of %s for consumer %s revoked", t.User, t.Consumer)
	return reply{}, nil
}
