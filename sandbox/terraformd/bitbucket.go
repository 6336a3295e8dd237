package terraformd

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/dghubble/oauth1"

	"github.com/bbsync/bbsync/internal/secret"
)

// bitbucket calls one Bitbucket with one connection's signature.
type bitbucket struct {
	http     *http.Client
	rest     string // base URL of the REST API
	oldHooks bool
}

// consumer is the OAuth configuration of a connection: RSA-SHA1 with the client's
// private key. The servlets are under the HTTP URL.
func (s *Server) consumer(conn connection) (*oauth1.Config, error) {
	key, err := signingKey(conn.private)
	if err != nil {
		return nil, fmt.Errorf("the client's secret: %w", err)
	}
	servlets := conn.httpURL + "/plugins/servlet/oauth/"
	return &oauth1.Config{
		ConsumerKey: conn.consumer,
		Signer:      &oauth1.RSASigner{PrivateKey: key},
		HTTPClient:  s.opts.HTTPClient,
		Endpoint: oauth1.Endpoint{
			RequestTokenURL: servlets + "request-token",
			AuthorizeURL:    servlets + "authorize",
			AccessTokenURL:  servlets + "access-token",
		},
	}, nil
}

// signingKey parses a client's secret as strictly as Terraform may: PKCS #1 or PKCS
// #8 in PEM. Which other forms the real one takes is not documented.
func signingKey(private secret.Text) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(private.Reveal()))
	if block == nil {
		return nil, errors.New("not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if key, ok := key.(*rsa.PrivateKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("no RSA key: %w", err)
}

var errNotBitbucket = errors.New("the sandbox has no such VCS provider")

func (s *Server) bitbucket(conn connection) (bitbucket, error) {
	if !conn.provider.connects {
		return bitbucket{}, errNotBitbucket
	}
	if conn.access.Empty() {
		return bitbucket{}, errors.New("the client is not connected")
	}
	config, err := s.consumer(conn)
	if err != nil {
		return bitbucket{}, err
	}
	rest, err := restURL(conn)
	if err != nil {
		return bitbucket{}, err
	}
	ctx := context.WithValue(context.Background(), oauth1.HTTPClient, s.opts.HTTPClient)
	signed := config.Client(ctx, oauth1.NewToken(conn.access.Reveal(), conn.accessSecret.Reveal()))
	signed.Timeout = s.opts.HTTPClient.Timeout
	signed.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return bitbucket{http: signed, rest: rest, oldHooks: conn.provider.oldHooks}, nil
}

// restURL is where the REST API is. The documentation wants the API URL without
// the context path that the HTTP URL has, so the path must be taken from there;
// an API URL that has one all the same is doubled, and fails.
func restURL(conn connection) (string, error) {
	page, err := url.Parse(conn.httpURL)
	if err != nil {
		return "", errors.New("the client's HTTP URL does not parse")
	}
	return conn.apiURL + strings.TrimRight(page.EscapedPath(), "/") + "/rest/", nil
}

// restError is an answer that is not a success.
type restError struct {
	method, path string
	status       int
	message      string
}

// Error implements error.
func (e *restError) Error() string {
	return fmt.Sprintf("%s %s: %d %s", e.method, e.path, e.status, e.message)
}

// do calls path below the REST base. A nil in sends no body, a nil out reads none;
// an answer without content leaves out as it is.
func (b bitbucket) do(ctx context.Context, method, path string, in, out any) (http.Header, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encoding %s %s: %w", method, path, err)
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, b.rest+path, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("X-Atlassian-Token", "no-check")
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := b.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, bodyLimit))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, &restError{method, path, response.StatusCode, restMessage(response, data)}
	}
	if out != nil && response.StatusCode != http.StatusNoContent {
		if err := json.Unmarshal(data, out); err != nil {
			return nil, fmt.Errorf("%s %s: not the expected JSON", method, path)
		}
	}
	return response.Header, nil
}

// restMessage takes the reason out of Bitbucket's several forms of errors.
func restMessage(response *http.Response, data []byte) string {
	var body struct {
		Message string `json:"message"`
		Errors  []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(data, &body) == nil {
		if len(body.Errors) > 0 {
			return body.Errors[0].Message
		}
		if body.Message != "" {
			return body.Message
		}
	}
	if _, problem, ok := strings.Cut(response.Header.Get("WWW-Authenticate"), "oauth_problem="); ok {
		return "oauth problem " + strings.Trim(strings.SplitN(problem, ",", 2)[0], `"`)
	}
	return http.StatusText(response.StatusCode)
}

type repository struct {
	Slug    string `json:"slug"`
	Name    string `json:"name"`
	Project struct {
		Key string `json:"key"`
	} `json:"project"`
	Links struct {
		Clone []namedLink `json:"clone"`
		Self  []namedLink `json:"self"`
	} `json:"links"`
}

type namedLink struct {
	Name string `json:"name"`
	Href string `json:"href"`
}

// clone is the clone URL of a protocol, empty if Bitbucket does not offer it.
func (r repository) clone(protocol string) string {
	for _, link := range r.Links.Clone {
		if link.Name == protocol {
			return link.Href
		}
	}
	return ""
}

func (r repository) browse() string {
	if len(r.Links.Self) == 0 {
		return ""
	}
	return r.Links.Self[0].Href
}

func repoPath(identifier string) string {
	project, slug, _ := strings.Cut(identifier, "/")
	return "api/1.0/projects/" + url.PathEscape(project) + "/repos/" + url.PathEscape(slug)
}

func (b bitbucket) repository(ctx context.Context, identifier string) (repository, error) {
	var found repository
	_, err := b.do(ctx, http.MethodGet, repoPath(identifier), nil, &found)
	return found, err
}

// repositories lists what the connection sees.
func (b bitbucket) repositories(ctx context.Context) ([]repository, error) {
	var all []repository
	for start := 0; ; {
		var page struct {
			Values        []repository `json:"values"`
			IsLastPage    bool         `json:"isLastPage"`
			NextPageStart *int         `json:"nextPageStart"`
		}
		if _, err := b.do(ctx, http.MethodGet, "api/1.0/repos?limit=100&start="+strconv.Itoa(start), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Values...)
		if page.IsLastPage || page.NextPageStart == nil {
			return all, nil
		}
		start = *page.NextPageStart
	}
}

// whoami is the user that the access token speaks for, as Bitbucket tells it in a
// header of every authenticated answer. How the real server asks is not known.
func (b bitbucket) whoami(ctx context.Context) (string, error) {
	header, err := b.do(ctx, http.MethodGet, "api/1.0/repos?limit=1", nil, nil)
	if err != nil {
		return "", err
	}
	name, err := url.PathUnescape(header.Get("X-AUSERNAME"))
	if err != nil || name == "" {
		return "", errors.New("bitbucket does not tell who is logged in (no X-AUSERNAME)")
	}
	return name, nil
}
