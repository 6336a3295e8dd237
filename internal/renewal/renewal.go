// Package renewal replaces an API token of Terraform that is kept in Vault, so that at
// every moment the one in Vault works: a second token is created, proven, stored, and
// only then the first one is deleted. A note beside the token in Vault says which
// tokens a renewal is about, so that one that was interrupted is resumed.
package renewal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
)

// noteSuffix names the field of the note: token_renewal beside token.
const noteSuffix = "_renewal"

// A note says which tokens a renewal is about. It holds no secret.
type note struct {
	Old string `json:"old"` // id
	New string `json:"new"` // description
}

// Vault keeps the token.
type Vault interface {
	ReadStored(ctx context.Context, ref string) (vault.StoredSecret, error)
	WriteStored(ctx context.Context, s vault.StoredSecret) (vault.StoredSecret, error)
}

// A Renewal is of one token.
type Renewal struct {
	System string // terraform.hcp
	Place  string // Vault's reference to the token
	Fleet  string
	Vault  Vault
	Open   func(ctx context.Context, token secret.Text) (*tfe.Client, error)
	Now    func() time.Time
	Done   func(what string) // called after each step; what was done
}

// A State is what was found of a token before it is renewed.
type State struct {
	Token   tfe.APIToken
	Resumes bool // a renewal was interrupted after the new token was stored

	stored vault.StoredSecret
	note   note
}

// A RefusedError says that a token cannot be renewed safely, and what to do instead.
type RefusedError struct{ Reason, Remedy string }

func (e *RefusedError) Error() string { return e.Reason + ": " + e.Remedy }

// Look reads what there is. It changes nothing.
func (r Renewal) Look(ctx context.Context) (State, error) {
	stored, err := r.Vault.ReadStored(ctx, r.Place)
	if err != nil {
		return State{}, fmt.Errorf("reading the API token of %s: %w", r.System, err)
	}
	s := State{stored: stored}
	if text := stored.Note(noteSuffix); text != "" && json.Unmarshal([]byte(text), &s.note) != nil {
		return State{}, fmt.Errorf("vault:%s%s is not a note of bbsync: delete the field, and check in Terraform that the owner of the token has no token too many", r.Place, noteSuffix)
	}
	client, close, err := r.with(ctx, stored)
	if err != nil {
		return State{}, err
	}
	defer close()
	s.Token, err = client.OwnToken(ctx)
	if refused := refusal(s.Token.Owner, err); refused != nil {
		return State{}, refused
	}
	s.Resumes = s.note.New != "" && s.Token.Description == s.note.New
	return s, err
}

// manually is what can always be done instead.
const manually = "create another token in Terraform, store it in Vault in place of this one, and delete this one"

// refusal returns why a token cannot be renewed, nil if it can.
func refusal(owner tfe.Owner, err error) error {
	switch {
	case owner.Kind == tfe.OrganizationToken:
		return &RefusedError{
			Reason: "it is the token of organization " + owner.ID + ", of which there is one only: a new one would end it at once",
			Remedy: "give bbsync the token of a team that manages VCS settings, or create a new organization token in Terraform and store it in Vault while no other run is under way",
		}
	case errors.Is(err, tfe.ErrUnsupported):
		return &RefusedError{Reason: "this release of Terraform does not say which token is used, so that the old one could not be deleted", Remedy: manually}
	case errors.Is(err, tfe.ErrForbidden):
		return &RefusedError{Reason: "the token may not read itself, so that the old one could not be deleted", Remedy: "let the team manage its tokens (\"Manage teams\", or its setting for member token management); or " + manually}
	}
	return nil
}

func (r Renewal) with(ctx context.Context, stored vault.StoredSecret) (_ *tfe.Client, close func(), _ error) {
	token, err := stored.Value()
	if err != nil {
		return nil, nil, err
	}
	client, err := r.Open(ctx, token)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", r.System, err)
	}
	return client, client.Close, nil
}

// Run renews the token that Look found, or finishes the renewal that was interrupted.
func (r Renewal) Run(ctx context.Context, s State) error {
	client, close, err := r.with(ctx, s.stored)
	if err != nil {
		return err
	}
	defer close()
	if s.Resumes {
		return r.finish(ctx, client, nil, s.stored, s.note.Old)
	}
	r.clear(ctx, client, s)
	fresh := note{Old: s.Token.ID, New: fmt.Sprintf("bbsync, fleet %s, %s %s", r.Fleet, r.Now().UTC().Format(time.DateOnly), rand.Text()[:8])}
	encoded, err := json.Marshal(fresh)
	if err != nil {
		return err
	}
	stored, err := r.Vault.WriteStored(ctx, s.stored.WithNote(noteSuffix, string(encoded)))
	if err != nil {
		return fmt.Errorf("noting the renewal beside the token, so that it can be resumed: %w; nothing was changed in Terraform", err)
	}
	next, close, stored, err := r.replace(ctx, client, s.Token, fresh, stored)
	if err != nil {
		return err
	}
	defer close()
	return r.finish(ctx, next, client, stored, s.Token.ID)
}

