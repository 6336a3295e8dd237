package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
)

// moveWorkspaces gives workspaces this connection's OAuth token. Those that
// have it already, and those that somebody took off the other client meanwhile,
// are left alone.
func (r *runner) moveWorkspaces(ctx context.Context, s plan.MoveWorkspaces) error {
	client, found, err := r.authorized(ctx)
	if err != nil {
		return err
	}
	if err := r.checkUser(found); err != nil {
		return err
	}
	using, err := r.users(ctx, client, s)
	if err != nil {
		return err
	}
	wave := wave{terraform: client, to: found.Token.ID, fenced: r.held.Err}
	if err := wave.carry(ctx, using); err != nil {
		return err
	}
	r.tell(s, wave)
	return nil
}

// tell says how far the fetches are known to have gone.
func (r *runner) tell(s plan.MoveWorkspaces, w wave) {
	const look = "look at their newest configuration version"
	if len(w.silent) > 0 {
		r.warn(s, "Terraform did not begin within %s to fetch the repositories of %s: %s", beginTime, sample(w.silent), look)
	}
	if len(w.slow) > 0 {
		r.warn(s, "Terraform did not come within %s to the end of fetching the repositories of %s: %s", fetchTime, sample(w.slow), look)
	}
	r.proof = fmt.Sprintf("%d moved, of %d Terraform fetched the repository", len(w.moved), len(w.moved)-len(w.silent)-len(w.slow))
}

// users returns those of the step's workspaces that still use the other client.
func (r *runner) users(ctx context.Context, client *tfe.Client, s plan.MoveWorkspaces) ([]tfe.Workspace, error) {
	clients, err := client.Clients(ctx, r.Organization)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(clients, func(c tfe.OAuthClient) bool { return c.ID == s.From })
	if i < 0 || clients[i].Token == nil {
		return nil, fmt.Errorf("OAuth client %s, or its token, is gone: plan again", s.From)
	}
	using, err := client.WorkspacesByToken(ctx, r.Organization, clients[i].Token.ID)
	return slices.DeleteFunc(using, func(w tfe.Workspace) bool { return !slices.Contains(s.Names, w.Name) }), err
}
