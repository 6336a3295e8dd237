// Package person plays the people of a sandbox: the one who clicks Allow, over
// the servers' real pages and forms, and the one who changes things by hand,
// over their real REST resources. It knows the servers only by their addresses
// and the passwords it is given; as Bitbucket's administrator, by the controls.
package person

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"time"

	"github.com/bbsync/bbsync/sandbox"
)

// A Person is somebody with a browser and the world's credentials.
type Person struct {
	facts   sandbox.Facts
	browser *http.Client // with cookies
	rest    *http.Client // without
}

// Meet asks a sandbox's controls for its facts.
func Meet(ctx context.Context, control string) (*Person, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, control+"/facts", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the sandbox: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var facts sandbox.Facts
	if err := json.NewDecoder(res.Body).Decode(&facts); err != nil {
		return nil, fmt.Errorf("asking the sandbox: %w", err)
	}
	return New(facts)
}

// New returns a person of the world that has these facts.
func New(facts sandbox.Facts) (*Person, error) {
	ca, err := os.ReadFile(facts.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport, err := facts.Gateway.Through(&http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true})
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Person{
		facts:   facts,
		browser: &http.Client{Transport: transport, Jar: jar, Timeout: time.Minute},
		rest:    &http.Client{Transport: transport, Timeout: time.Minute},
	}, nil
}

// Facts returns the world's facts.
func (p *Person) Facts() sandbox.Facts { return p.facts }

// An answer of a server to a REST call.
type answer struct {
	status int
	body   []byte
}

// terraform calls Terraform's API as the platform user.
func (p *Person) terraform(ctx context.Context, method, path string, in, out any) error {
	return p.call(ctx, method, p.facts.Terraform.Address+"/api/v2"+path, in, out, func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+p.facts.Terraform.Token)
		r.Header.Set("Content-Type", "application/vnd.api+json")
	})
}

// bitbucket calls a Bitbucket's REST resources as its administrator, whose browser is
// logged in already.
func (p *Person) bitbucket(ctx context.Context, base, method, path string, in, out any) error {
	return p.call(ctx, method, p.facts.Administrator(base)+"/rest"+path, in, out, func(r *http.Request) {
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Atlassian-Token", "no-check")
	})
}

func (p *Person) call(ctx context.Context, method, address string, in, out any, sign func(*http.Request)) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	sign(req)
	res, err := p.rest.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	a := answer{status: res.StatusCode}
	if a.body, err = io.ReadAll(res.Body); err != nil {
		return err
	}
	if a.status >= http.StatusMultipleChoices {
		u, _ := url.Parse(address)
		return fmt.Errorf("%s %s: %d %s", method, u.Path, a.status, bytes.TrimSpace(a.body))
	}
	if out == nil || len(a.body) == 0 {
		return nil
	}
	return json.Unmarshal(a.body, out)
}