// clear deletes what a renewal left that was interrupted before its token was stored:
// a token that nobody knows. Where it cannot be found, its owner's list shows it.
func (r Renewal) clear(ctx context.Context, client *tfe.Client, s State) {
	if s.note.New == "" {
		return
	}
	all, err := client.APITokens(ctx, s.Token.Owner)
	if i := slices.IndexFunc(all, func(t tfe.APIToken) bool { return t.Description == s.note.New }); err == nil && i >= 0 {
		err = client.DeleteAPIToken(ctx, all[i].ID)
	}
	if err != nil {
		r.done(fmt.Sprintf("an interrupted renewal may have left the token %q, which could not be looked for (%v): delete it in Terraform if it is there", s.note.New, err))
	}
}

// replace creates the second token, proves it, and stores it.
func (r Renewal) replace(ctx context.Context, client *tfe.Client, old tfe.APIToken, fresh note, stored vault.StoredSecret) (*tfe.Client, func(), vault.StoredSecret, error) {
	made, text, err := client.CreateAPIToken(ctx, old.Owner, fresh.New, r.end(old))
	if errors.Is(err, tfe.ErrUnsupported) {
		_, _ = r.Vault.WriteStored(ctx, stored.WithNote(noteSuffix, "")) // the next run reads the note otherwise
		return nil, nil, stored, &RefusedError{Reason: err.Error(), Remedy: manually}
	}
	if err != nil {
		return nil, nil, stored, err
	}
	r.done("created a second token, " + made.ID)
	next, err := r.prove(ctx, text, made)
	if err != nil {
		return nil, nil, stored, errors.Join(fmt.Errorf("the new token does not work, and was not stored: %w", err), client.DeleteAPIToken(ctx, made.ID))
	}
	r.done("verified that it works")
	stored, err = r.store(ctx, stored, text)
	if err != nil {
		next.Close()
		if errors.Is(err, vault.ErrConflict) { // it is certain that nobody knows the new one
			err = errors.Join(err, client.DeleteAPIToken(ctx, made.ID))
		}
		return nil, nil, stored, err
	}
	r.done("stored it in Vault")
	return next, next.Close, stored, nil
}

// end is when the new token is to end: it lives as long as the old one did, which its
// organization's limits allow. A token without an end leaves it to Terraform.
func (r Renewal) end(old tfe.APIToken) time.Time {
	if old.Expires.IsZero() || old.Created.IsZero() {
		return time.Time{}
	}
	return r.Now().Add(old.Expires.Sub(old.Created))
}

func (r Renewal) prove(ctx context.Context, text secret.Text, made tfe.APIToken) (*tfe.Client, error) {
	next, err := r.Open(ctx, text)
	if err != nil {
		return nil, err
	}
	seen, err := next.OwnToken(ctx)
	if err == nil && (seen.ID != made.ID || seen.Owner != made.Owner) {
		err = fmt.Errorf("it is taken for token %s of %s %s", seen.ID, seen.Owner.Kind, seen.Owner.ID)
	}
	if err != nil {
		next.Close()
		return nil, err
	}
	return next, nil
}

// store stores the token and reads it back as every other run will.
func (r Renewal) store(ctx context.Context, stored vault.StoredSecret, text secret.Text) (vault.StoredSecret, error) {
	stored, err := r.Vault.WriteStored(ctx, stored.With(text))
	if err != nil {
		return stored, fmt.Errorf("storing the new token: %w; the token in Vault is still in use; run again", err)
	}
	back, err := r.Vault.ReadStored(ctx, r.Place)
	if err != nil {
		return stored, fmt.Errorf("reading the new token back: %w; run again to finish", err)
	}
	if value, err := back.Value(); err != nil || !value.Equal(text) {
		return stored, fmt.Errorf("vault:%s holds another token than the one that was just stored: someone else changed it; run again", r.Place)
	}
	return back, nil
}

// finish deletes the old token with the new one, sees that it is refused where it is
// still known, and removes the note.
func (r Renewal) finish(ctx context.Context, next, old *tfe.Client, stored vault.StoredSecret, id string) error {
	if err := next.DeleteAPIToken(ctx, id); err != nil && !errors.Is(err, tfe.ErrNotFound) {
		return fmt.Errorf("deleting the old token, %s: %w; the new one is in use; run again to finish", id, err)
	}
	if old != nil {
		if _, err := old.OwnToken(ctx); !errors.Is(err, tfe.ErrUnauthorized) {
			return fmt.Errorf("the old token, %s, was deleted and is not refused (%w): delete it in Terraform; the new one is in use", id, orNothing(err))
		}
	}
	r.done("deleted the old token, " + id)
	if _, err := r.Vault.WriteStored(ctx, stored.WithNote(noteSuffix, "")); err != nil {
		return fmt.Errorf("removing the note of the renewal: %w; the new token is in use; run again to finish", err)
	}
	return nil
}

var errStillWorks = errors.New("it still works")

func orNothing(err error) error {
	if err == nil {
		return errStillWorks
	}
	return err
}

func (r Renewal) done(what string) {
	if r.Done != nil {
		r.Done(what)
	}
}
