package bitbucket

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
)

// problems are all that the provider knows, with the status it gives each.
var problems = map[string]int{
	"parameter_absent": 400, "parameter_rejected": 400, "timestamp_refused": 400, "signature_method_rejected": 400, "version_rejected": 400,
	"consumer_key_unknown": 401, "signature_invalid": 401, "nonce_used": 401, "token_used": 401, "token_expired": 401, "token_rejected": 401,
	"permission_unknown": 401, "permission_denied": 401, "user_refused": 503,
}

func TestEveryOAuthProblemHasARemedy(t *testing.T) {
	pair := consumerPair(t)
	seen := map[string]string{}
	unnamed, _ := remedy("?")
	for problem, status := range problems {
		header := says(status, "", "WWW-Authenticate", `OAuth realm="https%3A%2F%2Fbitbucket.example.com", oauth_problem="`+problem+`"`)
		body := says(status, "oauth_problem="+problem+"\n", "WWW-Authenticate", `Basic realm="x"`)
		for where, step := range map[string]http.HandlerFunc{"header": header, "body": body} {
			s := newScript(t, step)
			err := client(t, s.url).ProveConsumer(t.Context(), "key-1", pair.Private)
			var p *OAuthProblem
			if !errors.As(err, &p) || p.Problem != problem || p.Status != status || p.Cause == unnamed || p.Advice == "" {
				t.Errorf("%s in the %s: %v", problem, where, err)
				continue
			}
			if !strings.Contains(err.Error(), `"key-1"`) || s.count() != 1 {
				t.Errorf("%s: %v after %d requests", problem, err, s.count())
			}
			seen[p.Cause] = problem
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d different causes", len(seen))
	}
}

func TestProblemNamesTheClock(t *testing.T) {
	pair := consumerPair(t)
	s := newScript(t, says(400, "oauth_problem=timestamp_refused&oauth_acceptable_timestamps=1-2",
		"Date", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat)))
	err := client(t, s.url).ProveConsumer(t.Context(), "k", pair.Private)
	var p *OAuthProblem
	if !errors.As(err, &p) || !p.SkewKnown || (p.Skew-10*time.Minute).Abs() > 2*time.Second ||
		!strings.Contains(err.Error(), "ahead of ours") || !strings.Contains(err.Error(), "acceptable_timestamps 1-2") {
		t.Errorf("%v", err)
	}
}

func TestProveConsumer(t *testing.T) {
	pair := consumerPair(t)
	token := string(fixture(t, "oauth_request_token_200.txt"))
	var header string
	ok := func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Get("Authorization")
		says(200, token, "Content-Type", "text/plain")(w, r)
	}
	for name, test := range map[string]struct {
		steps []http.HandlerFunc
		want  error
	}{
		"proven":                {[]http.HandlerFunc{ok}, nil},
		"proven after faults":   {[]http.HandlerFunc{hangsUp, says(502, page200), says(429, ""), breaksOff, ok}, nil},
		"a page":                {[]http.HandlerFunc{says(200, page200)}, ErrBadAnswer},
		"OAuth 1.0 without a":   {[]http.HandlerFunc{says(200, "oauth_token=TOKEN&oauth_token_secret=SECRET")}, ErrBadAnswer},
		"no servlet":            {[]http.HandlerFunc{says(404, page200)}, ErrNotServed},
		"redirect to the login": {[]http.HandlerFunc{says(302, "", "Location", "/login?next=x")}, ErrBadAnswer},
		"401 of a proxy":        {[]http.HandlerFunc{says(401, page200, "WWW-Authenticate", `Negotiate`)}, ErrGateway},
	} {
		s := newScript(t, test.steps...)
		err := client(t, s.url).ProveConsumer(t.Context(), "k", pair.Private)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "TOKEN") || strings.Contains(err.Error(), "SECRET")) {
			t.Errorf("%s: the token is in %v", name, err)
		}
	}
	for _, want := range []string{"OAuth ", `oauth_consumer_key="k"`, `oauth_signature_method="RSA-SHA1"`, `oauth_callback="oob"`} {
		if !strings.Contains(header, want) {
			t.Errorf("%s is not in %s", want, header)
		}
	}
	if err := client(t, "https://bitbucket.example").ProveConsumer(t.Context(), "k", secret.New("no key")); err == nil {
		t.Error("no key proves a consumer")
	}
}

func consumerPair(t testing.TB) keys.Pair {
	t.Helper()
	pair, err := keys.GenerateConsumer(keys.MinRSABits)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func FuzzProblem(f *testing.F) {
	f.Add(`OAuth realm="https%3A%2F%2Fb", oauth_problem="consumer_key_unknown"`, fixture(f, "oauth_problem_401.txt"))
	f.Add("", []byte("oauth_problem=timestamp_refused&oauth_acceptable_timestamps=1-2"))
	f.Add("oauth a", fixture(f, "oauth_request_token_200.txt"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		p := problemOf(answer{status: 401, header: http.Header{"Www-Authenticate": {header}}, body: body})
		if p == nil {
			return
		}
		text := p.explain("k", 0, true, time.Time{}).Error()
		if p.Problem == "" || p.Advice == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
			t.Errorf("%q", text)
		}
	})
}
