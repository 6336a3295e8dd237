package bitbucket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/internal/sandbox/front"
	"github.com/bbsync/bbsync/internal/secret"
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
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- server.ServeSSH(listener) }()
	t.Cleanup(func() {
		server.CloseSSH()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	must(t, server.SetAddresses(web.URL+contextPath, "127.0.0.1", listener.Addr().(*net.TCPAddr).Port)) //nolint:forcetypeassert // TCP
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

func TestLinkAndConsumer(t *testing.T) {
	onEachVersion(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.client
		id, err := LinkID(orgURL)
		must(t, err)
		if _, err := c.Consumer(ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("consumer of no link: %v", err)
		}
		link, err := c.CreateLink(ctx, "Terraform Cloud (my-org)", orgURL)
		must(t, err)
		if link.ID != id || link.URL != orgURL || !link.Generic() || link.Name != "Terraform Cloud (my-org)" {
			t.Errorf("created %+v", link)
		}
		if have, err := c.CreateLink(ctx, "another", orgURL); !errors.Is(err, ErrExists) || have != link {
			t.Errorf("created twice: %+v, %v", have, err)
		}
		second, err := c.CreateLink(ctx, link.Name, "https://app.terraform.io")
		must(t, err)
		if second.Name != link.Name+" - 2" {
			t.Errorf("the second of a name is %q", second.Name)
		}
		if err := c.RenameLink(ctx, second, link.Name); !errors.Is(err, ErrExists) {
			t.Errorf("renamed to a name that is taken: %v", err)
		}
		must(t, c.RenameLink(ctx, second, "main"))
		if _, err := c.Consumer(ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("no consumer yet: %v", err)
		}
		proveConsumer(t, c, id)
		links, err := c.Links(ctx)
		if err != nil || len(links) != 2 || !slices.ContainsFunc(links, func(l Link) bool { return l.Name == "main" }) {
			t.Errorf("%+v, %v", links, err)
		}
		for range 2 {
			must(t, c.DeleteLink(ctx, id))
		}
		if _, err := c.Consumer(ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("the consumer outlives its link: %v", err)
		}
		if err := c.RenameLink(ctx, link, "x"); !errors.Is(err, ErrNotFound) {
			t.Errorf("renamed what is gone: %v", err)
		}
	})
}

func proveConsumer(t *testing.T, c *Client, id string) {
	t.Helper()
	ctx, pair, other := t.Context(), consumerPair(t), consumerPair(t)
	want := Consumer{Key: keys.ConsumerKey(), Name: "Terraform Cloud (my-org)", PublicKey: pair.Public}
	if err := c.ProveConsumer(ctx, want.Key, pair.Private); problem(err) != "consumer_key_unknown" || !errors.Is(err, ErrNotFound) {
		t.Errorf("before there is a consumer: %v", err)
	}
	must(t, c.SetConsumer(ctx, id, want))
	have, err := c.Consumer(ctx, id)
	must(t, err)
	if mark, err := keys.PublicFingerprint(have.PublicKey); err != nil || mark != pair.Fingerprint || have.Key != want.Key || have.Name != want.Name {
		t.Errorf("consumer %+v, %v", have, err)
	}
	must(t, c.ProveConsumer(ctx, want.Key, pair.Private))
	if err := c.ProveConsumer(ctx, want.Key, other.Private); problem(err) != "signature_invalid" {
		t.Errorf("with another key: %v", err)
	}
	want.PublicKey = other.Public
	must(t, c.SetConsumer(ctx, id, want))
	must(t, c.ProveConsumer(ctx, want.Key, other.Private))
	want.PublicKey = "no key"
	if err := c.SetConsumer(ctx, id, want); status(err) != 400 {
		t.Errorf("set something that is no key: %v", err)
	}
}

func problem(err error) string {
	var p *OAuthProblem
	if errors.As(err, &p) {
		return p.Problem
	}
	return fmt.Sprint(err)
}

func TestClockSkewIsNamed(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{Now: func() time.Time { return time.Now().Add(10 * time.Minute) }})
	ctx := t.Context()
	link, err := w.client.CreateLink(ctx, "tf", orgURL)
	must(t, err)
	pair := consumerPair(t)
	must(t, w.client.SetConsumer(ctx, link.ID, Consumer{Key: "k", Name: "n", PublicKey: pair.Public}))
	if err := w.client.ProveConsumer(ctx, "k", pair.Private); problem(err) != "timestamp_refused" {
		t.Errorf("ten minutes off: %v", err)
	}
}

