package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
)

// authorize waits for the person, where somebody waits; else it ends the
// connection until the next run.
func (r *runner) authorize(ctx context.Context, s plan.Authorize) error {
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	found, err := r.findClient(ctx, client)
	if err != nil {
		return err
	}
	before := tokenID(found)
	if before != "" && !s.Again {
		return r.checkUser(found)
	}
	wait := r.wait(s, found)
	if r.opts.Await == nil {
		return &waitError{wait}
	}
	return r.opts.Await(ctx, wait, func(ctx context.Context) (bool, error) {
		now, err := r.findClient(ctx, client)
		if err != nil || now.Token == nil || s.Again && !r.renewed(ctx, client, before, now) {
			return false, err
		}
		return true, r.checkUser(now)
	})
}

// renewed reports whether a person has authorized again: there is another
// token, or the same one works, as nothing documents which of the two happens.
func (r *runner) renewed(ctx context.Context, client *tfe.Client, before string, now tfe.OAuthClient) bool {
	if now.Token.ID != before {
		return true
	}
	if r.held.Record().RefusedToken != before {
		return r.checkUser(now) == nil
	}
	_, err := client.AuthorizedRepos(ctx, now.Token.ID)
	return err == nil
}

func (r *runner) wait(s plan.Authorize, c tfe.OAuthClient) Wait {
	return Wait{
		Address: r.Address, Organization: r.Organization, Client: s.Client, User: s.User,
		Bitbucket: r.BitbucketURL, URL: c.ConnectURL, Again: s.Again,
	}
}

// checkUser returns an error when somebody other than the service user clicked
// Allow.
func (r *runner) checkUser(c tfe.OAuthClient) error {
	if c.Token == nil || c.Token.User == "" || strings.EqualFold(c.Token.User, r.ServiceUser) || slices.Contains(r.UserNames, c.Token.User) {
		return nil
	}
	return fmt.Errorf("%q was authorized as %s, not as %s: Terraform would act on Bitbucket as %s. "+
		"Revoke the connection in the organization's VCS provider settings, log in to Bitbucket as %s, and connect again",
		c.Name, c.Token.User, r.ServiceUser, c.Token.User, r.ServiceUser)
}

func tokenID(c tfe.OAuthClient) string {
	if c.Token == nil {
		return ""
	}
	return c.Token.ID
}

// setTokenKey gives Terraform the private half, then notes what was set where:
// Terraform tells only that there is a key.
func (r *runner) setTokenKey(ctx context.Context, s plan.SetTokenKey) error {
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	key, err := r.sshKey(s.Role)
	if err != nil {
		return err
	}
	found, err := r.findClient(ctx, client)
	if err != nil {
		return err
	}
	if found.Token == nil {
		return errors.New("the OAuth token is gone; plan again")
	}
	if err := r.checkUser(found); err != nil {
		return err
	}
	if err := client.SetSSHKey(ctx, found.Token.ID, key.Private); err != nil {
		return err
	}
	return r.held.Update(ctx, func(record *vault.Record) error {
		if k := *slot(record, s.Role); k != nil {
			k.Token, k.Set = found.Token.ID, time.Now().UTC()
		}
		record.RefusedToken = ""
		return nil
	})
}

// proveRepositories asks Terraform to ask Bitbucket, with the token. Older
// versions cannot be asked; then nothing is known, and nothing is claimed.
func (r *runner) proveRepositories(ctx context.Context, s plan.ProveRepositories) error {
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	found, err := r.findClient(ctx, client)
	if err != nil {
		return err
	}
	if found.Token == nil {
		return errors.New("the OAuth token is gone; plan again")
	}
	seen, err := client.AuthorizedRepos(ctx, found.Token.ID)
	switch {
	case errors.Is(err, tfe.ErrUnsupported):
		r.warn(s, "this Terraform cannot tell which repositories it sees; the first workspace will show")
		return nil
	case errors.Is(err, tfe.ErrTokenRefused):
		return r.tokenRefused(ctx, found)
	case err != nil:
		return err
	}
	for _, want := range s.Repositories {
		if !slices.ContainsFunc(seen, func(name string) bool { return strings.EqualFold(name, want) }) {
			return fmt.Errorf("Terraform does not see %s; it sees %s", want, sample(seen))
		}
	}
	return nil
}

// tokenRefused notes that the token is dead, so that the next plan asks for a
// person, and ends the connection.
func (r *runner) tokenRefused(ctx context.Context, c tfe.OAuthClient) error {
	err := r.held.Update(ctx, func(record *vault.Record) error {
		record.RefusedToken = c.Token.ID
		return nil
	})
	if err != nil {
		return err
	}
	wait := r.wait(plan.Authorize{Client: r.Client, User: r.ServiceUser, Again: true}, c)
	wait.Why = "Bitbucket refuses the OAuth token that Terraform holds"
	return &waitError{wait}
}
