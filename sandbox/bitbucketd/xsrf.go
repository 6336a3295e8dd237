package bitbucketd

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// checkXSRF refuses what a form or a script on another site could have sent. Only
// POST is refused; the real filter logs other methods and lets them through.
// Doubt: 9 and newer, whose filter was not readable; tests of another client, written
// against 10.2.1, send such a POST without the header. Options.NoXSRFCheck is that.
func (c *call) checkXSRF() error {
	if c.r.Method != http.MethodPost || c.opts.NoXSRFCheck {
		return nil
	}
	if c.fromBrowser() && !c.sameOrigin() || c.formLike() && !c.xsrfToken() {
		return &refusal{reply{status: http.StatusForbidden, media: "text/html;charset=UTF-8", text: "XSRF check failed"}}
	}
	return nil
}

// fromBrowser reports whether the User-Agent is that of a browser.
func (c *call) fromBrowser() bool {
	agent := c.r.UserAgent()
	return strings.Contains(agent, "Mozilla/") || strings.Contains(agent, "Opera")
}

// sameOrigin reports whether the page that sent the call is the server's own, or a
// browser's extension.
func (c *call) sameOrigin() bool {
	for _, header := range []string{"Origin", "Referer"} {
		u, err := url.Parse(c.r.Header.Get(header))
		if err != nil {
			continue
		}
		switch u.Scheme {
		case "chrome-extension", "safari-extension":
			return true
		case c.base.Scheme:
			if u.Host == c.base.Host {
				return true
			}
		}
	}
	return false
}

// formLike reports whether a form could have sent the call: by its media type.
func (c *call) formLike() bool {
	media, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch media {
	case "", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain":
		return true
	}
	return false
}

// xsrfToken reports whether the call has the header that no form can send, or the
// token of its session.
func (c *call) xsrfToken() bool {
	switch strings.ToLower(c.r.Header.Get("X-Atlassian-Token")) {
	case "no-check", "nocheck":
		return true
	}
	if c.who.session == nil {
		return false
	}
	token := c.query("atl_token")
	if form, err := url.ParseQuery(string(c.body)); token == "" && err == nil {
		token = form.Get("atl_token")
	}
	return token == c.who.session.xsrf
}
