package httpx_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/secret"
)

const testPEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA1c7+9z5Pad7OejecsQ0buH0ZfRlkQ1Hx2c3d4e5f6a7b8c9d\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n-----END RSA PRIVATE KEY-----\n"

// forms returns a secret as answers repeat it.
func forms(s string) map[string]string {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	twice, err := json.Marshal(string(quoted))
	if err != nil {
		panic(err)
	}
	return map[string]string{
		"plain": s, "JSON": string(quoted), "JSON in JSON": string(twice), "query": url.QueryEscape(s), "path": url.PathEscape(s), "HTML": html.EscapeString(s),
		"base64": base64.StdEncoding.EncodeToString([]byte(s)), "base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte(s)),
		"Basic": base64.StdEncoding.EncodeToString([]byte("admin:" + s)), "header": base64.StdEncoding.EncodeToString([]byte("Authorization: Bearer " + s + " and more")),
	}
}

func TestRedactor(t *testing.T) {
	for _, s := range []string{"pa/ss+w<r>d&1\"", "hvs.CAESIJ-abcdefghijklmnop", "päss wörd\twith all"} {
		r := httpx.NewRedactor(secret.New(s))
		for name, form := range forms(s) {
			have := r.String("before " + form + " after")
			if strings.Contains(have, s) || strings.Contains(have, form) || !strings.HasPrefix(have, "before ") || !strings.HasSuffix(have, " after") {
				t.Errorf("%s: %s became %s", name, form, have)
			}
		}
	}
}

// TestPartOfASecret has answers that were cut, or that repeat lines of a key.
func TestPartOfASecret(t *testing.T) {
	const token = "a-token-that-is-long.1234567890"
	r := httpx.NewRedactor(secret.New(token), secret.New(testPEM))
	lines := strings.Split(testPEM, "\n")
	encoded := base64.StdEncoding.EncodeToString([]byte(testPEM))
	for _, text := range []string{
		"bad token " + token[:20], token[10:] + " is bad", "line 2 is " + lines[2][40:] + "!", lines[1] + lines[2],
		testPEM[:60], strings.ReplaceAll(testPEM, "\n", `\n`), encoded, "cut " + encoded[20:90],
	} {
		have := r.String(text)
		for _, s := range []string{token, lines[1], lines[2], encoded} {
			for i := 0; i+12 <= len(s); i++ {
				if strings.Contains(have, s[i:i+12]) {
					t.Errorf("%q became %q, which has %q", text, have, s[i:i+12])
					break
				}
			}
		}
	}
	for _, text := range []string{"the key must be a RSA PRIVATE KEY", "token too long", ""} {
		if have := r.String(text); have != text {
			t.Errorf("%q became %q", text, have)
		}
	}
}

func TestEveryPEMBlockGoes(t *testing.T) {
	var none *httpx.Redactor
	for _, text := range []string{
		"x " + testPEM + " y", "x " + testPEM[:40], "x -----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXk", "x -----BEGIN CERTIFICATE-----\nMIIEowIBAAKC\n-----END CERTIFICATE----- y",
	} {
		have := none.String(text)
		if strings.Contains(have, "MII") || strings.Contains(have, "b3B") || !strings.HasPrefix(have, "x (redacted)") {
			t.Errorf("%q became %q", text, have)
		}
		if strings.HasSuffix(text, " y") && !strings.HasSuffix(have, " y") {
			t.Errorf("%q became %q", text, have)
		}
	}
}

func TestRedactedErrorKeepsItsChain(t *testing.T) {
	r := httpx.NewRedactor(secret.New("the-token"))
	if err := r.Error(io.EOF); !errors.Is(err, io.EOF) {
		t.Errorf("an error without a secret became %v", err)
	}
	err := r.Error(errors.Join(errors.New("bad the-token"), io.EOF))
	if strings.Contains(err.Error(), "the-token") || !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}

// TestNoSecretIsLeft plants a random secret in every form among random text.
func TestNoSecretIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.TrimSpace(rapid.StringN(8, 40, 200).Draw(t, "secret"))
		if len(s) < 8 || strings.Contains("(redacted)", s) {
			return
		}
		r := httpx.NewRedactor(secret.New("another-secret")).With(secret.New(s))
		text := ""
		for _, form := range forms(s) {
			text += rapid.StringMatching(`[A-Z :{}]{0,9}`).Draw(t, "between") + form
		}
		have := r.String(text)
		for name, form := range forms(s) {
			if strings.Contains(have, form) {
				t.Fatalf("%s of %q is left: %q", name, s, have)
			}
		}
	})
}
