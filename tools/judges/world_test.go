package judges_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

const (
	admin    = "admin"
	password = "admin-password"
)

// versions are those of Bitbucket that each client is tried with. From 10 on Basic
// authentication is switched on, which both clients need at some point.
var versions = []string{"5.5.1", "7.21.0", "8.19.0", "9.4.0", "10.4.2"}

// world is a Bitbucket with a project, a repository, two users and a group.
type world struct {
	*bitbucketd.Server
	url string
}

func newWorld(t *testing.T, version string) *world {
	t.Helper()
	server, err := bitbucketd.New(bitbucketd.Options{Version: version, GitDir: t.TempDir(), Basic: bitbucketd.On})
	must(t, err)
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	must(t, server.SetAddresses(web.URL, "127.0.0.1", 7999))
	must(t, server.AddUser(bitbucketd.Account{Name: admin, Password: password, Global: bitbucketd.SysAdmin}))
	must(t, server.AddUser(bitbucketd.Account{Name: "svc-terraform", Password: "x", DisplayName: "Service"}))
	must(t, server.AddGroup("platform", "svc-terraform"))
	must(t, server.AddProject("INFRA", "Infrastructure"))
	must(t, server.AddRepo("INFRA", "vpc"))
	return &world{server, web.URL}
}

// token makes an HTTP access token of the administrator.
func (w *world) token(t *testing.T) string {
	t.Helper()
	body := strings.NewReader(`{"name":"judge","permissions":["PROJECT_ADMIN","REPO_ADMIN"]}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.url+"/rest/access-tokens/1.0/users/"+admin, body)
	must(t, err)
	request.SetBasicAuth(admin, password)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	var made struct{ Token string }
	must(t, json.NewDecoder(response.Body).Decode(&made))
	return made.Token
}

func publicKey(t *testing.T) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	key, err := ssh.NewPublicKey(public)
	must(t, err)
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " judge"
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// step is one call of a client, and what must be true of its answer.
type step struct {
	name string
	do   func() (bool, error)
}

func judge(t *testing.T, steps []step) {
	t.Helper()
	for _, s := range steps {
		if ok, err := s.do(); err != nil || !ok {
			t.Errorf("%s: %t, %v", s.name, ok, err)
		}
	}
	t.Logf("%d calls", len(steps))
}
