package terraformd_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	tfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

func (w *world) status(t *testing.T, token string) int {
	t.Helper()
	return w.do(t, token, "GET", "/api/v2/organizations/acme", "").status
}

// newTeam makes a team that manages VCS connections.
func (w *world) newTeam(t *testing.T) *tfe.Team {
	t.Helper()
	team, err := w.client(t, owner).Teams.Create(t.Context(), "acme", tfe.TeamCreateOptions{
		Name: new("platform"), OrganizationAccess: &tfe.OrganizationAccessOptions{ManageVCSSettings: new(true)},
	})
	must(t, err)
	return team
}

func TestTeamHasSeveralTokens(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	team, tokens := w.newTeam(t), w.client(t, owner).TeamTokens
	first, err := tokens.CreateWithOptions(t.Context(), team.ID, tfe.TeamTokenCreateOptions{Description: new("first")})
	must(t, err)
	if _, err := tokens.CreateWithOptions(t.Context(), team.ID, tfe.TeamTokenCreateOptions{Description: new("first")}); err == nil {
		t.Error("a second token with the same description")
	}
	// The team's own token makes its successor and removes itself.
	own := w.client(t, first.Token)
	second, err := own.TeamTokens.CreateWithOptions(t.Context(), team.ID, tfe.TeamTokenCreateOptions{Description: new("second")})
	must(t, err)
	if a, b := w.status(t, first.Token), w.status(t, second.Token); a != http.StatusOK || b != http.StatusOK {
		t.Errorf("two tokens of a team: %d and %d", a, b)
	}
	if second.CreatedBy == nil || second.CreatedBy.Team == nil || second.ExpiredAt.Sub(second.CreatedAt) < 729*24*time.Hour {
		t.Errorf("the second token: %+v", second)
	}
	must(t, w.client(t, second.Token).TeamTokens.DeleteByID(t.Context(), first.ID))
	if a, b := w.status(t, first.Token), w.status(t, second.Token); a != http.StatusUnauthorized || b != http.StatusOK {
		t.Errorf("after the first was deleted: %d and %d", a, b)
	}
	list, err := tokens.List(t.Context(), "acme", &tfe.TeamTokenListOptions{Query: "PLATFORM"})
	must(t, err)
	if len(list.Items) != 1 || list.Items[0].ID != second.ID || list.Items[0].Team.ID != team.ID || list.Items[0].LastUsedAt.IsZero() {
		t.Errorf("listed: %+v", list.Items)
	}
}

func TestLegacyTeamTokenIsReplacedAtOnce(t *testing.T) {
	w := newWorld(t, terraformd.Options{Version: "v202410-1", Missing: terraformd.Missing{TeamTokens: true}})
	team, tokens := w.newTeam(t), w.client(t, owner).TeamTokens
	first, err := tokens.Create(t.Context(), team.ID)
	must(t, err)
	if !first.ExpiredAt.IsZero() {
		t.Errorf("before 2.0 a token does not end: %s", first.ExpiredAt)
	}
	second, err := tokens.Create(t.Context(), team.ID)
	must(t, err)
	if a, b := w.status(t, first.Token), w.status(t, second.Token); a != http.StatusUnauthorized || b != http.StatusOK {
		t.Errorf("%d and %d", a, b)
	}
	_, err = tokens.CreateWithOptions(t.Context(), team.ID, tfe.TeamTokenCreateOptions{Description: new("more")})
	if !errors.Is(err, tfe.ErrResourceNotFound) {
		t.Errorf("several tokens in a release that has one: %v", err)
	}
}

func TestWhoManagesTeamTokens(t *testing.T) {
	for _, none := range []bool{false, true} {
		w := newWorld(t, terraformd.Options{Choices: terraformd.Choices{TeamTokenManagesNone: none}})
		team := w.newTeam(t)
		made, err := w.client(t, owner).TeamTokens.CreateWithOptions(t.Context(), team.ID, tfe.TeamTokenCreateOptions{Description: new("first")})
		must(t, err)
		want := map[string]int{owner: 201, orgToken: 201, manager: 404, stranger: 404, made.Token: 201}
		if none {
			want[made.Token] = 404
		}
		for token, want := range want {
			body := `{"data":{"type":"authentication-token","attributes":{"description":"of ` + token + `"}}}`
			if have := w.do(t, token, "POST", "/api/v2/teams/"+team.ID+"/authentication-tokens", body); have.status != want {
				t.Errorf("%s: %d, want %d: %s", token, have.status, want, have.body)
			}
		}
		must(t, w.client(t, owner).Teams.Delete(t.Context(), team.ID))
		if have := w.status(t, made.Token); have != http.StatusUnauthorized {
			t.Errorf("the token of a deleted team: %d", have)
		}
	}
}

