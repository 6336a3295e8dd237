package adminlogin

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/person"
	"github.com/bbsync/bbsync/schema"
)

// A world is a sandbox with a fleet that has no connections.
type world struct {
	*sandbox.World
	*bitbucketd.Server
	sys    *systems.Systems
	block  *schema.Bitbucket
	person *person.Person
}

func newWorld(t *testing.T, opts bitbucketd.Options) *world {
	t.Helper()
	w, err := sandbox.Start(t.Context(), sandbox.Options{Orgs: 1, Bitbuckets: []string{"10.4.2"}, Bitbucket: opts})
	must(t, err)
	t.Cleanup(func() { must(t, w.Close()) })
	block := &schema.Bitbucket{
		Label: "corp", URL: w.Bitbuckets[0].BaseURL(), CAFile: w.Facts.CAFile,
		Admin: schema.Admin{Username: "admin", Password: &schema.SecretRef{Env: "PASSWORD"}, OAuth: true, Login: "test/logins/b"},
	}
	fleet := &schema.Fleet{
		Name: "test", Bitbuckets: []*schema.Bitbucket{block},
		Vault: schema.Vault{Address: w.Facts.Vault.Address, Mount: "secret", Path: "bbsync"},
	}
	secrets := map[string]string{"PASSWORD": w.Facts.People.Admin, "VAULT_TOKEN": w.Facts.Vault.Token}
	sys := systems.New(fleet, systems.Env{Getenv: func(name string) string { return secrets[name] }})
	must(t, sys.Login(t.Context()))
	t.Cleanup(sys.Close)
	somebody, err := person.New(w.Facts)
	must(t, err)
	return &world{w, w.Bitbuckets[0], sys, block, somebody}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) begin(t *testing.T) *Login {
	t.Helper()
	l, err := Begin(t.Context(), w.sys, w.block, time.Now)
	must(t, err)
	t.Cleanup(l.Close)
	return l
}

// allow asks for consent, clicks Allow as a user, and returns what became of it.
func (w *world) allow(t *testing.T, l *Login, as string) error {
	t.Helper()
	page, err := l.Ask(t.Context(), bitbucket.OutOfBand)
	must(t, err)
	title, err := w.person.Approve(t.Context(), page, as)
	must(t, err)
	_, code, _ := strings.Cut(title, "code ")
	return l.Accept(t.Context(), code)
}

func (w *world) stored(t *testing.T) (record.AdminLogin, vault.Version) {
	t.Helper()
	l, version, err := w.sys.Vault().ReadAdminLogin(t.Context(), w.block.Admin.Login)
	must(t, err)
	return l, version
}

func (w *world) links() (n int) {
	w.Inspect(func(st *bitbucketd.State) { n = len(st.Links) })
	return n
}

// A login that is cut off is resumed with the same key; a later one replaces the token
// and destroys the versions before; the end leaves nothing.
func TestLogin(t *testing.T) {
	w, ctx := newWorld(t, bitbucketd.Options{}), t.Context()
	_, err := w.sys.Bitbucket(ctx, "corp")
	if !errors.Is(err, systems.ErrNoLogin) {
		t.Errorf("without a login: %v", err)
	}
	_, err = w.begin(t).Ask(ctx, bitbucket.OutOfBand)
	must(t, err)
	before, _ := w.stored(t)
	must(t, w.allow(t, w.begin(t), "admin"))
	first, _ := w.stored(t)
	if first.ConsumerKey != before.ConsumerKey || first.Token.Empty() || first.Username != "admin" || first.Ends.Before(time.Now().AddDate(4, 11, 0)) || w.links() != 1 {
		t.Errorf("stored %+v, %d links", first, w.links())
	}
	must(t, w.allow(t, w.begin(t), "admin"))
	second, version := w.stored(t)
	if second.Token.Equal(first.Token) || second.ConsumerKey != first.ConsumerKey || w.links() != 1 {
		t.Errorf("not replaced: %+v, %d links", second, w.links())
	}
	if err := w.sys.Vault().DestroyOlder(ctx, w.block.Admin.Login, version); err != nil {
		t.Error(err)
	}
	must(t, w.begin(t).End(ctx))
	if last, _ := w.stored(t); !last.PrivateKey.Empty() || !last.Token.Empty() || w.links() != 0 {
		t.Errorf("left %+v, %d links", last, w.links())
	}
	if err := w.begin(t).End(ctx); !errors.Is(err, systems.ErrNoLogin) {
		t.Errorf("ended twice: %v", err)
	}
}

