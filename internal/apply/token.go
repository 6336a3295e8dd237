package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/tfe"
)

// authorize ends the connection until a person has clicked Allow: nobody holds
// a lease while waiting for a person. It is done when the token is there.
func (r *runner) authorize(ctx context.Context, s plan.Authorize) error {
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	found, err := r.findClient(ctx, client)
	if err != nil {
		return err
	}
	if found.Token != nil && !s.Again {
		return r.checkUser(found)
	}
	return &waitError{r.wait(s, found)}
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
	if c.Token == nil || r.ActsAs(c.Token.User) {
		return nil
	}
	return fmt.Errorf("%q was authorized as %s, not as %s: Terraform would act on Bitbucket as %s. "+
		"Revoke the connection in the organization's VCS provider settings, log in to Bitbucket as %s, and connect again",
		c.Name, c.Token.User, r.ServiceUser, c.Token.User, r.ServiceUser)
}

var errTokenGone = errors.New("the OAuth token is gone; plan again")

// authorized returns this connection's OAuth client, which has a token, whoever
// it acts as.
func (r *runner) authorized(ctx context.Context) (terraformServer, tfe.OAuthClient, error) {
	client, err := r.terraformClient(ctx)
	if err != nil {
		return nil, tfe.OAuthClient{}, err
	}
	found, err := r.findClient(ctx, client)
	if err == nil && found.Token == nil {
		err = errTokenGone
	}
	return client, found, err
}

// setTokenKey gives Terraform the private half, then notes what was set where:
// Terraform tells only that there is a key. Whose client it is is noted before, as
// a run that made it may have been cut off: should somebody change its consumer key,
// nothing else would tell that it holds ours.
func (r *runner) setTokenKey(ctx context.Context, s plan.SetTokenKey) error {
	key, err := r.sshKey(s.Role)
	if err != nil {
		return err
	}
	client, found, err := r.authorized(ctx)
	if err != nil {
		return err
	}
	if err := r.checkUser(found); err != nil {
		return err
	}
	if err := r.noteClient(ctx, found.ID); err != nil {
		return err
	}
	if err := client.SetSSHKey(ctx, found.Token.ID, key.Private); err != nil {
		return err
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		if k := rec.SSH.Pending; k != nil {
			k.Token, k.SwitchNoted = "", true // the token does not hold it any more, if a switch was cut off
		}
		if k := *slot(rec, s.Role); k != nil {
			k.Token, k.Set = found.Token.ID, r.now()
		}
		r.noteAuthorized(rec, found.Token)
		return nil
	})
}

// noteAuthorized notes whose token it is: it was checked to be the service user's.
func (r *runner) noteAuthorized(rec *record.Record, token *tfe.Token) {
	if token.User != "" && r.UserID != 0 {
		rec.Authorized = &record.Authorized{Token: token.ID, User: token.User, Account: r.UserID}
	}
}

// doubtToken notes, before a change that the OAuth token may not outlive, that
// it is to be proven: should the run be cut off, the next plan still knows.
// Whether a token outlives a new key pair is not documented; a deleted link it
// does not outlive.
func (r *runner) doubtToken(ctx context.Context) error {
	current := r.held.Record().SSH.Current
	if current == nil || current.Token == "" || r.held.Record().RefusedToken == current.Token {
		return nil
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		rec.RefusedToken = current.Token
		return nil
	})
}

// trustToken ends the doubt.
func (r *runner) trustToken(ctx context.Context) error {
	if r.held.Record().RefusedToken == "" {
		return nil
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		rec.RefusedToken = ""
		return nil
	})
}

// proveRepositories asks Terraform to ask Bitbucket, with the token. Older
// versions cannot be asked; then nothing is known, and nothing is claimed.
func (r *runner) proveRepositories(ctx context.Context, s plan.ProveRepositories) error {
	client, found, err := r.authorized(ctx)
	if err != nil {
		return err
	}
	seen, err := client.AuthorizedRepos(ctx, found.Token.ID)
	switch {
	case errors.Is(err, tfe.ErrUnsupported):
		r.warn(s, "this Terraform cannot tell whether the OAuth token works and which repositories it sees; should a workspace not reach Bitbucket, authorize again")
		r.proof = "none: this Terraform cannot tell"
		return r.trustToken(ctx)
	case errors.Is(err, tfe.ErrTokenRefused):
		return r.tokenRefused(ctx, found)
	case err != nil:
		return err
	}
	for _, want := range s.Repositories {
		if !slices.ContainsFunc(seen, func(name string) bool { return names.SameRepository(name, want) }) {
			return fmt.Errorf("of the repositories, Terraform does not see %s; it sees %s", want, sample(seen))
		}
	}
	r.proof = fmt.Sprintf("Terraform sees %d repositories, those of the connection among them", len(seen))
	return r.trustToken(ctx)
}

// tokenRefused notes that the token is dead, so that the next plan asks for a
// person, and ends the connection.
func (r *runner) tokenRefused(ctx context.Context, c tfe.OAuthClient) error {
	err := r.held.Update(ctx, func(rec *record.Record) error {
		rec.RefusedToken = c.Token.ID
		return nil
	})
	if err != nil {
		return err
	}
	wait := r.wait(plan.Authorize{Client: r.Client, User: r.ServiceUser, Again: true}, c)
	wait.Why = "Bitbucket refuses the OAuth token that Terraform holds"
	return &waitError{wait}
}
