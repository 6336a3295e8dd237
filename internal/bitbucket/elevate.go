package bitbucket

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"github.com/bbsync/bbsync/internal/secret"
)

// needsElevation reports whether a refusal asks for a secure administrator session.
// It has the status of a missing login and is told apart by the word alone.
func needsElevation(a answer, b errorBody) bool {
	return a.status == http.StatusUnauthorized && strings.Contains(strings.ToLower(strings.Join(b.messages, " ")), "websudo")
}

// An elevation is one way to open a secure administrator session. It returns what
// was answered; whether it worked, a guarded resource tells.
type elevation func(context.Context, *session) (said string, err error)

// elevations returns the ways in the order in which they are tried, the one that
// worked before first: while an elevation lasts, no resource tells whether another
// way renews it. The page takes the password, and from 9.6 on the second factor of
// who has one; which of the resources of two-step verification elevates, no document
// says.
func (c *Client) elevations(s *session) []elevation {
	if s.raisedBy != nil {
		return []elevation{s.raisedBy}
	}
	ways := []elevation{c.elevateByPage, c.elevateByPassword}
	if s.secondFactor {
		ways = append([]elevation{c.elevateByCode, c.elevateByCode}, ways...) // another run may have used the first code
	}
	return ways
}

// elevate opens a secure administrator session in a session, or a new session where
// that is over. A refusal is no failed login.
func (c *Client) elevate(ctx context.Context, s *session) (*session, error) {
	open, err := c.opened(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case !open:
		return c.reopen(ctx, s)
	}
	var said []string
	for _, way := range c.elevations(s) {
		text, err := way(ctx, s)
		if err != nil {
			return nil, c.unsent(err)
		}
		said = append(said, text)
		began := c.now()
		if done, err := c.elevated(ctx, s); err != nil || done {
			return s.elevatedBy(way, began), err
		}
	}
	return nil, c.notElevated(said)
}

func (c *Client) notElevated(said []string) *Error {
	e := c.fault(elevationCall(c))
	e.kind, e.undone, e.Messages = ErrElevation, true, said
	e.Advice = "open Bitbucket's administration in a browser as " + quote(c.username) + " to see what it asks for; or have a system administrator switch the secure administrator session off" +
		" (feature.websudo=false in bitbucket.properties, FEATURE_WEBSUDO=false for Docker; with two-step verification atlassian.authentication.2sv.websudo.disabled);" +
		" or, as Basic authentication does without it, " + adviseLogin(c.username)
	return e
}

func elevationCall(c *Client) call {
	q := loginCall(c)
	q.op = "opening a secure administrator session at " + c.URL() + " for"
	return q
}

// guardedPath is a resource that takes a secure administrator session.
const guardedPath = "/rest/applinks/latest/applicationlink"

// elevated reports whether a guarded resource no longer asks for elevation.
func (c *Client) elevated(ctx context.Context, s *session) (bool, error) {
	q := elevationCall(c)
	q.method, q.path, q.session, q.most = http.MethodGet, guardedPath, s, maxLinks
	a, err := c.send(ctx, q)
	switch {
	case err != nil:
		return false, c.unsent(err)
	case a.status >= http.StatusInternalServerError, a.status == http.StatusTooManyRequests:
		return false, c.unsent(c.refusal(q, a))
	}
	return !needsElevation(a, parseErrorBody(a)), nil
}

// AdminSession makes sure that guarded resources can be used. By Basic
// authentication they always can; by OAuth 1.0a that is likely and not known.
func (c *Client) AdminSession(ctx context.Context) error {
	if c.login.current() == nil && c.oauth == nil {
		return nil
	}
	q := call{op: "reading application links as", object: quote(c.username), path: guardedPath, most: maxLinks}
	return c.do(ctx, q, func(answer) error { return nil })
}

// elevateByPage fills in the page that asks a browser's user for the password.
func (c *Client) elevateByPage(ctx context.Context, s *session) (string, error) {
	q := elevationCall(c)
	q.method, q.path, q.session, q.accept, q.whole = http.MethodGet, "/websudo", s, "text/html", true
	a, err := c.send(ctx, q)
	if err != nil {
		return "", err
	}
	fields := hiddenFields(a.body)
	if !q.success(a.status) || fields.Get("atl_token") == "" {
		return fmt.Sprintf("GET /websudo answered %d without the form", a.status), nil
	}
	fields.Set("j_username", c.username)
	fields.Set("j_password", c.password.Reveal())
	q.method, q.media, q.body, q.whole = http.MethodPost, formMedia, []byte(fields.Encode()), false
	return c.tryElevation(ctx, q)
}

// elevateByPassword sends the password to the resource of two-step verification.
// The vendor's document names another field, surely by mistake.
func (c *Client) elevateByPassword(ctx context.Context, s *session) (string, error) {
	q := elevationCall(c)
	q.path, q.session = "/rest/tsv/latest/elevate-permissions/password", s
	q.body = encode(struct {
		Password string `json:"password"`
	}{c.password.Reveal()})
	return c.tryElevation(ctx, q)
}

// elevateByCode sends the next code.
func (c *Client) elevateByCode(ctx context.Context, s *session) (string, error) {
	code, err := c.code(ctx)
	if err != nil {
		return "", err
	}
	q := elevationCall(c)
	q.path, q.session, q.secrets = "/rest/tsv/latest/elevate-permissions/totp", s, []secret.Text{secret.New(code)}
	q.body = encode(struct {
		TOTPCode string `json:"totpCode"`
	}{code})
	return c.tryElevation(ctx, q)
}

func (c *Client) tryElevation(ctx context.Context, q call) (string, error) {
	a, err := c.send(ctx, q)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s answered %d", q.method, q.path, a.status), nil
}

// hiddenFields returns the hidden fields of a page's forms.
func hiddenFields(page []byte) url.Values {
	fields, tokens := url.Values{}, html.NewTokenizer(bytes.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return fields
		case html.StartTagToken, html.SelfClosingTagToken:
			addHidden(fields, tokens.Token())
		case html.TextToken, html.EndTagToken, html.CommentToken, html.DoctypeToken:
		}
	}
}

func addHidden(fields url.Values, token html.Token) {
	attributes := map[string]string{}
	for _, a := range token.Attr {
		attributes[a.Key] = a.Val
	}
	if token.Data == "input" && strings.EqualFold(attributes["type"], "hidden") && attributes["name"] != "" {
		fields.Set(attributes["name"], attributes["value"])
	}
}
