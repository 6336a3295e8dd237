package record

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
)

// An AdminLogin is bbsync's own OAuth 1.0a login to one Bitbucket: the key pair of its
// consumer, and the token once an administrator has allowed it.
type AdminLogin struct {
	Fleet       string
	Bitbucket   string // base URL
	Username    string // of the administrator who allowed it
	ConsumerKey string
	PrivateKey  secret.Text // PEM; empty: logged out
	Token       secret.Text // empty: nobody has allowed it yet
	Made        time.Time   // the token
	Ends        time.Time   // the token; zero: Bitbucket did not say
}

// adminLoginKind marks the secret. It has no format number, so that it is not read as
// a record of a connection.
const adminLoginKind = "bitbucket-login"

// ErrNotLogin says that a secret is not a Bitbucket login of bbsync.
var ErrNotLogin = errors.New("not a Bitbucket login of bbsync")

// DecodeAdminLogin reads a login as it is stored.
func DecodeAdminLogin(fields Fields) (AdminLogin, error) {
	r := &reader{left: maps.Clone(fields)}
	kind := r.text("kind")
	l := AdminLogin{
		Fleet: r.text("fleet"), Bitbucket: r.text("bitbucket"), Username: r.text("username"), ConsumerKey: r.text("consumer_key"),
		PrivateKey: secret.New(r.text("private_key")), Token: secret.New(r.text("token")), Made: r.time("made"), Ends: r.time("ends"),
	}
	switch {
	case kind != adminLoginKind:
		return AdminLogin{}, fmt.Errorf("%w: another secret is at this path; move it away", ErrNotLogin)
	case r.err != nil:
		return AdminLogin{}, fmt.Errorf("%w: %w", ErrNotLogin, r.err)
	}
	return l, nil
}

// EncodeAdminLogin returns the stored form, with nonce as the mark of this one write.
func EncodeAdminLogin(l AdminLogin, nonce string) Fields {
	f := Fields{"kind": adminLoginKind, "nonce": nonce}
	f.put("fleet", l.Fleet)
	f.put("bitbucket", l.Bitbucket)
	f.put("username", l.Username)
	f.put("consumer_key", l.ConsumerKey)
	f.put("private_key", l.PrivateKey.Reveal())
	f.put("token", l.Token.Reveal())
	f.putTime("made", l.Made)
	f.putTime("ends", l.Ends)
	return f
}
