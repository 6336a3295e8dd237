package terraformd_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	tfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

const (
	bbAdmin  = "bb-admin"
	bbRobot  = "svc-terraform"
	bbPass   = "bb-password"
	testRepo = "INFRA/vpc"
)

// pair is a Terraform and a Bitbucket that reach each other.
type pair struct {
	*world
	bb   *bitbucketd.Server
	base string // Bitbucket's, with its context path
}

// newPair starts both. The service user administers the repository INFRA/vpc.
func newPair(t *testing.T, version string, opts terraformd.Options) *pair {
	t.Helper()
	bb, err := bitbucketd.New(bitbucketd.Options{Version: version, GitDir: t.TempDir()})
	must(t, err)
	must(t, bb.AddUser(bitbucketd.Account{Name: bbAdmin, Password: bbPass, Global: bitbucketd.SysAdmin}))
	must(t, bb.AddUser(bitbucketd.Account{Name: bbRobot, Password: bbPass}))
	must(t, bb.AddProject("INFRA", "Infrastructure"))
	must(t, bb.AddRepo("INFRA", "vpc"))
	must(t, bb.Grant(bbRobot, bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, bitbucketd.RepoAdmin))
	web := httptest.NewServer(bb.Handler())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- bb.ServeSSH(listener) }()
	port := listener.Addr().(*net.TCPAddr).Port
	must(t, bb.SetAddresses(web.URL+"/git", "127.0.0.1", port))
	t.Cleanup(func() {
		bb.CloseSSH()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		web.Close()
	})
	return &pair{newWorld(t, opts), bb, web.URL + "/git"}
}

// rest calls Bitbucket's REST API as its administrator.
func (p *pair) rest(t *testing.T, method, path, body string, want ...int) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, p.base+"/rest/"+path, strings.NewReader(body))
	must(t, err)
	request.SetBasicAuth(bbAdmin, bbPass)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("X-Atlassian-Token", "no-check")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	must(t, err)
	if slices.Contains(want, response.StatusCode) {
		return string(data)
	}
	t.Fatalf("%s %s: %d %s", method, path, response.StatusCode, data)
	return ""
}

// consent makes a link with an incoming consumer for the client's keys.
func (p *pair) consent(t *testing.T, c *tfe.OAuthClient) {
	t.Helper()
	id, err := p.bb.AddLink(bitbucketd.Link{Name: "Terraform", RPCURL: p.url + "/app/acme"})
	must(t, err)
	public := strings.ReplaceAll(strings.TrimSpace(c.RSAPublicKey), "\n", `\n`)
	p.rest(t, "PUT", "applinks-oauth/1.0/applicationlink/"+id+"/authentication/consumer",
		`{"key":"`+c.Key+`","name":"Terraform","description":"","publicKey":"`+public+`","outgoing":false}`, 201)
}

// newConnection creates a client for the Bitbucket, whose keys the server makes.
func (p *pair) newConnection(t *testing.T, provider tfe.ServiceProviderType) *tfe.OAuthClient {
	t.Helper()
	host, err := url.Parse(p.base)
	must(t, err)
	return p.newConnectionAt(t, provider, "http://"+host.Host) // the API URL is without the context path
}

func (p *pair) newConnectionAt(t *testing.T, provider tfe.ServiceProviderType, apiURL string) *tfe.OAuthClient {
	t.Helper()
	// By hand, because go-tfe wants an OAuth token for bitbucket_server_legacy.
	a := p.do(t, manager, "POST", "/api/v2/organizations/acme/oauth-clients", fmt.Sprintf(
		`{"data":{"type":"oauth-clients","attributes":{"name":"corp","service-provider":%q,"http-url":%q,"api-url":%q}}}`,
		provider, p.base, apiURL))
	if a.status != http.StatusCreated {
		t.Fatalf("creating a client: %d %s", a.status, a.body)
	}
	c, err := p.client(t, manager).OAuthClients.Read(t.Context(), a.data(t)["id"].(string))
	must(t, err)
	return c
}

