package bitbucketd

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // RFC 6238's default, and what authenticator apps compute
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// SecondFactor is a user's enrolment in two-step verification.
type SecondFactor struct {
	Secret   string `json:"secret"`   // base32, as an authenticator app takes it
	Recovery string `json:"recovery"` // the recovery code that counts now
	Since    int64  `json:"since"`
	LastStep int64  `json:"lastStep"` // of the last code that was taken
}

// totpStep is how long one code is shown.
const totpStep = 30 * time.Second

// Enroll gives a user a second factor. An empty secret makes one.
func (s *Server) Enroll(user, secret string) (f SecondFactor, err error) {
	err = s.Change("enrolling "+user, func(st *State) error {
		u := st.User(user)
		if u == nil {
			return fmt.Errorf("no user %s", user)
		}
		if secret == "" {
			secret = rand.Text()
		}
		if _, err := totpAt(secret, 0); err != nil {
			return err
		}
		f = SecondFactor{Secret: secret, Recovery: random(8), Since: s.now().UnixMilli()}
		kept := f
		u.SecondFactor = &kept
		return nil
	})
	return f, err
}

// totpAt returns the code of a step (RFC 6238, six digits).
func totpAt(secret string, step int64) (string, error) {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(secret, "="))
	if err != nil {
		return "", fmt.Errorf("the TOTP secret is not base32: %w", err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash takes all
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1000000), nil
}

// TOTP returns the code that an authenticator app shows at a time.
func TOTP(secret string, at time.Time) (string, error) {
	return totpAt(secret, at.Unix()/int64(totpStep/time.Second))
}

// takes reports whether it is a code of now or of one step before or after, newer
// than the last one that was taken, unless codes count again. Doubt: that a code counts
// once only, as RFC 6238 asks.
func (f *SecondFactor) takes(code string, now time.Time, again bool) bool {
	step := now.Unix() / int64(totpStep/time.Second)
	for _, s := range []int64{step - 1, step, step + 1} {
		if want, err := totpAt(f.Secret, s); err == nil && want == code && (again || s > f.LastStep) {
			f.LastStep = s
			return true
		}
	}
	return false
}

// recovers reports whether it is the recovery code, and replaces that.
func (f *SecondFactor) recovers(code string) bool {
	if code != f.Recovery {
		return false
	}
	f.Recovery = random(8)
	return true
}
