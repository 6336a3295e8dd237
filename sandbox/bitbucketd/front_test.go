package bitbucketd_test

import (
	"net/http/httptest"
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
)

// Behind the front: routes are counted by pattern, and who asks too much is told so
// in the server's own words.
func TestBehindTheFront(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	if r := w.Rate(); r.PerSecond != 0 {
		t.Errorf("limited: %+v", r)
	}
	w.must(w.Configure(func(s *bitbucketd.Settings) { s.RateEnabled, s.RateCapacity, s.RateFill = true, 3, 1 }))
	f := front.New(w.Handler(), front.Options{Rate: w.Rate(), TooMany: w.TooMany, Now: w.now.Now})
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	w.url = server.URL
	for range 3 {
		w.want(w.as(ann, "GET", api+"/users/ann", ""), 200)
	}
	if a := w.want(w.as(ann, "GET", api+"/users/ann", ""), 429, `"errors":[`); a.header.Get("Retry-After") != "1" {
		t.Errorf("headers: %v", a.header)
	}
	w.want(w.as(svc, "GET", api+"/users/ann", ""), 200)
	if n := f.Counts().Routes["GET /rest/api/{v}/users/{slug}"]; n != 4 {
		t.Errorf("counted: %+v", f.Counts())
	}
	old := newWorld(t, bitbucketd.Options{Version: "5.3.1"})
	old.must(old.Configure(func(s *bitbucketd.Settings) { s.RateEnabled = true }))
	if r := old.Rate(); r.PerSecond != 0 {
		t.Errorf("limited before 6.6: %+v", r)
	}
}
