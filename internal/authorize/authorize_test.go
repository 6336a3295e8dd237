package authorize

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
)

func aRequest(org string) Request {
	return Request{
		Target: plan.Target{
			Address: `connection.team["` + org + `"]`, Terraform: "hcp", Organization: org, BitbucketURL: "https://bitbucket.example/git",
			ServiceUser: "svc-terraform", UserNames: []string{"svc_terraform", "Terraform"}, Client: "Bitbucket",
		},
		Person: plan.Person{ClientID: "oc-" + org, URL: "https://app.terraform.io/auth/1?organization_id=7"},
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	dead := plan.Person{Token: "ot-1", TokenUser: "svc-terraform", Dead: true}
	wrong := plan.Person{Token: "ot-1", TokenUser: "admin"}
	for _, c := range []struct {
		name   string
		person plan.Person
		seen   seen
		want   Status
	}{
		{"no token yet", plan.Person{}, seen{client: true}, Status{State: Waiting}},
		{"the service user's", plan.Person{}, seen{client: true, token: "ot-1", user: "svc-terraform"}, Status{State: Done, User: "svc-terraform"}},
		{"by its slug", plan.Person{}, seen{client: true, token: "ot-1", user: "SVC_terraform"}, Status{State: Done, User: "SVC_terraform"}},
		{"an older release shows nobody", plan.Person{}, seen{client: true, token: "ot-1"}, Status{State: Done}},
		{"somebody else's", plan.Person{}, seen{client: true, token: "ot-1", user: "admin"}, Status{State: WrongUser, User: "admin"}},
		{"still somebody else's", wrong, seen{client: true, token: "ot-1", user: "admin"}, Status{State: WrongUser, User: "admin", Old: true}},
		{"somebody else's again", wrong, seen{client: true, token: "ot-2", user: "admin"}, Status{State: WrongUser, User: "admin"}},
		{"another wrong one under the same id", wrong, seen{client: true, token: "ot-1", user: "eve"}, Status{State: WrongUser, User: "eve"}},
		{"the right one under the same id", wrong, seen{client: true, token: "ot-1", user: "svc-terraform"}, Status{State: Done, User: "svc-terraform"}},
		{"revoked, to be connected again", wrong, seen{client: true}, Status{State: Waiting}},
		{"still dead", dead, seen{client: true, token: "ot-1", user: "svc-terraform"}, Status{State: Dead, User: "svc-terraform"}},
		{"works again under the same id", dead, seen{client: true, token: "ot-1", user: "svc-terraform", works: true}, Status{State: Done, User: "svc-terraform"}},
		{"a new token", dead, seen{client: true, token: "ot-2", user: "svc-terraform"}, Status{State: Done, User: "svc-terraform"}},
		{"a new token, somebody else's", dead, seen{client: true, token: "ot-2", user: "admin"}, Status{State: WrongUser, User: "admin"}},
		{"the client is gone", plan.Person{}, seen{}, Status{State: Gone, Err: errGone}},
		{"no answer this time", plan.Person{}, seen{err: broken}, Status{State: Waiting, Err: broken}},
		{"no answer this time, dead", dead, seen{err: broken}, Status{State: Dead, User: "svc-terraform", Err: broken}},
	} {
		r := aRequest("acme")
		id := r.ClientID
		r.Person, r.ClientID = c.person, id
		if have := r.judge(r.start(), c.seen); have != c.want {
			t.Errorf("%s: have %+v, want %+v", c.name, have, c.want)
		}
	}
	r := aRequest("acme")
	for _, final := range []error{tfe.ErrUnauthorized, tfe.ErrForbidden, tfe.ErrNotFound, tfe.ErrNotEntitled} {
		have := r.judge(r.start(), seen{err: &tfe.Error{Op: "listing", Object: "acme", Kind: final}})
		if have.State != Unknown || !errors.Is(have.Err, final) || !have.Settled(true) {
			t.Errorf("%v: have %+v, want a status that ends", final, have)
		}
	}
}

// A wrong user ends the waiting, unless somebody stays to undo it or it was so
// before.
func TestSettled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status          Status
		leaves, staying bool
	}{
		{Status{State: Waiting}, false, false},
		{Status{State: Dead}, false, false},
		{Status{State: Done}, true, true},
		{Status{State: Gone}, true, true},
		{Status{State: Unknown}, true, true},
		{Status{State: WrongUser}, true, false},
		{Status{State: WrongUser, Old: true}, false, false},
	} {
		if have := [2]bool{c.status.Settled(false), c.status.Settled(true)}; have != [2]bool{c.leaves, c.staying} {
			t.Errorf("%+v: settled %v, want %v", c.status, have, [2]bool{c.leaves, c.staying})
		}
	}
}

func TestUndo(t *testing.T) {
	t.Parallel()
	r := aRequest("acme")
	have := fmt.Sprint(r.Problem(Status{State: WrongUser, User: "admin"}))
	for _, want := range []string{
		`connection.team["acme"]`, "authorized by admin", "act on Bitbucket as admin", "https://app.terraform.io/app/acme/settings/version-control",
		"log out of https://bitbucket.example/git", "as svc-terraform", r.URL,
	} {
		if !strings.Contains(have, want) {
			t.Errorf("%q is not in: %s", want, have)
		}
	}
}

