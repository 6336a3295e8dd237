package bitbucket

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
)

// Each write must come to its end whatever happens to one answer.
func TestWritesSurviveFaults(t *testing.T) {
	pair, consumer := sshPair(t), consumerPair(t)
	kinds := []front.Fault{
		{Kind: front.Refuse},
		{Kind: front.ResetBody},
		{Kind: front.LoseAnswer},
		{Kind: front.HTML, Status: 502},
		{Kind: front.Truncate},
		{Kind: front.Status, Status: 503},
		{Kind: front.Status, Status: 429},
		{Kind: front.Status, Status: 429, RetryAfter: "0.01"},
		{Kind: front.BadRateHeaders},
		{Kind: front.Stale},
		{Kind: front.Repeat},
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
	must(t, w.client.DeleteSSHKey(ctx, "svc@tf", k.ID))
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

// A server that tells its limit only by refusing must lose no request of many.
func TestUnknownRateLimit(t *testing.T) {
	w := quickWorld(t)
	w.front.SetRate(front.Rate{PerSecond: 40, Burst: 20})
	l := limit.New(limit.Options{})
	c := client(t, w.BaseURL(), func(c *Config) { c.Limiter = l })
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 4 {
				if _, err := c.Links(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if f := l.Figures(); f.Throttled == 0 || !f.Guessed || f.Requests != int64(total(w.front)) {
		t.Errorf("%+v of %d", f, total(w.front))
	}
}
