package schema

import (
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Gateway says what a gateway in front of a server wants of every request. The
// fields are of the block that describes the server.
type Gateway struct {
	Headers     []Header
	Certificate *SecretRef // a client certificate with its chain, in PEM; nil: none
	Key         *SecretRef // its private key, in PEM
}

// Header is an HTTP header that every request to a server has.
type Header struct {
	Name   string     // canonical: Cf-Access-Client-Id
	Value  string     // not a secret; "" for: Secret
	Secret *SecretRef // where the value is kept; nil: Value
	Range  hcl.Range
}

// addGatewayShape adds what may stand in the block of a server. reference makes
// the shape of a block that says where a secret is.
func addGatewayShape(s *shape, reference func() *shape) {
	header, certificate, key := reference(), reference(), reference()
	header.labels = 1
	header.attrs["value"] = text
	delete(header.instead, "value")
	for _, pem := range []*shape{certificate, key} {
		pem.attrs["file"] = text
		delete(pem.instead, "file")
	}
	s.blocks["header"], s.blocks["client_certificate"], s.blocks["client_key"] = header, certificate, key
	s.many = append(s.many, "header")
	s.instead["headers"] = `write a block for each header: header "X-Name" { value = "..." }`
}

// ownSecretShape is secretShape for the login to Vault, which comes before Vault
// can be read.
func ownSecretShape() *shape {
	s := secretShape()
	delete(s.attrs, "vault")
	s.instead["vault"] = `it is needed before bbsync is logged in to Vault: name an environment variable with env = "NAME"`
	return s
}

func (v view) gateway() Gateway {
	var g Gateway
	for _, kid := range v.n.all("header") {
		each := v.of(kid)
		each.prefix += kid.label() + "."
		h := each.header()
		if slices.ContainsFunc(g.Headers, func(other Header) bool { return other.Name == h.Name }) {
			v.l.add(problem{rule: ruleDuplicate, at: kid.at(), summary: "Declared twice: header " + h.Name, detail: v.n.title() + " sends a header once."})
		}
		g.Headers = append(g.Headers, h)
	}
	if kid := v.n.one("client_certificate"); kid != nil {
		ref := v.of(kid).secret()
		g.Certificate = &ref
	}
	if kid := v.n.one("client_key"); kid != nil {
		ref := v.of(kid).secret()
		g.Key = &ref
	}
	if (g.Certificate == nil) != (g.Key == nil) {
		v.l.add(problem{
			rule: ruleMissing, at: v.n.at(), summary: "Half a client certificate",
			detail: v.n.title() + " has one of client_certificate and client_key.", hint: "write both blocks, or neither",
		})
	}
	return g
}

func (v view) header() Header {
	name := v.n.label()
	h := Header{Name: textproto.CanonicalMIMEHeaderKey(name), Value: v.text("value"), Range: v.n.at()}
	if why := reservedHeader(h.Name); why != "" {
		v.l.add(problem{
			rule: ruleHeader, at: v.n.at(), summary: "Not a header for a gateway",
			detail: fmt.Sprintf("The header %s %s.", shown(name), why), hint: "leave it out",
		})
	}
	if v.n.args["value"] == nil || v.broken[v.prefix+"value"] {
		ref := v.secret()
		h.Secret = &ref
		return h
	}
	v.headerValue(h)
	return h
}

// headerValue checks a value that is written in the configuration.
func (v view) headerValue(h Header) {
	hint := "say where it is kept: " + v.places()
	switch {
	case v.n.args["vault"] != nil || v.n.args["env"] != nil:
		v.fail("value", ruleSecretRef, "Where is the value?", "The block header has a value, and a place of one.", "leave one of them")
	case h.Value == "":
		v.fail("value", ruleMissing, "Empty value", "The header "+h.Name+" has an empty value.", hint)
	case secretHeader.MatchString(h.Name) || len(randomRuns([]byte(h.Value))) > 0:
		v.hide("value")
		v.fail("value", ruleSecret, "No secret belongs here",
			fmt.Sprintf("The value of the header %s looks like a secret. Configuration files are read by many and kept forever. If this was a secret, treat it as known to others.", h.Name), hint)
	case strings.ContainsFunc(h.Value, func(r rune) bool { return r < ' ' || r > '~' }) || strings.TrimSpace(h.Value) != h.Value:
		v.fail("value", ruleHeader, "Not a header's value", "A value has printable ASCII characters, and no space at its ends.", "")
	}
}

var secretHeader = regexp.MustCompile(`(?i)secret|token|password|passwd|api-?key|assertion|signature|credential`)

// reservedHeader returns why a gateway cannot have a header, "" if it can.
func reservedHeader(name string) string {
	prefixes := []string{"Proxy-", "Sec-", "If-", "X-Vault-", "X-Atlassian-", "Accept", "Content-", "Access-Control-"}
	switch {
	case strings.ContainsFunc(name, func(r rune) bool { return r > '~' }):
		return "is not made of ASCII letters, digits, - and _"
	case slices.Contains([]string{"Authorization", "Cookie", "X-Ausername"}, name):
		return "belongs to the server's own login"
	case slices.Contains([]string{
		"Host", "Connection", "Keep-Alive", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Expect", "Range",
		"User-Agent", "Origin", "Referer", "Traceparent", "Tracestate", "X-Http-Method-Override", "Set-Cookie",
	}, name), slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }):
		return "is set by bbsync itself, or by the protocol"
	}
	return ""
}
