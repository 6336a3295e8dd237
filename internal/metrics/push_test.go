package metrics

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/secret"
)

// TestPasswordFollowsNoRedirect has a Pushgateway that redirects, to its own host
// under another port and within itself.
func TestPasswordFollowsNoRedirect(t *testing.T) {
	for _, code := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		asked := 0
		elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
		t.Cleanup(elsewhere.Close)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/next?token=x", code)
		}))
		t.Cleanup(server.Close)
		err := run().Push(t.Context(), Gateway{URL: server.URL, Username: "u", Password: secret.New("the-password")})
		if asked > 0 {
			t.Errorf("%d: the redirect was followed", code)
		}
		if err == nil || !strings.Contains(err.Error(), "redirects to "+elsewhere.URL+"/next") || strings.Contains(err.Error(), "token=x") {
			t.Errorf("%d: error %v", code, err)
		}
	}
}

// TestRefusedPush has a Pushgateway that repeats the credentials and more.
func TestRefusedPush(t *testing.T) {
	const password = "pa/ss+word<9>"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, sent, _ := r.BasicAuth()
		if sent != password {
			t.Error("no password")
		}
		_, _ = w.Write([]byte("no:\n::error::" + r.Header.Get("Authorization") + " " + sent + strings.Repeat(" more", 1<<20)))
	}))
	t.Cleanup(server.Close)
	err := run().Push(t.Context(), Gateway{URL: server.URL, Username: "u", Password: secret.New(password)})
	if err == nil || !strings.Contains(err.Error(), "401") || len(err.Error()) > 2000 {
		t.Fatalf("error of %d bytes: %.300v", len(err.Error()), err)
	}
	for _, form := range []string{password, base64.StdEncoding.EncodeToString([]byte("u:" + password)), "\n"} {
		if strings.Contains(err.Error(), form) {
			t.Errorf("%q is in %v", form, err)
		}
	}
}
