package renewal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gotfe "github.com/hashicorp/go-tfe"
	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/internal/renewal"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/sandbox/terraformd"
	"github.com/bbsync/bbsync/sandbox/vaultd"
)

const place = "kv/platform/hcp#token"

// A world is a Terraform and a Vault that end a run at one of its requests.
type world struct {
	terraform, vault string
	rootToken        string
	crash            atomic.Pointer[crash]
}

// A crash ends the process at its n-th request, before or after the server did it.
type crash struct {
	at     int64
	after  bool
	end    context.CancelFunc
	seen   atomic.Int64
	reason string
}

func (w *world) through(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c := w.crash.Load()
		if c == nil {
			h.ServeHTTP(rw, r)
			return
		}
		n := c.seen.Add(1)
		if n < c.at {
			h.ServeHTTP(rw, r)
			return
		}
		if n == c.at {
			c.reason = fmt.Sprintf("%s %s, after: %t", r.Method, r.URL.Path, c.after)
			if c.after {
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		}
		c.end()
		panic(http.ErrAbortHandler) // the connection ends without an answer
	})
}

func newWorld(t *testing.T, opts terraformd.Options, kind tfe.OwnerKind) *world {
	t.Helper()
	opts.RateLimit = 1e6
	w := &world{}
	server := terraformd.New(opts)
	must(t, server.AddUser(terraformd.User{Name: "owner", Token: secret.New("token-owner"), SiteAdmin: true}))
	must(t, server.AddOrganization(terraformd.Organization{Name: "acme", Token: secret.New("token-acme"), Members: map[string]terraformd.Access{"owner": {Owner: true}}}))
	vaults, err := vaultd.New(vaultd.Options{})
	must(t, err)
	vaults.Mount("kv", 2)
	w.rootToken = vaults.RootToken
	webs := [2]*httptest.Server{httptest.NewServer(w.through(server.Handler())), httptest.NewServer(w.through(vaults.Handler()))}
	w.terraform, w.vault = webs[0].URL, webs[1].URL
	server.SetAddress(w.terraform)
	t.Cleanup(func() { webs[0].Close(); webs[1].Close(); server.Close() })
	w.put(t, map[string]any{"token": w.token(t, kind), "owner": "team vcs"})
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// token makes a token that ends in 90 days.
func (w *world) token(t *testing.T, kind tfe.OwnerKind) string {
	t.Helper()
	c, err := gotfe.NewClient(&gotfe.Config{Address: w.terraform, Token: "token-owner"})
	must(t, err)
	end := new(time.Now().AddDate(0, 0, 90))
	switch kind {
	case tfe.TeamToken:
		team, err := c.Teams.Create(t.Context(), "acme", gotfe.TeamCreateOptions{Name: new("vcs")})
		must(t, err)
		made, err := c.TeamTokens.CreateWithOptions(t.Context(), team.ID, gotfe.TeamTokenCreateOptions{Description: new("first"), ExpiredAt: end})
		must(t, err)
		return made.Token
	case tfe.UserToken:
		me, err := c.Users.ReadCurrent(t.Context())
		must(t, err)
		made, err := c.UserTokens.Create(t.Context(), me.ID, gotfe.UserTokenCreateOptions{Description: "first", ExpiredAt: end})
		must(t, err)
		return made.Token
	case tfe.OrganizationToken:
	}
	return "token-acme"
}

func (w *world) root(t *testing.T) *api.Client {
	t.Helper()
	c, err := api.NewClient(&api.Config{Address: w.vault})
	must(t, err)
	c.SetToken(w.rootToken)
	return c
}

func (w *world) put(t *testing.T, fields map[string]any) {
	t.Helper()
	_, err := w.root(t).KVv2("kv").Put(t.Context(), "platform/hcp", fields)
	must(t, err)
}

func (w *world) fields(t *testing.T) map[string]any {
	t.Helper()
	s, err := w.root(t).KVv2("kv").Get(t.Context(), "platform/hcp")
	must(t, err)
	return s.Data
}

// run renews the token, as one process.
func (w *world) run(ctx context.Context) error {
	client, err := vault.Login(ctx, vault.Config{Address: w.vault, Mount: "kv", Auth: vault.Auth{Token: secret.New(w.rootToken)}, Patience: time.Millisecond})
	if err != nil {
		return err
	}
	defer client.Close()
	r := renewal.Renewal{
		System: "terraform.hcp", Place: place, Fleet: "corp", Vault: client, Now: time.Now,
		Open: func(ctx context.Context, token secret.Text) (*tfe.Client, error) {
			return tfe.New(ctx, tfe.Config{Address: w.terraform, Token: token, Patience: time.Millisecond})
		},
	}
	s, err := r.Look(ctx)
	if err != nil {
		return err
	}
	return r.Run(ctx, s)
}

// works insists that the token in Vault works, and returns it with all of its owner's.
func (w *world) works(t *testing.T, what string) (string, []tfe.APIToken) {
	t.Helper()
	text, _ := w.fields(t)["token"].(string)
	c, err := tfe.New(t.Context(), tfe.Config{Address: w.terraform, Token: secret.New(text)})
	must(t, err)
	defer c.Close()
	own, err := c.OwnToken(t.Context())
	if err != nil {
		t.Fatalf("%s: the token in Vault does not work: %v", what, err)
	}
	all, err := c.APITokens(t.Context(), own.Owner)
	must(t, err)
	return text, all
}

func (w *world) renewed(t *testing.T, what, before string, kind tfe.OwnerKind) {
	t.Helper()
	after, all := w.works(t, what)
	want := 1
	if kind == tfe.UserToken {
		want = 2 // and the one that set the world up
	}
	last := all[len(all)-1]
	for _, one := range all {
		if strings.HasPrefix(one.Description, "bbsync, fleet corp, ") {
			last = one
		}
	}
	if after == before || len(all) != want || !strings.HasPrefix(last.Description, "bbsync, fleet corp, ") {
		t.Errorf("%s: renewed %t, tokens %+v", what, after != before, all)
	}
	if left := time.Until(last.Expires).Round(time.Hour); left != 90*24*time.Hour {
		t.Errorf("%s: the new token lives for %s", what, left)
	}
	if f := w.fields(t); f["owner"] != "team vcs" || len(f) != 2 {
		t.Errorf("%s: Vault has the fields %v", what, len(f))
	}
}

// A run that ends at any of its requests leaves a working token in Vault, and the next
// one leaves the renewed token alone.
func TestCrashAtEachRequest(t *testing.T) {
	t.Parallel()
	for _, kind := range []tfe.OwnerKind{tfe.TeamToken, tfe.UserToken} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, after %t", kind, after), func(t *testing.T) {
				t.Parallel()
				for at := int64(1); ; at++ {
					w := newWorld(t, terraformd.Options{}, kind)
					before, _ := w.works(t, "before")
					ctx, end := context.WithCancel(t.Context())
					c := &crash{at: at, after: after, end: end}
					w.crash.Store(c)
					err := w.run(ctx)
					w.crash.Store(nil)
					end()
					if c.reason == "" {
						if err != nil || at < 12 {
							t.Errorf("%d requests, %v", at-1, err)
						}
						w.renewed(t, "uninterrupted", before, kind)
						return
					}
					w.works(t, c.reason)
					if err := w.run(t.Context()); err != nil {
						t.Fatalf("%s: the next run: %v", c.reason, err)
					}
					w.renewed(t, c.reason, before, kind)
				}
			})
		}
	}
}

