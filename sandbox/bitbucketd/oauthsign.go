package bitbucketd

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1" // OAuth 1.0a knows no other digest
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signedRequest is what a call says of itself in OAuth 1.0a.
type signedRequest struct {
	params   map[string][]string // of header, query and form, decoded
	consumer *Consumer
	token    string
}

// timestampWindow is how far a caller's clock may be off. Doubt: the library's default.
const timestampWindow = 5 * time.Minute

// problem is a refusal of the OAuth servlets and of signed calls.
func (c *call) problem(code string, more ...string) error {
	status := http.StatusUnauthorized
	switch code {
	case "parameter_absent", "parameter_rejected", "timestamp_refused", "signature_method_rejected", "version_rejected":
		status = http.StatusBadRequest
	case "user_refused":
		status = http.StatusServiceUnavailable
	}
	auth := []string{fmt.Sprintf(`OAuth realm="%s"`, url.QueryEscape(c.base.String())), fmt.Sprintf(`oauth_problem="%s"`, code)}
	body := []string{"oauth_problem=" + code}
	for i := 0; i+1 < len(more); i += 2 {
		value := url.QueryEscape(more[i+1])
		auth = append(auth, fmt.Sprintf(`%s="%s"`, more[i], value))
		body = append(body, more[i]+"="+value)
	}
	return &refusal{reply{
		status: status, media: "text/plain;charset=UTF-8", text: strings.Join(body, "&"),
		header: http.Header{"Www-Authenticate": {strings.Join(auth, ", ")}},
	}}
}

// verify checks the signature of the call: consumer, method, version, time, nonce,
// signature, in this order. need are parameters that must be there besides.
func (c *call) verify(need ...string) (*signedRequest, error) {
	s := &signedRequest{params: map[string][]string{}}
	if err := c.collect(s); err != nil {
		return nil, err
	}
	var absent []string
	for _, name := range append([]string{"oauth_consumer_key", "oauth_signature_method", "oauth_signature", "oauth_timestamp", "oauth_nonce"}, need...) {
		if s.one(name) == "" {
			absent = append(absent, name)
		}
	}
	if absent != nil {
		return nil, c.problem("parameter_absent", "oauth_parameters_absent", strings.Join(absent, "&"))
	}
	for name, values := range s.params {
		if strings.HasPrefix(name, "oauth_") && len(values) > 1 {
			return nil, c.problem("parameter_rejected", "oauth_parameters_rejected", name)
		}
	}
	s.consumer, s.token = c.st.Consumers[s.one("oauth_consumer_key")], s.one("oauth_token")
	if s.consumer == nil {
		return nil, c.problem("consumer_key_unknown")
	}
	if method := s.one("oauth_signature_method"); method != "RSA-SHA1" {
		return nil, c.problem("signature_method_rejected", "oauth_acceptable_signature_methods", "RSA-SHA1")
	}
	if v := s.one("oauth_version"); v != "" && v != "1.0" {
		return nil, c.problem("version_rejected", "oauth_acceptable_versions", "1.0-1.0")
	}
	if err := c.fresh(s); err != nil {
		return nil, err
	}
	if !c.signatureValid(s) {
		return nil, c.problem("signature_invalid", "oauth_signature_base_string", c.baseString(s))
	}
	return s, nil
}

func (s *signedRequest) one(name string) string {
	if v := s.params[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// collect gathers the parameters from the Authorization header, the query and a form.
func (c *call) collect(s *signedRequest) error {
	scheme, header, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "OAuth") {
		for part := range strings.SplitSeq(header, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			name, err1 := url.PathUnescape(name)
			value, err2 := url.PathUnescape(strings.Trim(value, `"`))
			if err1 != nil || err2 != nil {
				return c.problem("parameter_rejected", "oauth_parameters_rejected", "Authorization")
			}
			if name != "realm" && name != "" {
				s.params[name] = append(s.params[name], value)
			}
		}
	}
	sources := []string{c.r.URL.RawQuery}
	if strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		sources = append(sources, string(c.body))
	}
	for _, source := range sources {
		values, err := url.ParseQuery(source)
		if err != nil {
			return c.problem("parameter_rejected", "oauth_parameters_rejected", "query")
		}
		for name, list := range values {
			s.params[name] = append(s.params[name], list...)
		}
	}
	return nil
}

// fresh refuses old and future timestamps, and a nonce that was seen.
func (c *call) fresh(s *signedRequest) error {
	now := c.now()
	seconds, err := strconv.ParseInt(s.one("oauth_timestamp"), 10, 64)
	at := time.Unix(seconds, 0)
	if low, high := now.Add(-timestampWindow), now.Add(timestampWindow); err != nil || at.Before(low) || at.After(high) {
		return c.problem("timestamp_refused", "oauth_acceptable_timestamps", fmt.Sprintf("%d-%d", low.Unix(), high.Unix()))
	}
	for nonce, until := range c.nonces {
		if now.After(until) {
			delete(c.nonces, nonce)
		}
	}
	key := strings.Join([]string{s.one("oauth_timestamp"), s.one("oauth_nonce"), s.consumer.Key, s.token}, "\x00")
	if _, seen := c.nonces[key]; seen {
		return c.problem("nonce_used")
	}
	c.nonces[key] = at.Add(2 * timestampWindow)
	return nil
}

func (c *call) signatureValid(s *signedRequest) bool {
	key, err := parsePublicKey(s.consumer.PublicKey)
	if err != nil {
		return false
	}
	signature, err := base64.StdEncoding.DecodeString(s.one("oauth_signature"))
	if err != nil {
		return false
	}
	sum := sha1.Sum([]byte(c.baseString(s)))
	return rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature) == nil
}

// baseString is the text that was signed (RFC 5849, 3.4.1): the address is the one
// that the caller used, with the context path.
func (c *call) baseString(s *signedRequest) string {
	var pairs [][2]string
	for name, values := range s.params {
		if name == "oauth_signature" {
			continue
		}
		for _, v := range values {
			pairs = append(pairs, [2]string{escape(name), escape(v)})
		}
	}
	// By name, then value: sorting "name=value" texts would put "a.1=" before "a=".
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var params []string
	for _, p := range pairs {
		params = append(params, p[0]+"="+p[1])
	}
	return c.r.Method + "&" + escape(c.calledURL()) + "&" + escape(strings.Join(params, "&"))
}

func (c *call) calledURL() string {
	scheme, port := "http", ":80"
	if c.r.TLS != nil {
		scheme, port = "https", ":443"
	}
	return scheme + "://" + strings.TrimSuffix(strings.ToLower(c.r.Host), port) + c.raw.EscapedPath()
}

// escape is OAuth's percent-encoding: only unreserved characters stay.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		ch := s[i]
		if ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9' || strings.IndexByte("-._~", ch) >= 0 {
			b.WriteByte(ch)
		} else {
			fmt.Fprintf(&b, "%%%02X", ch)
		}
	}
	return b.String()
}
