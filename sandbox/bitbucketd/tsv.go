package bitbucketd

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// The login resources of two-step verification ("tsv"), which the newer login page
// uses. Doubt: the version that brought them; they are in the document of 9.4.

// tsvRoutes binds them. Older servers have no such module.
func (s *Server) tsvRoutes(add func(string, handler)) {
	tsv := func(pattern string, h handler) {
		method, path, _ := strings.Cut(pattern, " ")
		add(method+" /rest/tsv/{v}"+path, func(c *call) (reply, error) {
			if !c.version.hasTSV() {
				return unknownREST(c)
			}
			return h(c)
		})
	}
	tsv("POST /authenticate", authenticate)
	tsv("GET /authenticate/captcha", getCaptcha)
	tsv("POST /authenticate/totp-code", totpCode)
	tsv("POST /authenticate/recovery-code", recoveryCode)
	tsv("GET /status", getTSVStatus)
	tsv("GET /sso-management-status", getSSOStatus)
	tsv("GET /elevate-permissions", getElevation)
	tsv("POST /elevate-permissions/password", elevateByPassword)
	tsv("POST /elevate-permissions/totp", elevateByCode)
	tsv("POST /elevate-permissions/recovery-code", elevateByRecovery)
}

// conversation is a login between its password and its second factor.
type conversation struct {
	node     int
	user     string
	next     string
	remember bool
	expires  time.Time
}

// conversationLife is a guess.
const conversationLife = 5 * time.Minute

type tsvMessage struct {
	Message string `json:"message"`
}

func tsvRefuse(status int, message string) (reply, error) {
	return reply{status: status, body: tsvMessage{message}}, nil
}

type tsvNext struct {
	Next string `json:"next"`
}

// badLogin is the refusal of a login. Doubt: the messages.
func (c *call) badLogin(captcha bool) (reply, error) {
	message := "Invalid username or password."
	if captcha {
		message = "Please enter the CAPTCHA."
	}
	return reply{status: http.StatusUnauthorized, body: struct {
		Captcha bool   `json:"captchaRequired"`
		Message string `json:"message"`
	}{captcha, message}}, nil
}

