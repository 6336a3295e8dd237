package bitbucket

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/bbsync/bbsync/internal/secret"
)

// codes makes the codes of a second factor (RFC 6238), none twice: servers refuse
// a code that was used. Only the one that has the turn to change the login uses it.
type codes struct {
	seed    secret.Text
	period  uint64 // seconds
	options totp.ValidateOpts
	used    int64 // number of the last period whose code was used
}

// newCodes reads the secret as authenticator apps show it, a base32 string with or
// without spaces, or as the otpauth:// URL of the QR code.
func newCodes(text secret.Text) (*codes, error) {
	raw := strings.TrimSpace(text.Reveal())
	c := &codes{period: 30, options: totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}}
	if strings.HasPrefix(raw, "otpauth://") {
		key, err := otp.NewKeyFromURL(raw)
		if err != nil || key.Type() != "totp" || key.Period() == 0 {
			return nil, errSeed
		}
		raw, c.period = key.Secret(), key.Period()
		c.options = totp.ValidateOpts{Period: uint(c.period), Digits: key.Digits(), Algorithm: key.Algorithm()}
	}
	c.seed = secret.New(strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(raw)))
	if _, err := totp.GenerateCodeCustom(c.seed.Reveal(), time.Unix(0, 0), c.options); err != nil || c.seed.Empty() {
		return nil, errSeed
	}
	return c, nil
}

var errSeed = errors.New("the secret of the second factor is neither a base32 string nor an otpauth://totp URL")

// next returns a code that was not used, or how long to wait for it.
func (c *codes) next(now time.Time) (code string, wait time.Duration) {
	period := now.Unix() / int64(c.period) //nolint:gosec // seconds in the tens
	if period <= c.used {
		return "", time.Unix((c.used+1)*int64(c.period), 0).Sub(now) //nolint:gosec // likewise
	}
	c.used = period
	code, err := totp.GenerateCodeCustom(c.seed.Reveal(), now, c.options)
	if err != nil {
		panic("bitbucket: a code of a seed that made one before: " + err.Error())
	}
	return code, 0
}

// code waits for a code that was not used, by the server's clock.
func (c *Client) code(ctx context.Context) (string, error) {
	for {
		skew, _ := c.Clock()
		code, wait := c.codes.next(c.now().Add(skew))
		if wait == 0 {
			return code, nil
		}
		if err := c.sleep(ctx, wait); err != nil {
			return "", err
		}
	}
}