func TestOAuth2LinksAreToldApart(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	_, err := w.AddLink(bitbucketd.Link{ID: "42", Type: "oauth2-client", Name: "External", RPCURL: orgURL, OAuth2: true})
	must(t, err)
	links, err := w.client.Links(t.Context())
	if err != nil || len(links) != 1 || links[0].Generic() || !links[0].OAuth2() {
		t.Errorf("%+v, %v", links, err)
	}
	if _, err := w.client.CreateLink(t.Context(), "tf", orgURL); err != nil {
		t.Errorf("an OAuth 2.0 client is in the way: %v", err)
	}
}

func TestSSHKeysOfAUser(t *testing.T) {
	onEachVersion(t, func(t *testing.T, w *world) {
		ctx, c, pair := t.Context(), w.client, sshPair(t)
		made, err := c.AddSSHKey(ctx, "svc@tf", pair.Public, "bbsync", 0)
		must(t, err)
		if again, err := c.AddSSHKey(ctx, "svc@tf", pair.Public, "again", 0); err != nil || again.ID != made.ID {
			t.Errorf("added again: %+v, %v", again, err)
		}
		if _, err := c.AddSSHKey(ctx, "svc@tf2", pair.Public, "bbsync", 0); !errors.Is(err, ErrExists) {
			t.Errorf("somebody else's key: %v", err)
		}
		if _, err := c.AddSSHKey(ctx, "nobody", sshPair(t).Public, "bbsync", 0); !errors.Is(err, ErrNotFound) {
			t.Errorf("a key for nobody: %v", err)
		}
		proof, err := c.WhoamiSSH(ctx, w.ssh, pair.Private, w.HostKeys())
		if err != nil || proof.User != "svc@tf" || !slices.Contains(w.HostKeys(), proof.HostKey) {
			t.Errorf("%+v, %v", proof, err)
		}
		list, err := c.SSHKeys(ctx, "svc@tf")
		if err != nil || len(list) != 1 || list[0].ID != made.ID || list[0].Label != "bbsync" {
			t.Fatalf("%+v, %v", list, err)
		}
		if list[0].HasUsage == list[0].LastAuthenticated.IsZero() { // used a moment ago: told, or the server never tells
			t.Errorf("usage of %+v", list[0])
		}
		for range 2 {
			must(t, c.DeleteSSHKey(ctx, made.ID))
		}
		if _, err := c.WhoamiSSH(ctx, w.ssh, pair.Private, w.HostKeys()); !errors.Is(err, ErrKeyRefused) {
			t.Errorf("a deleted key: %v", err)
		}
		if err := c.DeleteSSHKey(ctx, 0); err == nil {
			t.Error("deleted all keys")
		}
	})
}

func TestManySSHKeys(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	for range 60 {
		_, line := hostKey(t)
		_, err := w.AddSSHKey("svc@tf", line, "")
		must(t, err)
	}
	list, err := w.client.SSHKeys(t.Context(), "svc@tf")
	if err != nil || len(list) != 60 {
		t.Errorf("%d keys, %v", len(list), err)
	}
}

func TestKeyPolicyRefuses(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	must(t, w.Configure(func(s *bitbucketd.Settings) {
		s.SSHPolicy.MaxExpiryDays = 30
		s.SSHPolicy.Restrictions = []bitbucketd.SSHKeyTypeRestrict{{Algorithm: "RSA", Allowed: true, MinKeyLength: 4096}}
	}))
	if _, err := w.client.AddSSHKey(t.Context(), "svc@tf", sshPair(t).Public, "x", 20); !errors.Is(err, ErrPolicy) {
		t.Errorf("a short key: %v", err)
	}
	_, line := hostKey(t)
	k, err := w.client.AddSSHKey(t.Context(), "svc@tf", line, "x", 20)
	if err != nil || k.ExpiryDays != 20 || k.Expires().IsZero() {
		t.Errorf("%+v, %v", k, err)
	}
}