// authenticate takes a user name and password. A CAPTCHA cannot be solved here.
func authenticate(c *call) (reply, error) {
	var in struct {
		Username  string `json:"username"`
		Password  string `json:"password"`
		Remember  bool   `json:"rememberMe"`
		Target    string `json:"targetUrl"`
		CaptchaID string `json:"captchaId"`
		Captcha   string `json:"captchaChallenge"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	if c.opts.SSO {
		return c.badLogin(false) // Doubt: the answer when only an identity provider logs in
	}
	u := c.st.User(in.Username)
	if err := c.password(u, in.Password); err != nil {
		return c.badLogin(c.locked(u))
	}
	next := c.base.Path + inside(in.Target)
	switch {
	case c.st.globalRank(u) == 0:
		return c.badLogin(false) // no licence: cannot log in
	case u.SecondFactor == nil && c.st.Settings.EnforceSecondFactor:
		return c.converse(u, next, in.Remember, "ENROLLMENT")
	case u.SecondFactor != nil:
		return c.converse(u, next, in.Remember, "TOTP_CODE_VERIFICATION")
	}
	c.logIn(u, in.Remember)
	return reply{body: tsvNext{next}}, nil
}

// converse asks for the next step of a login.
func (c *call) converse(u *User, next string, remember bool, step string) (reply, error) {
	id := random(16)
	c.conversations[id] = &conversation{node: c.node, user: lower(u), next: next, remember: remember, expires: c.now().Add(conversationLife)}
	return reply{status: http.StatusPreconditionFailed, body: struct {
		ID   string `json:"conversationId"`
		Step string `json:"nextLoginStep"`
	}{id, step}}, nil
}

func getCaptcha(c *call) (reply, error) {
	id := random(8)
	return reply{body: struct {
		ID  string `json:"captchaId"`
		URL string `json:"captchaImageUrl"`
	}{id, c.base.Path + "/captcha?id=" + id}}, nil
}

var errConversation = errors.New("the conversation is unknown or has expired")

// enrolled returns a conversation that waits for a second factor, and its user.
func (c *call) enrolled(id string) (*conversation, *User, error) {
	talk := c.conversations[id]
	if talk == nil || talk.node != c.node || !c.now().Before(talk.expires) {
		return nil, nil, errConversation
	}
	if u := c.st.Users[talk.user]; u != nil && u.SecondFactor != nil {
		return talk, u, nil
	}
	return nil, nil, errConversation
}

// finish ends the conversation with a session.
func (c *call) finish(id string, talk *conversation, u *User) {
	delete(c.conversations, id)
	c.logIn(u, talk.remember)
}

// totpCode takes the second factor. Doubt: whether a wrong code counts towards the
// CAPTCHA; here it does not.
func totpCode(c *call) (reply, error) {
	var in struct {
		ID   string `json:"conversationId"`
		Code string `json:"totpCode"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	talk, u, err := c.enrolled(in.ID)
	if err != nil {
		return tsvRefuse(http.StatusBadRequest, err.Error())
	}
	if !u.SecondFactor.takes(in.Code, c.now(), c.opts.CodesCountAgain) {
		return tsvRefuse(http.StatusUnauthorized, "The code is wrong or was used.")
	}
	c.finish(in.ID, talk, u)
	return reply{status: http.StatusNoContent}, nil
}

func recoveryCode(c *call) (reply, error) {
	var in struct {
		ID   string `json:"conversationId"`
		Code string `json:"recoveryCode"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	talk, u, err := c.enrolled(in.ID)
	if err != nil {
		return tsvRefuse(http.StatusBadRequest, err.Error())
	}
	if !u.SecondFactor.recovers(in.Code) {
		return tsvRefuse(http.StatusUnauthorized, "The recovery code is wrong.")
	}
	c.finish(in.ID, talk, u)
	return reply{body: tsvNext{talk.next}}, nil
}

type tsvMethod struct {
	Type    string `json:"type"`
	Enabled bool   `json:"enabled"`
	Since   int64  `json:"enabledAt,omitempty"`
}

// getTSVStatus answers the caller's second factors.
func getTSVStatus(c *call) (reply, error) {
	if c.who.user == nil {
		return tsvRefuse(http.StatusUnauthorized, notPermitted)
	}
	m := tsvMethod{Type: "TOTP"}
	if f := c.who.user.SecondFactor; f != nil {
		m.Enabled, m.Since = true, f.Since
	}
	return reply{body: struct {
		Methods []tsvMethod `json:"methods"`
		Active  bool        `json:"twoSVActive"`
	}{[]tsvMethod{m}, m.Enabled}}, nil
}

// getSSOStatus answers whether an identity provider manages the caller's login.
func getSSOStatus(c *call) (reply, error) {
	if c.who.user == nil {
		return tsvRefuse(http.StatusUnauthorized, notPermitted)
	}
	return reply{body: map[string]bool{"isManaged": c.opts.SSO}}, nil
}

// getLoginOptions answers how people log in. Doubt: anonymous callers may ask.
func getLoginOptions(c *call) (reply, error) {
	if !c.version.hasTSV() {
		return unknownREST(c)
	}
	type option struct {
		ID      int    `json:"id"`
		Type    string `json:"type"`
		Enabled bool   `json:"enabled"`
		Link    string `json:"loginLink,omitempty"`
	}
	o := option{ID: 1, Type: "LOGIN_FORM", Enabled: true}
	switch {
	case c.opts.SSO:
		o.Type, o.Link = "IDP", c.base.Path+"/plugins/servlet/external-login/1"
	case c.hasLoginForm():
		o.Type = "LEGACY_LOGIN_FORM"
	}
	return reply{body: struct {
		Results []option `json:"results"`
	}{[]option{o}}}, nil
}
