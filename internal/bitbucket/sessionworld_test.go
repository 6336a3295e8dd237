package bitbucket

import (
	"errors"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

// TestWorkByEachLogin connects a user in the sandbox by each login that Bitbucket's
// versions and settings ask for, and by each outcome of what is not known of them.
func TestWorkByEachLogin(t *testing.T) {
	work := connectByHand(t)
	for name, test := range map[string]struct {
		opts   bitbucketd.Options
		factor bool
		want   LoginState // Elevated is not compared
	}{
		"4.9.1":                            {bitbucketd.Options{Version: "4.9.1"}, false, LoginState{}},
		"5.3.1":                            {bitbucketd.Options{Version: "5.3.1"}, false, LoginState{}},
		"7.21.0":                           {bitbucketd.Options{Version: "7.21.0"}, false, LoginState{}},
		"7.21.0, Basic off":                {bitbucketd.Options{Version: "7.21.0", Basic: bitbucketd.Off}, false, LoginState{Session: true}},
		"8.19.12, Basic off":               {bitbucketd.Options{Version: "8.19.12", Basic: bitbucketd.Off}, false, LoginState{Session: true}},
		"9.4.0, Basic off":                 {bitbucketd.Options{Version: "9.4.0", Basic: bitbucketd.Off}, false, LoginState{Session: true}},
		"9.4.0, second factor":             {bitbucketd.Options{Version: "9.4.0", Basic: bitbucketd.Off}, true, LoginState{Session: true, SecondFactor: true}},
		"10.2.1":                           {bitbucketd.Options{Version: "10.2.1"}, false, LoginState{Session: true}},
		"10.2.1, Basic on":                 {bitbucketd.Options{Version: "10.2.1", Basic: bitbucketd.On}, false, LoginState{}},
		"10.4.2":                           {bitbucketd.Options{Version: "10.4.2"}, false, LoginState{Session: true}},
		"10.4.2, second factor":            {bitbucketd.Options{Version: "10.4.2"}, true, LoginState{Session: true, SecondFactor: true}},
		"10.4.2, two nodes":                {bitbucketd.Options{Version: "10.4.2", Nodes: 2}, false, LoginState{Session: true}},
		"10.4.2, no WebSudo":               {bitbucketd.Options{Version: "10.4.2", WebSudo: bitbucketd.Off}, false, LoginState{Session: true}},
		"10.4.2, elevation by the page":    {bitbucketd.Options{Version: "10.4.2", ElevateSettingsOnly: true}, false, LoginState{Session: true}},
		"10.4.2, page and second factor":   {bitbucketd.Options{Version: "10.4.2", ElevateSettingsOnly: true}, true, LoginState{Session: true, SecondFactor: true}},
		"10.4.2, administration unguarded": {bitbucketd.Options{Version: "10.4.2", AdminWithoutWebSudo: true}, false, LoginState{Session: true}},
		"10.4.2, login form":               {bitbucketd.Options{Version: "10.4.2", LoginForm: bitbucketd.On}, false, LoginState{Session: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &skipper{}
			test.opts.Now = clock.now
			w := newWorld(t, test.opts)
			var totp secret.Text
			if test.factor {
				_, err := w.Enroll("admin", seed)
				must(t, err)
				totp = secret.New(seed)
			}
			c := client(t, w.BaseURL(), func(config *Config) { config.TOTP = totp })
			clock.drive(c)
			work(t, c)
			if have := c.LoginState(); have.Session != test.want.Session || have.SecondFactor != test.want.SecondFactor {
				t.Errorf("login %+v, want %+v", have, test.want)
			}
			c.Close()
		})
	}
}

// connectByHand returns what does all that connecting an organization takes, and
// undoes it.
func connectByHand(t *testing.T) func(*testing.T, *Client) {
	t.Helper()
	pair, ssh := consumerPair(t), sshPair(t)
	return func(t *testing.T, c *Client) {
		t.Helper()
		ctx := t.Context()
		link, err := c.CreateLink(ctx, "tf", orgURL)
		must(t, err)
		must(t, c.SetConsumer(ctx, link.ID, Consumer{Key: "k", Name: "n", PublicKey: pair.Public}))
		if have, err := c.Consumer(ctx, link.ID); err != nil || have.Key != "k" {
			t.Errorf("consumer %+v, %v", have, err)
		}
		must(t, c.ProveConsumer(ctx, "k", pair.Private))
		_, err = c.User(ctx, "svc@tf")
		must(t, err)
		_, err = c.AddSSHKey(ctx, "svc@tf", ssh.Public, "label", 0)
		must(t, err)
		must(t, c.Grant(ctx, "svc@tf", Permission{"INFRA", "vpc", "REPO_ADMIN"}))
		if _, err := c.Plugin(ctx, WebhookPluginKey); err != nil && !errors.Is(err, ErrNotFound) {
			t.Errorf("plugin: %v", err)
		}
		must(t, c.DeleteLink(ctx, link.ID))
	}
}

// A session that an administrator ends is opened again where it was not young.
func TestSessionsAreEndedOnTheServer(t *testing.T) {
	clock := &skipper{}
	w := newWorld(t, bitbucketd.Options{Version: "10.4.2", Now: clock.now})
	clock.drive(w.client)
	for range 3 {
		_, err := w.client.SSHKeys(t.Context(), "svc@tf")
		must(t, err)
		clock.ahead.Add(int64(40 * time.Minute)) // past the 30 idle minutes
	}
}

// An identity provider's login page takes no password: none is sent.
func TestIdentityProvider(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{Version: "10.4.2", SSO: true})
	if _, err := w.client.Links(t.Context()); !errors.Is(err, ErrManualLogin) {
		t.Errorf("error %v", err)
	}
}