func TestTokensEnd(t *testing.T) {
	c := &clock{now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	w := newWorld(t, terraformd.Options{Now: c.Now})
	me, err := w.client(t, owner).Users.ReadCurrent(t.Context())
	must(t, err)
	tokens := w.client(t, owner).UserTokens
	made, err := tokens.Create(t.Context(), me.ID, tfe.UserTokenCreateOptions{ExpiredAt: new(c.Now().Add(time.Hour))})
	must(t, err)
	if _, err := tokens.Create(t.Context(), me.ID, tfe.UserTokenCreateOptions{ExpiredAt: new(c.Now())}); err == nil {
		t.Error("a token that has ended already")
	}
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		if have := w.status(t, made.Token); have != want {
			t.Errorf("at %s: %d, want %d", c.Now(), have, want)
		}
		c.add(time.Hour)
	}
	read, err := tokens.Read(t.Context(), made.ID)
	must(t, err)
	if !read.ExpiredAt.Equal(made.ExpiredAt) || read.Token != "" {
		t.Errorf("an ended token is still shown: %+v", read)
	}
	if _, err := w.client(t, manager).UserTokens.Read(t.Context(), made.ID); !errors.Is(err, tfe.ErrResourceNotFound) {
		t.Errorf("another user reads it: %v", err)
	}
}

// Tokens that live longer than the organization allows stop working in it.
func TestTokenTTLPolicies(t *testing.T) {
	w := newWorld(t, terraformd.Options{Version: "2.0.0"})
	team := w.newTeam(t)
	long, err := w.client(t, owner).TeamTokens.CreateWithOptions(t.Context(), team.ID, tfe.TeamTokenCreateOptions{Description: new("long")})
	must(t, err)
	limit := func(kind tfe.TokenType) error {
		_, err := w.client(t, owner).OrganizationTokenTTLPolicies.Update(t.Context(), "acme", tfe.OrganizationTokenTTLPolicyUpdateOptions{
			Policies: []tfe.OrganizationTokenTTLPolicyUpdateItem{{TokenType: kind, MaxTTLMs: time.Hour.Milliseconds()}},
		})
		return err
	}
	must(t, limit(tfe.TokenTypeTeam))
	if team, user := w.status(t, long.Token), w.status(t, owner); team != http.StatusUnauthorized || user != http.StatusOK {
		t.Errorf("team %d, user %d", team, user)
	}
	must(t, limit(tfe.TokenTypeUser))
	if user, organization := w.status(t, owner), w.status(t, orgToken); user != http.StatusUnauthorized || organization != http.StatusOK {
		t.Errorf("user %d, organization %d", user, organization)
	}
	old := newWorld(t, terraformd.Options{Version: "1.2.0"})
	if have := old.do(t, owner, "GET", "/api/v2/organizations/acme/token-ttl-policies", ""); have.status != http.StatusNotFound {
		t.Errorf("before 2.0: %d", have.status)
	}
}

func TestUserTokensSwitchedOff(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	_, err := w.client(t, owner).Organizations.Update(t.Context(), "acme", tfe.OrganizationUpdateOptions{UserTokensEnabled: new(false)})
	must(t, err)
	if user, organization := w.status(t, owner), w.status(t, orgToken); user != http.StatusUnauthorized || organization != http.StatusOK {
		t.Errorf("user %d, organization %d", user, organization)
	}
}

func TestAuditTrailTokenIsAnother(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	must(t, w.AddOrganization(terraformd.Organization{Name: "big", Business: true, Members: map[string]terraformd.Access{"owner": {Owner: true}}}))
	tokens, audit := w.client(t, owner).OrganizationTokens, tfe.AuditTrailToken
	own, err := tokens.Create(t.Context(), "big")
	must(t, err)
	trail, err := tokens.CreateWithOptions(t.Context(), "big", tfe.OrganizationTokenCreateOptions{TokenType: &audit})
	must(t, err)
	for token, want := range map[string]int{own.Token: 200, trail.Token: 404} {
		if have := w.do(t, token, "GET", "/api/v2/organizations/big", ""); have.status != want {
			t.Errorf("%d, want %d", have.status, want)
		}
	}
	if _, err := tokens.CreateWithOptions(t.Context(), "acme", tfe.OrganizationTokenCreateOptions{TokenType: &audit}); err == nil {
		t.Error("an audit trail token without the entitlement")
	}
}

// The account of a token tells which team or organization it stands for.
func TestAccountTellsWhatATokenStandsFor(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	team := w.newTeam(t)
	made, err := w.client(t, owner).TeamTokens.Create(t.Context(), team.ID)
	must(t, err)
	for token, want := range map[string]string{made.Token: `"id":"` + team.ID + `","type":"teams"`, orgToken: `"id":"acme","type":"organizations"`} {
		have := w.do(t, token, "GET", "/api/v2/account/details", "")
		link := have.data(t)["links"].(map[string]any)["auth-token"]
		if _, named := strings.CutPrefix(link.(string), "/api/v2/authentication-tokens/at-"); !named {
			t.Errorf("%s: its own token is %v", token, link)
		}
		if !strings.Contains(have.body, want) || !strings.Contains(have.body, `"is-service-account":true`) {
			t.Errorf("%s: %s", token, have.body)
		}
	}
}
