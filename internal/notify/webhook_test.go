package notify_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/notify"
	"github.com/bbsync/bbsync/internal/secret"
)

// A chat that answers with these codes, one after the other, then with 200.
func chat(t *testing.T, codes ...int) (url string, bodies *[]string) {
	t.Helper()
	bodies = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*bodies = append(*bodies, r.Header.Get(notify.TimestampHeader)+" "+r.Header.Get(notify.SignatureHeader)+" "+string(body))
		code := http.StatusOK
		if len(codes) > 0 {
			code, codes = codes[0], codes[1:]
		}
		if code/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/the-secret-path", bodies
}

func TestSend(t *testing.T) {
	for _, test := range []struct {
		name  string
		codes []int
		want  string
		tries int
	}{
		{"taken", nil, "", 1},
		{"taken in the end", []int{500, 429, 503}, "", 4},
		{"never taken", []int{500, 500, 500, 500, 500}, "status 500", 4},
		{"refused", []int{403}, "status 403", 1},
		{"no redirect is followed", []int{307}, "status 307", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, bodies := chat(t, test.codes...)
			hook := notify.Webhook{URL: secret.New(url), Now: time.Now, Pause: time.Nanosecond}
			err := hook.Send(context.Background(), "hello")
			if (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if len(*bodies) != test.tries {
				t.Errorf("%d attempts, want %d", len(*bodies), test.tries)
			}
		})
	}
}

// The signature of a fixed message, so that receivers can be written against it.
func TestSignature(t *testing.T) {
	url, bodies := chat(t)
	hook := notify.Webhook{URL: secret.New(url), Secret: secret.New("key"), Now: func() time.Time { return time.Unix(1700000000, 0) }}
	if err := hook.Send(context.Background(), "<@everyone> & all"); err != nil {
		t.Fatal(err)
	}
	// printf '%s' '1700000000.BODY' | openssl dgst -sha256 -hmac key
	const want = "1700000000 sha256=d4496a9fa3ef61f11e445b6674190e7259f6fee8160f4e725634ac49e2f9e4a7 " + `{"text":"` + "```" + `\n\u0026lt;@ everyone\u0026gt; \u0026amp; all\n` + "```" + `"}`
	if (*bodies)[0] != want {
		t.Errorf("sent %s\nwant %s", (*bodies)[0], want)
	}
}

func TestAddressesStaySecret(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, url := range []string{"", "the-secret", "https://", "ftp://chat/the-secret", "://the-secret", closed.URL + "/the-secret", "http://%zz/the-secret"} {
		hook := notify.Webhook{URL: secret.New(url), Now: time.Now, Pause: time.Nanosecond}
		err := hook.Send(context.Background(), "hello")
		if err == nil || strings.Contains(err.Error(), "the-secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestWebhookOverHTTP refuses an address that would travel in the clear.
func TestWebhookOverHTTP(t *testing.T) {
	err := notify.Webhook{URL: secret.New("http://hooks.example/services/tiger")}.Send(t.Context(), "text")
	if err == nil || !strings.Contains(err.Error(), "use https") || strings.Contains(err.Error(), "tiger") {
		t.Error(err)
	}
}