func TestPermissions(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	ctx, c := t.Context(), w.client
	for i := range 60 {
		must(t, w.AddRepo("INFRA", fmt.Sprintf("r%d", i)))
	}
	must(t, w.AddGroup("admins", "svc@tf"))
	must(t, w.AddProject("TEAM", "Team"))
	must(t, w.Grant("@admins", bitbucketd.Place{Project: "TEAM"}, bitbucketd.ProjectAdmin))
	wants := []Permission{{"TEAM", "", "PROJECT_ADMIN"}, {"", "", "LICENSED_USER"}, {"", "", "ADMIN"}}
	want := []bool{true, true, false}
	for i := range 60 {
		if i%20 != 7 {
			must(t, w.Grant("svc@tf", bitbucketd.Place{Project: "INFRA", Repo: fmt.Sprintf("r%d", i)}, bitbucketd.RepoAdmin))
		}
		wants = append(wants, Permission{"INFRA", fmt.Sprintf("r%d", i), "REPO_ADMIN"})
		want = append(want, i%20 != 7)
	}
	have, err := c.HasPermissions(ctx, "svc@tf", wants)
	if err != nil || !slices.Equal(held(have), want) {
		t.Errorf("%v, %v", have, err)
	}
	before := total(w.front)
	have, err = c.HasPermissions(ctx, "admin", wants)
	if err != nil || slices.Contains(held(have), false) || total(w.front)-before != 2 {
		t.Errorf("%v after %d requests, %v", have, total(w.front)-before, err)
	}
	have, err = c.HasPermissions(ctx, "admin", []Permission{{"INFRA", "vpc", "REPO_ADMIN"}, {"INFRA", "gone", "REPO_ADMIN"}, {"NO", "", "PROJECT_READ"}})
	if err != nil || !slices.Equal(held(have), []bool{true, false, false}) || have[0].Unknown != nil {
		t.Fatalf("%v, %v", have, err)
	}
	for i, name := range map[int]string{1: "INFRA/gone", 2: "project NO"} {
		if err := have[i].Unknown; !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func held(list []Holding) []bool {
	var bools []bool
	for _, h := range list {
		bools = append(bools, h.Held)
	}
	return bools
}

func total(f *front.Front) int { return f.Counts().Total }

func TestGrant(t *testing.T) {
	onEachVersion(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.client
		for range 2 {
			must(t, c.Grant(ctx, "svc@tf", Permission{"INFRA", "vpc", "REPO_ADMIN"}))
		}
		must(t, c.Grant(ctx, "svc@tf", Permission{"INFRA", "vpc", "REPO_READ"})) // must not lower it
		if !w.Allowed("svc@tf", "INFRA", "vpc", bitbucketd.RepoAdmin) || w.Allowed("svc@tf", "INFRA", "dns", bitbucketd.RepoRead) {
			t.Error("not the permission that was granted")
		}
		must(t, c.Grant(ctx, "svc@tf", Permission{"INFRA", "", "PROJECT_WRITE"}))
		for _, p := range []Permission{{"INFRA", "gone", "REPO_ADMIN"}, {"GONE", "", "PROJECT_ADMIN"}} {
			if err := c.Grant(ctx, "svc@tf", p); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v", p, err)
			}
		}
		if err := c.Grant(ctx, "nobody", Permission{"INFRA", "vpc", "REPO_ADMIN"}); err == nil {
			t.Error("granted to nobody")
		}
		for _, p := range []Permission{{"INFRA", "", "REPO_ADMIN"}, {"INFRA", "vpc", "PROJECT_ADMIN"}, {"", "", "ADMIN"}} {
			if err := c.Grant(ctx, "svc@tf", p); err == nil {
				t.Errorf("granted %s", p)
			}
		}
	})
}

