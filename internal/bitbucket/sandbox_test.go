package bitbucket

import (
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
)

// world is a Bitbucket of the sandbox with a front for faults, and a client of
// its administrator.
type world struct {
	*bitbucketd.Server
	front  *front.Front
	client *Client
	ssh    string
}

const contextPath = "/git"

func newWorld(t *testing.T, opts bitbucketd.Options) *world {
	t.Helper()
	opts.GitDir = t.TempDir()
	opts.ShortPages = true
	server, err := bitbucketd.New(opts)
	must(t, err)
	door := front.New(server.Handler(), front.Options{TooMany: server.TooMany})
	web := httptest.NewServer(door)
	t.Cleanup(web.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- server.ServeSSH(listener) }()
	t.Cleanup(func() {
		server.CloseSSH()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	must(t, server.SetAddresses(web.URL+contextPath, "127.0.0.1", listener.Addr().(*net.TCPAddr).Port))
	must(t, server.AddUser(bitbucketd.Account{Name: "admin", Password: password, Global: bitbucketd.Admin}))
	must(t, server.AddUser(bitbucketd.Account{Name: "svc@tf", DisplayName: "Service", Password: "svc-password"}))
	must(t, server.AddUser(bitbucketd.Account{Name: "svc@tf2"}))
	must(t, server.AddProject("INFRA", "Infrastructure"))
	for _, repo := range []string{"vpc", "dns", "iam"} {
		must(t, server.AddRepo("INFRA", repo))
	}
	w := &world{Server: server, front: door, ssh: listener.Addr().String()}
	w.client = client(t, server.BaseURL())
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var versions = []string{"5.3.1", "7.11.2", "8.19.12", "9.4.0"}

func onEachVersion(t *testing.T, test func(t *testing.T, w *world)) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) { test(t, newWorld(t, bitbucketd.Options{Version: version})) })
	}
	t.Run("old application links", func(t *testing.T) {
		test(t, newWorld(t, bitbucketd.Options{Version: "5.3.1", OldApplinks: true}))
	})
}

func TestAbout(t *testing.T) {
	onEachVersion(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.client
		p, err := c.Properties(ctx)
		if err != nil || p.Version.String() != w.Version() || p.DisplayName != "Bitbucket" || !p.Version.AtLeast("4.9.1") {
			t.Errorf("%+v, %v", p, err)
		}
		if state, err := c.Status(ctx); err != nil || state != "RUNNING" {
			t.Errorf("status %q, %v", state, err)
		}
		if m, err := c.Manifest(ctx); err != nil || m.URL != w.BaseURL() || m.Version != w.Version() {
			t.Errorf("%+v, %v", m, err)
		}
		if s, err := c.SSHSettings(ctx); err != nil || !s.Enabled || s.Addr() != w.ssh {
			t.Errorf("%+v, %v", s, err)
		}
		_, err = c.RateLimitSettings(ctx)
		if old := !p.Version.AtLeast("6.6"); (err != nil) != old || old && !errors.Is(err, ErrTooOld) {
			t.Errorf("rate limit settings: %v", err)
		}
		must(t, w.Grant("admin", bitbucketd.Place{}, bitbucketd.SysAdmin)) // they are shown to no less
		_, err = c.BasicAuthConfig(ctx)
		if old := !p.Version.AtLeast("7.12"); (err != nil) != old || old && !errors.Is(err, ErrTooOld) {
			t.Errorf("basic auth settings: %v", err)
		}
		if _, err := c.KeyPolicy(ctx); err != nil && !errors.Is(err, ErrTooOld) {
			t.Errorf("key policy: %v", err)
		}
		if u, err := c.User(ctx, "svc@tf"); err != nil || u.Name != "svc@tf" || !u.Active {
			t.Errorf("%+v, %v", u, err)
		}
		if _, err := c.User(ctx, "svc"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a part of a name is a user: %v", err)
		}
		if r, err := c.Repository(ctx, "INFRA", "vpc"); err != nil || r.Slug != "vpc" || !strings.HasPrefix(r.SSH, "ssh://") {
			t.Errorf("%+v, %v", r, err)
		}
		if _, err := c.Repository(ctx, "INFRA", "nope"); !errors.Is(err, ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

func TestAccounts(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	ctx := t.Context()
	as := func(user, password string) *Client {
		return client(t, w.BaseURL(), func(c *Config) { c.Username, c.Password = user, secret.New(password) })
	}
	svc := as("svc@tf", "svc-password")
	if _, err := svc.Links(ctx); !errors.Is(err, ErrForbidden) || errors.Is(err, ErrCredentials) {
		t.Errorf("links without ADMIN: %v", err)
	}
	if err := svc.Grant(ctx, "svc@tf", Permission{"INFRA", "vpc", "REPO_ADMIN"}); !errors.Is(err, ErrForbidden) {
		t.Errorf("a grant without REPO_ADMIN: %v", err)
	}
	if _, err := svc.SSHKeys(ctx, "svc@tf"); err != nil {
		t.Errorf("own keys: %v", err)
	}
	for range 10 { // one client each: only one wrong password reaches the server
		wrong := as("svc@tf2", "wrong")
		before := total(w.front)
		for range 5 {
			if _, err := wrong.SSHKeys(ctx, "svc@tf2"); !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrCaptcha) {
				t.Errorf("a wrong password: %v", err)
			}
		}
		if total(w.front)-before != 1 {
			t.Errorf("%d requests with a wrong password", total(w.front)-before)
		}
	}
	must(t, w.Configure(func(s *bitbucketd.Settings) { s.BasicAuth.Block = true }))
	by := as("svc@tf", "svc-password")
	if _, err := by.SSHKeys(ctx, "svc@tf"); err != nil || !by.LoginState().Session {
		t.Errorf("Basic authentication switched off: %v, login %+v", err, by.LoginState())
	}
	must(t, w.Configure(func(s *bitbucketd.Settings) { s.BasicAuth.Block = false }))
	must(t, w.LockWithCaptcha("svc@tf"))
	if _, err := svc.Links(ctx); !errors.Is(err, ErrCaptcha) {
		t.Errorf("a locked account: %v", err)
	}
}