// A terraform is many organizations, one client each, that people authorize.
type terraform struct {
	mu    sync.Mutex
	token map[string]string // organization -> user of its token
	asked map[string]int
	busy  int
	most  int
	works bool
	err   error
}

func (f *terraform) open(context.Context, string, string) (Terraform, error) { return f, nil }

func (f *terraform) Clients(_ context.Context, org string) ([]tfe.OAuthClient, error) {
	f.mu.Lock()
	f.asked[org]++
	f.busy++
	f.most = max(f.most, f.busy)
	f.mu.Unlock()
	time.Sleep(10 * time.Millisecond) // of the bubble's clock
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy--
	c := tfe.OAuthClient{ID: "oc-" + org}
	if user, ok := f.token[org]; ok {
		c.Token = &tfe.Token{ID: "ot-" + org, User: user}
	}
	return []tfe.OAuthClient{{ID: "oc-other"}, c}, f.err
}

func (f *terraform) AuthorizedRepos(context.Context, string) ([]string, error) {
	if f.works {
		return nil, nil
	}
	return nil, tfe.ErrTokenRefused
}

func (f *terraform) Explain404(context.Context, string) error { return tfe.ErrForbidden }

func (f *terraform) authorize(org, user string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.token[org] = user
}

func fleetOf(n int) (*terraform, []Request) {
	var requests []Request
	for i := range n {
		requests = append(requests, aRequest(fmt.Sprintf("acme-%03d", i)))
	}
	return &terraform{token: map[string]string{}, asked: map[string]int{}}, requests
}

func TestWatchEndsWhenAllAreAuthorized(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, requests := fleetOf(3)
		w := New(server.open, requests, Options{})
		go func() {
			for i, r := range requests {
				time.Sleep(time.Duration(i+1) * time.Minute)
				server.authorize(r.Organization, "svc-terraform")
			}
		}()
		if err := w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		statuses, _ := w.Look()
		for i, s := range statuses {
			if s.State != Done {
				t.Errorf("%d: %+v", i, s)
			}
		}
		// Six minutes of waiting, a look every ten seconds once it is quiet.
		if have := server.asked["acme-002"]; have > 60 {
			t.Errorf("the last organization was asked %d times in six minutes", have)
		}
		if have := server.asked["acme-000"]; have > 15 {
			t.Errorf("the first was asked %d times, though it was done after a minute", have)
		}
	})
}

// Of five hundred, a round asks twenty, four at once; all have their turn, and
// the one that a person was sent to does not wait for its own.
func TestWatchIsGentleAndQuick(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, requests := fleetOf(500)
		w := New(server.open, requests, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.Run(ctx) }()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		asked := 0
		for _, r := range requests {
			if server.asked[r.Organization] == 0 {
				t.Fatalf("%s was not asked in five minutes", r.Organization)
			}
			asked += server.asked[r.Organization]
		}
		if asked > 800 || server.most > parallel {
			t.Errorf("%d requests in five minutes, %d at once", asked, server.most)
		}
		w.Sent(321)
		server.authorize("acme-321", "svc-terraform")
		time.Sleep(3 * time.Second)
		if s, _ := w.Look(); s[321].State != Done {
			t.Errorf("three seconds after the click: %+v", s[321])
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}

// Who presses again and again is not looked after later for it.
func TestWatchOfTheImpatient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, requests := fleetOf(50)
		w := New(server.open, requests, Options{First: time.Hour, Most: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.Run(ctx) }()
		server.authorize("acme-033", "svc-terraform")
		for range 10 {
			w.Sent(33)
			time.Sleep(300 * time.Millisecond)
		}
		if s, _ := w.Look(); s[33].State != Done {
			t.Errorf("three seconds after the click: %+v", s[33])
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestWatchOfAWrongUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, requests := fleetOf(1)
		server.authorize("acme-000", "admin")
		w := New(server.open, requests, Options{})
		if err := w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, _ := w.Look(); s[0] != (Status{State: WrongUser, User: "admin"}) {
			t.Errorf("have %+v", s[0])
		}
		stays := New(server.open, requests, Options{Stay: true})
		go func() {
			time.Sleep(time.Minute)
			server.authorize("acme-000", "svc-terraform")
		}()
		if err := stays.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, _ := stays.Look(); s[0].State != Done {
			t.Errorf("have %+v", s[0])
		}
	})
}

func TestWatchOfADeadToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, requests := fleetOf(1)
		server.authorize("acme-000", "svc-terraform")
		requests[0].Token, requests[0].TokenUser, requests[0].Person.Dead = "ot-acme-000", "svc-terraform", true
		w := New(server.open, requests, Options{})
		if s := w.Check(t.Context(), 0); s.State != Dead {
			t.Errorf("have %+v", s)
		}
		server.works = true
		if s := w.Check(t.Context(), 0); s.State != Done {
			t.Errorf("have %+v", s)
		}
	})
}

// Terraform says "not found" of what is forbidden: the reason is asked for, and
// ends the waiting.
func TestWatchOfWhatIsForbidden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, requests := fleetOf(1)
		server.err = &tfe.Error{Op: "listing", Object: "acme", Kind: tfe.ErrNotFound}
		w := New(server.open, requests, Options{})
		if err := w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		s, _ := w.Look()
		if !errors.Is(requests[0].Problem(s[0]), tfe.ErrForbidden) {
			t.Errorf("have %+v", s[0])
		}
	})
}