func TestWebhooks(t *testing.T) {
	onEachVersion(t, func(t *testing.T, w *world) {
		list, err := w.client.Webhooks(t.Context(), "INFRA", "vpc")
		if strings.HasPrefix(w.Version(), "5.3") {
			if !errors.Is(err, ErrTooOld) {
				t.Errorf("before 5.4: %v", err)
			}
			return
		}
		if err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		if _, err := w.client.Webhooks(t.Context(), "INFRA", "gone"); !errors.Is(err, ErrNotFound) || errors.Is(err, ErrTooOld) {
			t.Errorf("of no repository: %v", err)
		}
	})
}

func TestPluginAndHook(t *testing.T) {
	for name, opts := range map[string]bitbucketd.Options{
		"empty settings do": {Version: "5.3.1"}, "settings are needed": {Version: "5.3.1", HookNeedsURL: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, opts)
			ctx, c := t.Context(), w.client
			if _, err := c.Plugin(ctx, WebhookPluginKey); !errors.Is(err, ErrNotFound) {
				t.Errorf("not installed: %v", err)
			}
			if err := c.EnablePlugin(ctx, WebhookPluginKey); !errors.Is(err, ErrNotFound) {
				t.Errorf("not installed: %v", err)
			}
			if err := c.InstallPlugin(ctx, "https://nowhere.example/x.jar"); err == nil || !strings.Contains(err.Error(), "upm.pluginInstall.error.download") {
				t.Errorf("installed from nowhere: %v", err)
			}
			var artefact string
			w.Inspect(func(s *bitbucketd.State) {
				for uri := range s.Artefacts {
					artefact = uri
				}
			})
			must(t, c.InstallPlugin(ctx, artefact))
			p, err := c.Plugin(ctx, WebhookPluginKey)
			must(t, err)
			must(t, w.SetPlugin(bitbucketd.Plugin{Key: p.Key, Name: p.Name, Version: p.Version}))
			must(t, c.EnablePlugin(ctx, WebhookPluginKey))
			if p, err := c.Plugin(ctx, WebhookPluginKey); err != nil || !p.Enabled || p.Version == "" {
				t.Errorf("%+v, %v", p, err)
			}
			h, err := c.Hook(ctx, "INFRA", "vpc", WebhookHookKey)
			if err != nil || h.Enabled || h.Key != WebhookHookKey {
				t.Errorf("%+v, %v", h, err)
			}
			must(t, c.EnableHook(ctx, "INFRA", "vpc", WebhookHookKey))
			if h, err := c.Hook(ctx, "INFRA", "vpc", WebhookHookKey); err != nil || !h.Enabled {
				t.Errorf("%+v, %v", h, err)
			}
			if _, err := c.Hook(ctx, "INFRA", "vpc", "no.such:hook"); !errors.Is(err, ErrNotFound) {
				t.Errorf("%v", err)
			}
		})
	}
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
	must(t, w.LockWithCaptcha("svc@tf"))
	if _, err := svc.Links(ctx); !errors.Is(err, ErrCaptcha) {
		t.Errorf("a locked account: %v", err)
	}
}

// Each write must come to its end whatever happens to one answer.
func TestWritesSurviveFaults(t *testing.T) {
	pair, consumer := sshPair(t), consumerPair(t)
	kinds := []front.Fault{
		{Kind: front.Refuse}, {Kind: front.ResetBody}, {Kind: front.LoseAnswer}, {Kind: front.HTML, Status: 502}, {Kind: front.Truncate},
		{Kind: front.Status, Status: 503}, {Kind: front.Status, Status: 429}, {Kind: front.Status, Status: 429, RetryAfter: "0.01"},
		{Kind: front.BadRateHeaders}, {Kind: front.Stale}, {Kind: front.Repeat},
	}
	w := quickWorld(t)
	for _, fault := range kinds {
		for n := range 24 { // each of the twelve requests, once and twice in a row
			fault.Nth, fault.Times = n/2+1, n%2+1
			t.Run(fmt.Sprintf("%s %d at %d times %d", fault.Kind, fault.Status, fault.Nth, fault.Times), func(t *testing.T) {
				must(t, w.front.Order(fault))
				defer w.front.ClearFaults()
				everyWrite(t, w, pair.Public, consumer.Public)
				if fired := w.front.Faults()[0].Fired; fired == 0 {
					t.Error("the fault hit nothing")
				}
				must(t, w.Server.Grant("svc@tf", bitbucketd.Place{Project: "INFRA"}, ""))
			})
		}
	}
}

