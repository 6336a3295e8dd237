package bitbucketd

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Consumer is an incoming OAuth 1.0a consumer. It lives by its key: a link points
// to it, and the tokens given out to it name it.
type Consumer struct {
	Key         string `json:"key"`
	Name        string `json:"name"`
	Description string `json:"description"`
	PublicKey   string `json:"publicKey"` // PEM
	Callback    string `json:"callback"`
}

type consumerEntity struct {
	Link             []linkRef `json:"link" xml:"link"`
	Key              string    `json:"key" xml:"key"`
	Name             string    `json:"name" xml:"name"`
	Description      *string   `json:"description" xml:"description,omitempty"`
	SignatureMethod  string    `json:"signatureMethod" xml:"signatureMethod"`
	PublicKey        string    `json:"publicKey" xml:"publicKey"`
	SharedSecret     *string   `json:"sharedSecret" xml:"sharedSecret,omitempty"`
	Callback         *string   `json:"callback" xml:"callback,omitempty"`
	TwoLOAllowed     bool      `json:"twoLOAllowed" xml:"twoLOAllowed"`
	ExecutingUser    *string   `json:"executingTwoLOUser" xml:"executingTwoLOUser,omitempty"`
	TwoLOImpersonate bool      `json:"twoLOImpersonationAllowed" xml:"twoLOImpersonationAllowed"`
	Outgoing         bool      `json:"outgoing" xml:"outgoing"`
}

type consumerList struct {
	XMLName   xml.Name         `json:"-" xml:"consumers"`
	Consumers []consumerEntity `json:"consumers" xml:"consumers"`
}

func consumerRef(l *Link) linkRef { // relative, as the real one
	return linkRef{Href: "applicationlink/" + l.ID + "/authentication/consumer", Rel: "self"}
}

func (con *Consumer) entity(l *Link) consumerEntity {
	return consumerEntity{
		Link: []linkRef{consumerRef(l)}, Key: con.Key, Name: con.Name, Description: optional(con.Description),
		SignatureMethod: "RSA_SHA1", PublicKey: con.PublicKey, Callback: optional(con.Callback),
	}
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (c *call) consumerLink() (*Link, error) {
	if err := c.linkAdmin(guarded); err != nil {
		return nil, err
	}
	id := c.r.PathValue("id")
	l := c.st.linkByID(id)
	if l == nil {
		return nil, refuseStatus(http.StatusNotFound, "No application link found with id %s.", id)
	}
	return l, nil
}

func getConsumer(c *call) (reply, error) {
	l, err := c.consumerLink()
	if err != nil {
		return reply{}, err
	}
	con := c.st.Consumers[l.Consumer]
	if con == nil {
		return reply{}, refuseStatus(http.StatusNotFound, "No consumer found for application link with id %s.", l.ID)
	}
	return reply{body: consumerList{Consumers: []consumerEntity{con.entity(l)}}, xml: true}, nil
}

// putConsumer stores the consumer by its key, and lets the link point to it. The
// consumer that the link pointed to before stays, if its key was another: it is
// then nobody's, and valid. The fields about 2LO are ignored.
func putConsumer(c *call) (reply, error) {
	l, err := c.consumerLink()
	if err != nil {
		return reply{}, err
	}
	var in consumerEntity
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	if in.Outgoing {
		// The other direction is not this server's; bbsync never makes such a consumer.
		return reply{}, refuseList("An outgoing consumer needs a key and a shared secret.")
	}
	if in.Key == "" || in.PublicKey == "" {
		return reply{}, refuseList("The consumer's key and public key are required.")
	}
	callback, description := "", ""
	if in.Callback != nil {
		callback = *in.Callback
	}
	if in.Description != nil {
		description = *in.Description
	}
	if u, err := url.Parse(callback); callback != "" && (err != nil || !u.IsAbs()) {
		return reply{}, refuseList("The callback '%s' is no valid URL.", callback)
	}
	pem, err := reencode(in.PublicKey)
	if err != nil {
		return reply{}, refuseList("Invalid public key: %s.", err)
	}
	c.storeConsumer(l, &Consumer{Key: in.Key, Name: in.Name, Description: description, PublicKey: pem, Callback: callback})
	c.wrote("consumer %s of application link %s put", in.Key, l.RPCURL)
	return statusReply(statusMessage{Code: http.StatusCreated, Created: []linkRef{consumerRef(l)}}), nil
}

// storeConsumer stores the consumer by its key; the link then points to it.
func (s *Server) storeConsumer(l *Link, con *Consumer) {
	if old := s.st.Consumers[con.Key]; old != nil && old.PublicKey != con.PublicKey && s.opts.DropTokensOnKeyChange {
		s.st.dropTokens(con.Key)
	}
	s.st.Consumers[con.Key], l.Consumer = con, con.Key
}

// removeConsumer removes the consumer and all tokens given out to it.
func (st *State) removeConsumer(key string) {
	delete(st.Consumers, key)
	st.dropTokens(key)
}

func (st *State) dropTokens(consumer string) {
	for id, t := range st.RequestTokens {
		if t.Consumer == consumer {
			delete(st.RequestTokens, id)
		}
	}
	for id, t := range st.AccessTokens {
		if t.Consumer == consumer {
			delete(st.AccessTokens, id)
		}
	}
}

// reencode reads an RSA public key (X.509 SubjectPublicKeyInfo in base64, with or
// without PEM header) and writes it as PEM in another line length than is usual:
// callers must compare keys, not texts. Doubt: the real line length; and whether a
// certificate would be taken here, as the manual form does. This one refuses it.
func reencode(text string) (string, error) {
	key, err := parsePublicKey(text)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", err
	}
	const width = 76
	var out strings.Builder
	out.WriteString("-----BEGIN PUBLIC KEY-----\n")
	for body := base64.StdEncoding.EncodeToString(der); body != ""; {
		n := min(width, len(body))
		out.WriteString(body[:n] + "\n")
		body = body[n:]
	}
	out.WriteString("-----END PUBLIC KEY-----\n")
	return out.String(), nil
}

func parsePublicKey(text string) (*rsa.PublicKey, error) {
	text = strings.TrimSpace(text)
	text = strings.TrimPrefix(text, "-----BEGIN PUBLIC KEY-----")
	text = strings.TrimSuffix(text, "-----END PUBLIC KEY-----")
	text = regexp.MustCompile(`\s+`).ReplaceAllString(text, "")
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errors.New("it is no X.509 SubjectPublicKeyInfo")
	}
	pub, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("it is no RSA key")
	}
	return pub, nil
}
