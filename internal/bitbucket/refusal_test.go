package bitbucket

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func made(status int, body string, headers ...string) answer {
	a := answer{status: status, header: http.Header{}, body: []byte(body)}
	for i := 0; i+1 < len(headers); i += 2 {
		a.header.Set(headers[i], headers[i+1])
	}
	return a
}

func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		answer answer
		want   error // nil: none of the sentinels
		text   string
	}{
		"captcha":             {recorded(t, "captcha_401.http"), ErrCaptcha, "solve the CAPTCHA"},
		"not permitted":       {recorded(t, "not-permitted_401.http"), ErrForbidden, "You are not permitted to access this resource"},
		"no such repo":        {recorded(t, "repo-not-found_404.http"), ErrNotFound, "Repository SOUR/invalidslug does not exist. (GET /git/rest/api/1.0/x, request @MWNSEUx896x615741x0)"},
		"wrong password":      {made(401, `{"errors":[{"message":"Authentication failed.","exceptionName":"com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException"}]}`), ErrCredentials, "check the username and the password"},
		"a bare 401":          {made(401, ""), ErrCredentials, "401 Unauthorized"},
		"a page with 401":     {made(401, page200), ErrGateway, `a web page titled "Corp SSO\x1b[2J"`},
		"401 by name":         {made(401, "", "X-AUSERNAME", "admin"), ErrForbidden, ""},
		"401 of a stranger":   {made(401, "", "X-AUSERNAME", "anonymous"), ErrCredentials, ""},
		"applinks 401":        {made(401, `{"status-code":401,"message":"You must be logged in as an admin"}`), ErrForbidden, "logged in as an admin"},
		"applinks 401, XML":   {made(401, `<?xml version="1.0"?><status><status-code>401</status-code><message>admins only</message></status>`), ErrForbidden, "admins only"},
		"Jira's CAPTCHA":      {made(403, "", "X-Authentication-Denied-Reason", "CAPTCHA_CHALLENGE; login-url=https://x/login"), ErrCaptcha, ""},
		"a stranger's 403":    {made(403, `{"status-code":403,"message":"no"}`), ErrForbidden, "the answer does not name the account"},
		"Basic off":           {made(403, `{"message":"Basic Authentication has been disabled on this instance."}`), ErrForbidden, "allow Basic authentication for \"admin\""},
		"Basic off, XML":      {made(403, `<?xml version="1.0"?><warning><message>off</message></warning>`), ErrForbidden, "force.allow=true"},
		"Basic off, text":     {made(403, "off"), ErrForbidden, "allowed-users"},
		"XSRF":                {made(403, "XSRF check failed"), ErrForbidden, "X-Atlassian-Token"},
		"duplicate link":      {made(400, string(fixture(t, "applinks_duplicate_400.json"))), nil, "applinks.error.duplicate.url"},
		"field error":         {made(400, `{"errors":[{"context":"permission.1.repositorySlug","message":"No repo"}]}`), nil, "permission.1.repositorySlug: No repo"},
		"plugin manager":      {made(400, `{"subCode":"upm.plugin.error.invalid.token"}`), nil, "upm.plugin.error.invalid.token"},
		"conflict":            {made(409, `{"errors":[{"message":"exists"}]}`), ErrExists, ""},
		"rate limit":          {made(429, "", "Retry-After", "5"), ErrUnavailable, ""},
		"proxy":               {made(502, "<html><title>502 Bad Gateway</title></html>"), ErrUnavailable, `a web page titled "502 Bad Gateway"`},
		"method of a gateway": {made(405, page200), ErrGateway, "have it let GET requests to /git/rest/api/1.0/x pass"},
		"method":              {made(405, ""), ErrNotServed, ""},
		"a page with 404":     {made(404, page200), ErrNotServed, "check the url's context path"},
		"no route, 5":         {made(404, `{"message":"null for uri: http://h/rest/x","status-code":404}`), ErrNotServed, "null for uri"},
		"no route, 10.2":      {made(404, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><status><status-code>404</status-code><message>HTTP 404 Not Found</message></status>`), ErrNotServed, ""},
		"no route, 10.4":      {made(404, `{"message":"HTTP 404 Not Found","status-code":404,"sub-code":-1}`), ErrNotServed, ""},
		"no route, Kong":      {made(404, `{"message":"no Route matched with those values"}`), ErrNotServed, ""},
		"no route, Spring":    {made(404, `{"status":404,"error":"Not Found","path":"/rest/x"}`), ErrNotServed, ""},
		"an empty 404":        {made(404, ""), ErrNotServed, ""},
		"no consumer":         {made(404, `{"status-code":404,"message":"Nothing is configured."}`), ErrNotFound, ""},
		"no link, 3.0":        {made(404, `{"status":404,"errors":[{"context":null,"summary":"No such link","details":[]}]}`), ErrNotFound, "No such link"},
		"moved":               {made(301, "", "Location", "https://bb.example/rest/api/1.0/projects/PLATFORM/repos/dns?x=y"), ErrMoved, "it is now PLATFORM/dns"},
		"moved, a plugin":     {made(500, `<?xml version="1.0"?><status><status-code>500</status-code><message>The repository has been moved to PLATFORM</message></status>`), ErrMoved, "it is now PLATFORM; "},
		"archived":            {made(409, `{"errors":[{"message":"The repository is archived","exceptionName":"com.atlassian.bitbucket.repository.RepositoryArchivedException"}]}`), ErrState, "unarchive"},
		"moved, 409":          {made(409, `{"errors":[{"message":"gone","exceptionName":"com.atlassian.bitbucket.project.ProjectMovedException"}]}`), ErrMoved, "it was moved or renamed"},
		"moved, 500":          {made(500, `{"errors":[{"message":"The repository has been moved to PLATFORM/dns."}]}`), ErrMoved, "it is now PLATFORM/dns; "},
		"starting":            {made(503, `{"state":"STARTING"}`), ErrUnavailable, "try again later"},
		"broken JSON":         {made(500, `{"errors":[{"mess`), nil, `500 Internal Server Error: {"errors":[{"mess`},
		"errors of no kind":   {made(500, `{"errors":"all of them"}`), nil, "500"},
		"redirect":            {made(302, "", "Location", "https://sso.example/login?token=abc"), ErrBadAnswer, "it redirects to https://sso.example/login, on another host, where the credentials are not sent; if that is the right server, configure its address"},
		"escapes":             {made(400, "{\"message\":\"\\u001b]0;owned\\u0007 a\\u202eb\\nc\"}"), nil, `\x1b]0;owned\x07 a\u202eb c`},
	}
	c := client(t, "https://bitbucket.example/git")
	sentinels := []error{ErrNotFound, ErrNotServed, ErrGateway, ErrMoved, ErrState, ErrExists, ErrForbidden, ErrCredentials, ErrCaptcha, ErrPolicy, ErrUnavailable, ErrTooOld, ErrBadAnswer}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := c.refusal(call{op: "doing", object: "a thing", path: "/rest/api/1.0/x"}, test.answer)
			for _, s := range sentinels {
				if have, want := errors.Is(err, s), errors.Is(s, test.want); have != want {
					t.Errorf("errors.Is(%v) = %v, want %v", s, have, want)
				}
			}
			if !strings.Contains(err.Error(), test.text) || !strings.HasPrefix(err.Error(), "doing a thing: ") {
				t.Errorf("text %q, want %q in it", err, test.text)
			}
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == '\u202e' }) {
				t.Errorf("control characters in %q", err)
			}
			if strings.Contains(err.Error(), "token=abc") {
				t.Errorf("the query of a redirect is shown: %q", err)
			}
		})
	}
}

func TestEscapeCutsLongTexts(t *testing.T) {
	if got := escape(strings.Repeat("ä", 5000)); len([]rune(got)) != maxText+1 || !strings.HasSuffix(got, "…") {
		t.Errorf("%d runes", len([]rune(got)))
	}
}

func FuzzRefusal(f *testing.F) {
	for _, name := range []string{"captcha_401.http", "not-permitted_401.http", "repo-not-found_404.http"} {
		a := recorded(f, name)
		f.Add(a.status, a.header.Get("X-Ausername"), a.body)
	}
	f.Add(400, "", fixture(f, "applinks_duplicate_400.json"))
	f.Add(201, "admin", fixture(f, "applinks_put_201.xml"))
	f.Add(200, "", []byte(page200))
	f.Add(401, "", []byte(`{"errors":[{"context":null,"message":null,"exceptionName":null}],"message":["a","b"]}`))
	c, err := New(Config{URL: "https://bitbucket.example"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, name string, body []byte) {
		a := made(status, string(body), "X-Ausername", name)
		text := c.refusal(call{op: "doing", path: "/rest/x"}, a).Error()
		if len(text) > 8*(maxText+200)*6 {
			t.Errorf("a text of %d bytes", len(text))
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' }) {
			t.Errorf("control characters in %q", text)
		}
	})
}