func everyWrite(t *testing.T, w *world, line, publicKey string) {
	t.Helper()
	ctx := t.Context()
	link, err := w.client.CreateLink(ctx, "tf", orgURL)
	must(t, err)
	must(t, w.client.SetConsumer(ctx, link.ID, Consumer{Key: "k", Name: "n", PublicKey: publicKey}))
	consumer, err := w.client.Consumer(ctx, link.ID)
	must(t, err)
	k, err := w.client.AddSSHKey(ctx, "svc@tf", line, "l", 0)
	must(t, err)
	must(t, w.client.Grant(ctx, "svc@tf", Permission{"INFRA", "", "PROJECT_ADMIN"}))
	must(t, w.client.RenameLink(ctx, link, "tf new"))
	w.Inspect(func(s *bitbucketd.State) {
		if len(s.Links) != 1 || s.Links[0].Name != "tf new" || len(s.SSHKeys) != 1 || s.SSHKeys[0].ID != k.ID || consumer.Key != "k" ||
			s.Projects["INFRA"].Grants.Users["svc@tf"] != bitbucketd.ProjectAdmin {
			t.Errorf("made: %+v, %+v", s.Links, s.SSHKeys)
		}
	})
	must(t, w.client.DeleteSSHKey(ctx, k.ID))
	must(t, w.client.DeleteLink(ctx, link.ID))
	links, err := w.client.Links(ctx)
	must(t, err)
	list, err := w.client.SSHKeys(ctx, "svc@tf")
	must(t, err)
	w.Inspect(func(s *bitbucketd.State) {
		if len(s.Links)+len(s.SSHKeys)+len(s.Consumers) != 0 {
			t.Errorf("left: %+v, %+v, %+v", s.Links, s.SSHKeys, s.Consumers)
		}
	})
	_, _ = links, list // a stale list may show what is gone; that it can be read is enough
}

// quickWorld has no SSH and no repositories, and is made in a moment.
func quickWorld(t *testing.T) *world {
	t.Helper()
	server, err := bitbucketd.New(bitbucketd.Options{GitDir: t.TempDir()})
	must(t, err)
	door := front.New(server.Handler(), front.Options{TooMany: server.TooMany})
	web := httptest.NewServer(door)
	t.Cleanup(web.Close)
	must(t, server.SetAddresses(web.URL, "127.0.0.1", 7999))
	must(t, server.AddUser(bitbucketd.Account{Name: "admin", Password: password, Global: bitbucketd.Admin}))
	must(t, server.AddUser(bitbucketd.Account{Name: "svc@tf"}))
	must(t, server.AddProject("INFRA", "Infrastructure"))
	return &world{Server: server, front: door, client: client(t, server.BaseURL())}
}

func TestHangsEndByTheClientsOwnDeadline(t *testing.T) {
	w := quickWorld(t)
	c := client(t, w.BaseURL(), func(c *Config) { c.Timeout = 200 * time.Millisecond })
	must(t, w.front.Order(front.Fault{Kind: front.Hang, Method: "PUT"}))
	if link, err := c.CreateLink(t.Context(), "tf", orgURL); err != nil || link.Name != "tf" {
		t.Errorf("%+v, %v", link, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	must(t, w.front.Order(front.Fault{Kind: front.Hang, Times: -1}))
	if _, err := c.Links(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