// A token is kept only if it is the administrator's and application links take it.
func TestOnlyAGoodTokenIsKept(t *testing.T) {
	for name, test := range map[string]struct {
		opts  bitbucketd.Options
		spoil func(*bitbucketd.State) error
		as    string
		want  string
	}{
		"somebody else":    {as: "svc-terraform", want: "svc-terraform clicked Allow, not admin"},
		"no administrator": {as: "admin", spoil: func(st *bitbucketd.State) error { delete(st.Global.Users, "admin"); return nil }, want: "has no global ADMIN permission"},
		"not on links":     {opts: bitbucketd.Options{SignedNotOnLinks: true}, as: "admin", want: "the token was not kept"},
		"WebSudo":          {opts: bitbucketd.Options{SignedNeedsWebSudo: true}, as: "admin", want: "feature.websudo=false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, test.opts)
			l := w.begin(t)
			_, err := l.Ask(t.Context(), bitbucket.OutOfBand)
			must(t, err)
			if test.spoil != nil {
				must(t, w.Change("spoiling", test.spoil))
			}
			if err := w.allow(t, l, test.as); !strings.Contains(fmt.Sprint(err), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if stored, _ := w.stored(t); !stored.Token.Empty() {
				t.Error("the token is in Vault")
			}
		})
	}
}

// A link that somebody else made on the address stays, and so does a login that another
// run makes at the same time.
func TestOthersAreLeftAlone(t *testing.T) {
	w, ctx := newWorld(t, bitbucketd.Options{}), t.Context()
	id, err := w.AddLink(bitbucketd.Link{RPCURL: "https://bbsync.invalid/test", Name: "theirs"})
	must(t, err)
	l := w.begin(t)
	must(t, l.makeKeys(ctx))
	pair := byHand(t, w, l)
	must(t, w.SetConsumer(id, bitbucketd.Consumer{Key: "theirs", PublicKey: pair.PublicKey}))
	if _, err := l.Ask(ctx, bitbucket.OutOfBand); !strings.Contains(fmt.Sprint(err), "delete the link in Bitbucket") {
		t.Errorf("another consumer on the link: %v", err)
	}
	must(t, w.RemoveLink(id))
	other := w.begin(t)
	must(t, w.allow(t, l, "admin"))
	if err := w.allow(t, other, "admin"); !errors.Is(err, vault.ErrConflict) {
		t.Errorf("at the same time: %v", err)
	}
}

// byHand returns what a person must enter.
func byHand(t *testing.T, w *world, l *Login) *ByHandError {
	t.Helper()
	password := w.block.Admin.Password
	defer func() { w.block.Admin.Password = password }()
	w.block.Admin.Password = nil
	_, err := l.Ask(t.Context(), bitbucket.OutOfBand)
	e, ok := errors.AsType[*ByHandError](err)
	if !ok {
		t.Fatalf("without a password: %v", err)
	}
	return e
}

// Without any password: a person makes the link, and deletes it when the token is dead.
func TestLinkByHand(t *testing.T) {
	w, ctx := newWorld(t, bitbucketd.Options{}), t.Context()
	e := byHand(t, w, w.begin(t))
	w.block.Admin.Password = nil
	id, err := w.AddLink(bitbucketd.Link{RPCURL: e.URL, Name: e.Name})
	must(t, err)
	must(t, w.SetConsumer(id, bitbucketd.Consumer{Key: e.ConsumerKey, Name: e.Name, PublicKey: e.PublicKey}))
	must(t, w.allow(t, w.begin(t), "admin"))
	_, err = w.RevokeTokens("admin")
	must(t, err)
	if err := w.begin(t).End(ctx); !errors.Is(err, bitbucket.ErrOAuth) || !strings.Contains(fmt.Sprint(err), "delete the application link") {
		t.Errorf("with a dead token: %v", err)
	}
	must(t, w.RemoveLink(id))
	must(t, w.begin(t).End(ctx))

	w.block.Admin.Password = &schema.SecretRef{Env: "PASSWORD"} // and with the token alone
	must(t, w.allow(t, w.begin(t), "admin"))
	w.block.Admin.Password = nil
	must(t, w.begin(t).End(ctx))
	if w.links() != 0 {
		t.Error("the link is there")
	}
}
