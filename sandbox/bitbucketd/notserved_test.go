package bitbucketd_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

// A path that is not served is answered by the framework, as each version's does:
// never in the form of a resource that does not have the object.
func TestPathsThatAreNotServed(t *testing.T) {
	for version, want := range map[string]string{
		"5.3.1":  `"message":"null for uri: http://`,
		"8.19.0": `"message":"null for uri: http://`,
		"9.4.0":  `{"status-code":404,"message":"HTTP 404 Not Found","sub-code":-1}`,
		"10.2.1": `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><status><status-code>404</status-code><message>HTTP 404 Not Found</message></status>`,
		"10.4.2": `{"status-code":404,"message":"HTTP 404 Not Found","sub-code":-1}`,
	} {
		w := newWorld(t, bitbucketd.Options{Version: version})
		for _, path := range []string{"/rest/api/1.0/hovercraft", "/rest/applinks/9.0/applicationlink", "/rest/ssh/1.0/hovercraft"} {
			if have := get(t, w, path); !strings.Contains(have, want) {
				t.Errorf("%s: %s: %s", version, path, have)
			}
		}
	}
}

// get returns the body of a 404 to a client that asks for JSON.
func get(t *testing.T, w *world, path string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	resp, err := w.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var b strings.Builder
	if err := resp.Write(&b); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("%s: %d, %v", path, resp.StatusCode, err)
	}
	return b.String()
}

// A method that is not served on a path that is.
func TestMethodsThatAreNotServed(t *testing.T) {
	for version, body := range map[string]string{"5.3.1": "", "8.19.0": "", "10.4.2": "HTTP 405 Method Not Allowed"} {
		w := newWorld(t, bitbucketd.Options{Version: version, Basic: bitbucketd.On})
		a := w.want(w.as(admin, "DELETE", "/rest/ssh/1.0/settings", ""), 405, body)
		if a.header.Get("Allow") != "GET" || body == "" && a.body != "" {
			t.Errorf("%s: %v %s", version, a.header, a.body)
		}
	}
}
