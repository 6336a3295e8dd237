package vault

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/bbsync/bbsync/internal/trace"
)

// maxAnswer bounds what is read of one answer. A list of 100,000 names is 2 MB.
const maxAnswer = 64 << 20

// A door is what every request to Vault goes through, those of vault/api's own
// helpers included, which know no context: it sets the deadline, ends requests
// when the client is closed, keeps the token from other hosts, and learns
// Vault's clock.
type door struct {
	alive     context.Context
	transport *http.Transport
	host      string
	timeout   time.Duration
	agent     string
	skew      atomic.Int64 // Vault's clock minus ours, in nanoseconds
}

func newDoor(alive context.Context, cfg Config) (*door, error) {
	roots, err := authorities(cfg.CA)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("vault: address: %w", err)
	}
	return &door{
		alive: alive, host: u.Host, timeout: cfg.Timeout, agent: cfg.UserAgent,
		transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 64,
			IdleConnTimeout:     90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second,
		},
	}, nil
}

func (d *door) client() *http.Client {
	return &http.Client{Transport: trace.Transport(d), CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // vault/api follows one redirect itself, through the door again
	}}
}

// RoundTrip reads the whole answer, so that the deadline covers the body too.
func (d *door) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != d.host {
		// A standby sends its clients to the active node, whose name we were not given.
		return nil, fmt.Errorf("vault redirects to %s, where the token was not meant to go (if that is right, make it the address)",
			clean(req.URL.Host))
	}
	ctx, cancel := context.WithTimeout(req.Context(), d.timeout)
	defer cancel()
	stop := context.AfterFunc(d.alive, cancel)
	defer stop()
	req = req.Clone(ctx)
	if d.agent != "" {
		req.Header.Set("User-Agent", d.agent)
	}
	began := time.Now()
	resp, err := d.transport.RoundTrip(req)
	if err != nil {
		return nil, d.late(req, err)
	}
	d.learn(resp.Header.Get("Date"), began)
	body, err := readAll(resp)
	_ = resp.Body.Close()
	if err != nil {
		return nil, d.late(req, err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)
	}
	resp.Body = &whole{Reader: bytes.NewReader(body), text: body}
	return resp, nil
}

// usualAnswer holds a record of two key pairs: with it most answers are read
// into one buffer that never grows.
const usualAnswer = 12 << 10

func readAll(resp *http.Response) ([]byte, error) {
	size := int64(usualAnswer)
	if n := resp.ContentLength; n >= 0 && n <= maxAnswer {
		size = n
	}
	body := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // ReadFrom grows what has not MinRead left
	_, err := body.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	return body.Bytes(), err
}

// whole is an answer's body that has been read already.
type whole struct {
	*bytes.Reader
	text []byte
}

// Close implements io.Closer.
func (*whole) Close() error { return nil }

// bodyOf returns the text of a body, without a copy where it is the door's own.
func bodyOf(body io.ReadCloser) ([]byte, error) {
	if w, ok := body.(*whole); ok {
		return w.text, nil
	}
	text, err := io.ReadAll(body)
	_ = body.Close()
	return text, err
}

// late says that it was our own deadline, where it was.
func (d *door) late(req *http.Request, err error) error {
	switch {
	case d.alive.Err() != nil:
		return errors.New("the client was closed")
	case errors.Is(req.Context().Err(), context.DeadlineExceeded):
		return fmt.Errorf("no answer within %v: %w", d.timeout, err)
	}
	return err
}

// learn takes Vault's clock from an answer. The header has whole seconds.
func (d *door) learn(date string, began time.Time) {
	t, err := http.ParseTime(date)
	if err != nil {
		return // no clock to learn; ours has to do
	}
	middle := began.Add(time.Since(began) / 2)
	d.skew.Store(int64(t.Add(500 * time.Millisecond).Sub(middle)))
}

// now is the time by Vault's clock, to a second.
func (d *door) now() time.Time {
	return time.Now().Add(time.Duration(d.skew.Load())).UTC()
}