// browser is a person's: it keeps cookies and follows redirects.
type browser struct {
	*http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &browser{&http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// page is what a browser shows.
type page struct {
	at     *url.URL
	status int
	html   string
}

func (b *browser) open(t *testing.T, address string) page {
	t.Helper()
	response, err := b.Get(address)
	must(t, err)
	return shown(t, response)
}

func shown(t *testing.T, response *http.Response) page {
	t.Helper()
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	must(t, err)
	return page{response.Request.URL, response.StatusCode, string(data)}
}

// submit fills the fields into the page's form and sends it with all its hidden
// inputs.
func (b *browser) submit(t *testing.T, p page, fields map[string]string) page {
	t.Helper()
	form := url.Values{}
	for _, input := range regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`).FindAllString(p.html, -1) {
		form.Set(attribute(input, "name"), attribute(input, "value"))
	}
	for name, value := range fields {
		form.Set(name, value)
	}
	action := regexp.MustCompile(`<form[^>]*>`).FindString(p.html)
	to, err := p.at.Parse(attribute(action, "action"))
	must(t, err)
	response, err := b.PostForm(to.String(), form)
	must(t, err)
	return shown(t, response)
}

func attribute(tag, name string) string {
	found := regexp.MustCompile(`\b` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if found == nil {
		return ""
	}
	return strings.ReplaceAll(strings.ReplaceAll(found[1], "&amp;", "&"), "&#43;", "+")
}

// connect walks a person through the connect path, logging in wherever asked, up
// to the page where they press a button of Bitbucket's consent page.
func (p *pair) connect(t *testing.T, c *tfe.OAuthClient, user, press string) page {
	t.Helper()
	b := newBrowser(t)
	at := b.open(t, p.url+c.ConnectPath)
	for range 4 {
		switch {
		case strings.Contains(at.html, "user[login]"):
			at = b.submit(t, at, map[string]string{"user[login]": user, "user[password]": "pw-" + user})
		case strings.Contains(at.html, "j_username"):
			at = b.submit(t, at, map[string]string{"j_username": bbRobot, "j_password": bbPass})
		case strings.Contains(at.html, `name="approve"`):
			at = b.submit(t, at, map[string]string{press: press})
		}
	}
	return at
}

// connected makes a whole connection and gives it an SSH key that the service user
// has on Bitbucket.
func (p *pair) connected(t *testing.T, provider tfe.ServiceProviderType) (*tfe.OAuthClient, *tfe.OAuthToken) {
	t.Helper()
	c := p.newConnection(t, provider)
	p.consent(t, c)
	if at := p.connect(t, c, "manager", "approve"); at.status != http.StatusOK {
		t.Fatalf("connecting ended at %s: %d %s", at.at, at.status, at.html)
	}
	c, err := p.client(t, manager).OAuthClients.Read(t.Context(), c.ID)
	must(t, err)
	if len(c.OAuthTokens) != 1 {
		t.Fatal("no token")
	}
	token := p.giveKey(t, c.OAuthTokens[0].ID)
	return c, token
}

// giveKey puts a new SSH key on both sides.
func (p *pair) giveKey(t *testing.T, id string) *tfe.OAuthToken {
	t.Helper()
	key, err := keys.GenerateSSH(2048, "terraform")
	must(t, err)
	_, err = p.bb.AddSSHKey(bbRobot, key.Public, "terraform")
	must(t, err)
	token, err := p.client(t, manager).OAuthTokens.Update(t.Context(), id, tfe.OAuthTokenUpdateOptions{PrivateSSHKey: new(key.Private.Reveal())})
	must(t, err)
	return token
}

func (p *pair) canClone(t *testing.T) error {
	t.Helper()
	return p.CanClone(context.WithoutCancel(t.Context()), "acme", "corp")
}
