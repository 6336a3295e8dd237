package tfe_test

import (
	"errors"
	"testing"
	"time"

	gotfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// teamToken makes a team with a token that ends in an hour.
func (w world) teamToken(t *testing.T) secret.Text {
	t.Helper()
	c, err := gotfe.NewClient(&gotfe.Config{Address: w.url, Token: "token-owner"})
	must(t, err)
	team, err := c.Teams.Create(t.Context(), "acme", gotfe.TeamCreateOptions{Name: new("vcs"), OrganizationAccess: &gotfe.OrganizationAccessOptions{ManageVCSSettings: new(true)}})
	must(t, err)
	made, err := c.TeamTokens.CreateWithOptions(t.Context(), team.ID, gotfe.TeamTokenCreateOptions{Description: new("first"), ExpiredAt: new(time.Now().Add(time.Hour))})
	must(t, err)
	return secret.New(made.Token)
}

func (w world) with(t *testing.T, token secret.Text) *tfe.Client {
	t.Helper()
	c, err := tfe.New(t.Context(), tfe.Config{Address: w.url, Token: token, Patience: time.Millisecond})
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// A second token is made, found by its description, and deletes the first.
func TestRenewAPIToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, front.Options{})
	for _, first := range []secret.Text{w.teamToken(t), secret.New("token-manager")} {
		c := w.with(t, first)
		own, err := c.OwnToken(t.Context())
		must(t, err)
		end := time.Now().Add(48 * time.Hour).Truncate(time.Second)
		made, text, err := c.CreateAPIToken(t.Context(), own.Owner, "second", end)
		must(t, err)
		if !made.Expires.Equal(end) || made.Description != "second" || text.Empty() || made.ID == own.ID {
			t.Errorf("made %+v", made)
		}
		if _, _, err := c.CreateAPIToken(t.Context(), own.Owner, "second", end); own.Owner.Kind == tfe.TeamToken && !errors.Is(err, tfe.ErrInvalid) {
			t.Errorf("the same description again: %v", err)
		}
		next := w.with(t, text)
		seen, err := next.OwnToken(t.Context())
		if err != nil || seen != made {
			t.Errorf("the new token is %+v, %v", seen, err)
		}
		must(t, next.DeleteAPIToken(t.Context(), own.ID))
		if _, err := c.OwnToken(t.Context()); !errors.Is(err, tfe.ErrUnauthorized) {
			t.Errorf("the deleted token: %v", err)
		}
		if err := next.DeleteAPIToken(t.Context(), own.ID); !errors.Is(err, tfe.ErrNotFound) {
			t.Errorf("deleting it again: %v", err)
		}
		all, err := next.APITokens(t.Context(), own.Owner)
		if err != nil || len(all) == 0 || all[len(all)-1].Description != "second" {
			t.Errorf("%+v, %v", all, err)
		}
	}
}

// Where a token cannot be known, or not be read or renewed, the kind of error says so.
func TestOwnTokenCannotTell(t *testing.T) {
	t.Parallel()
	old := newWorld(t, terraformd.Options{Version: "v202410-1", Missing: terraformd.Missing{AuthTokenLink: true, TeamTokens: true}}, front.Options{})
	own, err := old.with(t, secret.New("token-owner")).OwnToken(t.Context())
	if !errors.Is(err, tfe.ErrUnsupported) || own.Owner.Kind != tfe.UserToken {
		t.Errorf("an older release: %+v, %v", own, err)
	}
	narrow := newWorld(t, terraformd.Options{Choices: terraformd.Choices{TeamTokenManagesNone: true}}, front.Options{})
	c := narrow.with(t, narrow.teamToken(t))
	own, err = c.OwnToken(t.Context())
	if !errors.Is(err, tfe.ErrForbidden) || own.ID == "" || own.Owner.Kind != tfe.TeamToken {
		t.Errorf("a team that may not manage its tokens: %+v, %v", own, err)
	}
	if _, _, err := c.CreateAPIToken(t.Context(), own.Owner, "second", time.Time{}); !errors.Is(err, tfe.ErrUnsupported) {
		t.Errorf("renewing it: %v", err)
	}
	if _, _, err := c.CreateAPIToken(t.Context(), tfe.Owner{Kind: tfe.OrganizationToken, ID: "acme"}, "second", time.Time{}); !errors.Is(err, tfe.ErrUnsupported) {
		t.Errorf("a second token of an organization: %v", err)
	}
}

// A token of a team that was not made, or whose answer was lost, is told apart.
func TestCreateAPITokenLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, front.Options{})
	c := w.with(t, w.teamToken(t))
	own, err := c.OwnToken(t.Context())
	must(t, err)
	w.order(t, front.Fault{Kind: front.LoseAnswer, Method: "POST", Path: "authentication-tokens"})
	if _, _, err := c.CreateAPIToken(t.Context(), own.Owner, "second", time.Time{}); !errors.Is(err, tfe.ErrUnknownOutcome) {
		t.Errorf("a lost answer: %v", err)
	}
	all, err := c.APITokens(t.Context(), own.Owner)
	if err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}
