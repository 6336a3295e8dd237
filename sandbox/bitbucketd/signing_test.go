package bitbucketd_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// signing is a signed request made by hand, to be wrong in one way at a time.
type signing struct {
	path     string
	key      string
	private  *rsa.PrivateKey
	method   string
	version  string
	nonce    string
	at       int64
	callback string
	token    string
	handle   string
}

func (s *signing) request(w *world) *http.Request {
	w.t.Helper()
	params := map[string]string{
		"oauth_consumer_key": s.key, "oauth_signature_method": s.method, "oauth_version": s.version,
		"oauth_nonce": s.nonce, "oauth_timestamp": fmt.Sprint(s.at), "oauth_callback": s.callback, "oauth_token": s.token, "oauth_session_handle": s.handle,
	}
	var pairs, header []string
	for name, value := range params {
		if value != "" {
			pairs = append(pairs, name+"="+percent(value))
			header = append(header, fmt.Sprintf(`%s="%s"`, name, percent(value)))
		}
	}
	slices.Sort(pairs)
	base := "POST&" + percent(w.url+s.path) + "&" + percent(strings.Join(pairs, "&"))
	sum := sha1.Sum([]byte(base))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.private, crypto.SHA1, sum[:])
	w.must(err)
	header = append(header, fmt.Sprintf(`oauth_signature="%s"`, percent(base64.StdEncoding.EncodeToString(signature))))
	req, err := http.NewRequestWithContext(w.t.Context(), "POST", w.url+s.path, nil)
	w.must(err)
	req.Header.Set("Authorization", "OAuth "+strings.Join(header, ", "))
	return req
}

func percent(s string) string {
	var b strings.Builder
	for _, ch := range []byte(s) {
		if strings.IndexByte("-._~", ch) >= 0 || ch >= '0' && ch <= '9' || ch|32 >= 'a' && ch|32 <= 'z' {
			b.WriteByte(ch)
		} else {
			fmt.Fprintf(&b, "%%%02X", ch)
		}
	}
	return b.String()
}