// What cannot be renewed safely is refused before anything is changed.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts terraformd.Options
		kind tfe.OwnerKind
		want string
	}{
		"an organization's token":      {terraformd.Options{}, tfe.OrganizationToken, "of which there is one only"},
		"a team without the right":     {terraformd.Options{Choices: terraformd.Choices{TeamTokenManagesNone: true}}, tfe.TeamToken, "may not read itself"},
		"an older release, no link":    {terraformd.Options{Missing: terraformd.Missing{AuthTokenLink: true}}, tfe.UserToken, "does not say which token is used"},
		"an older release, one a team": {terraformd.Options{Missing: terraformd.Missing{AuthTokenLink: true, TeamTokens: true}}, tfe.OrganizationToken, "of which there is one only"},
	} {
		w := newWorld(t, c.opts, c.kind)
		before := w.fields(t)
		err := w.run(t.Context())
		var refused *renewal.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(refused.Reason, c.want) || refused.Remedy == "" {
			t.Errorf("%s: %v", name, err)
		}
		if after := w.fields(t); len(after) != len(before) || after["token"] != before["token"] {
			t.Errorf("%s: Vault was changed", name)
		}
	}
}

// The server that gives a team one token is found out at the request for the second.
func TestOneTokenPerTeam(t *testing.T) {
	t.Parallel()
	old := newWorld(t, terraformd.Options{Missing: terraformd.Missing{TeamTokens: true}}, tfe.UserToken)
	c, err := gotfe.NewClient(&gotfe.Config{Address: old.terraform, Token: "token-owner"})
	must(t, err)
	team, err := c.Teams.Create(t.Context(), "acme", gotfe.TeamCreateOptions{Name: new("vcs")})
	must(t, err)
	made, err := c.TeamTokens.Create(t.Context(), team.ID)
	must(t, err)
	old.put(t, map[string]any{"token": made.Token})
	var refused *renewal.RefusedError
	if err := old.run(t.Context()); !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
	if f := old.fields(t); f["token"] != made.Token || len(f) != 1 {
		t.Errorf("Vault has %d fields", len(f))
	}
}

// A secret that someone changes meanwhile is not overwritten, and the token that was
// made for it is deleted.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, tfe.UserToken)
	client, err := vault.Login(t.Context(), vault.Config{Address: w.vault, Mount: "kv", Auth: vault.Auth{Token: secret.New(w.rootToken)}})
	must(t, err)
	defer client.Close()
	theirs := w.token(t, tfe.UserToken)
	r := renewal.Renewal{
		System: "terraform.hcp", Place: place, Fleet: "corp", Vault: client, Now: time.Now,
		Open: func(ctx context.Context, token secret.Text) (*tfe.Client, error) {
			return tfe.New(ctx, tfe.Config{Address: w.terraform, Token: token})
		},
		Done: func(what string) {
			if strings.HasPrefix(what, "created") {
				w.put(t, map[string]any{"token": theirs})
			}
		},
	}
	s, err := r.Look(t.Context())
	must(t, err)
	if err := r.Run(t.Context(), s); !errors.Is(err, vault.ErrConflict) {
		t.Errorf("%v", err)
	}
	if f := w.fields(t); f["token"] != theirs {
		t.Error("someone else's token was overwritten")
	}
	if _, all := w.works(t, "after"); len(all) != 3 { // two that were there, and theirs
		t.Errorf("tokens are left: %+v", all)
	}
}
