package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/secret"
)

// The headers that let a receiver check who sent a message, and when: the
// signature is the HMAC-SHA256, in hexadecimal, of timestamp, a full stop, body.
const (
	SignatureHeader = "X-Bbsync-Signature" // sha256=...
	TimestampHeader = "X-Bbsync-Timestamp" // seconds since 1970
)

const (
	attempts       = 4
	attemptTimeout = 10 * time.Second
	firstPause     = time.Second
	maxAnswer      = 64 << 10
)

// A Webhook takes messages as Slack does, and those that understand its form:
// Mattermost, Rocket.Chat, a receiver of one's own.
type Webhook struct {
	URL       secret.Text // whoever has it can write to the channel
	Secret    secret.Text // to sign with; empty: unsigned
	UserAgent string
	Now       func() time.Time
	Pause     time.Duration // before the second attempt, doubled each time; 0: one second
}

// Send sends a message, a few times when the receiver does not take it. A
// receiver may see it twice: an answer that was lost cannot be told from one that
// was not given.
func (w Webhook) Send(ctx context.Context, text string) error {
	given := strings.TrimSpace(w.URL.Reveal())
	if err := names.CheckReceiver(given, true); err != nil { // the address is the credential
		return fmt.Errorf("the webhook's address: %w", err)
	}
	address, err := url.Parse(given)
	if err != nil {
		return errors.New("the webhook's address does not parse as a URL")
	}
	body, err := json.Marshal(map[string]string{"text": Text(text)})
	if err != nil {
		return fmt.Errorf("encoding the message: %w", err)
	}
	transport, err := httpx.New(httpx.Options{Timeout: attemptTimeout, MaxBody: maxAnswer, UserAgent: w.UserAgent, Redact: httpx.NewRedactor(w.URL, w.Secret)})
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	backoff := httpx.Backoff{First: cmp.Or(w.Pause, firstPause), Tries: attempts}
	again := false
	err = backoff.Do(ctx, func(error) bool { return again }, func() error {
		var err error
		again, err = w.attempt(ctx, transport, address.String(), body)
		return err
	})
	if err != nil {
		return fmt.Errorf("webhook at %s: %w", address.Host, err)
	}
	return nil
}

// attempt sends the message once and reports whether another attempt may help.
func (w Webhook) attempt(ctx context.Context, transport *httpx.Transport, address string, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the address is not a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	if !w.Secret.Empty() {
		stamp := strconv.FormatInt(w.Now().Unix(), 10)
		req.Header.Set(TimestampHeader, stamp)
		req.Header.Set(SignatureHeader, w.sign(stamp, body))
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return !httpx.Permanent(err), err
	}
	if err := httpx.Redirected(res); err != nil {
		return false, fmt.Errorf("status %d: %w", res.StatusCode, err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500, fmt.Errorf("status %d", res.StatusCode)
	}
	return false, nil
}

func (w Webhook) sign(stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(w.Secret.Reveal()))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
