package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
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
	w := wave{terraform: client, to: found.Token.ID, note: r.noteMoving(found.Token.ID), fenced: r.held.Err}
	err = w.carry(ctx, using)
	return r.settle(ctx, s, w, err)
}

// proveFetched sees a wave to its end that a run had begun: what it had moved is
// looked at, and goes back when Terraform could not fetch it. Where that cannot be
// told the record keeps the note, for the next run to look again.
func (r *runner) proveFetched(ctx context.Context, s plan.ProveFetched) error {
	noted := r.held.Record().Moving
	if noted == nil {
		return nil
	}
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	using, err := client.WorkspacesByToken(ctx, r.Organization, noted.To)
	if err != nil {
		return err
	}
	w := wave{terraform: client, to: noted.To, fenced: r.held.Err, moved: stillMoved(noted, using)}
	err = w.see(ctx)
	switch _, failed := errors.AsType[*fetchError](err); {
	case failed && s.Back == "":
		r.warn(s, "%v; the OAuth client that it used is gone", err)
		return r.unproven(ctx, s, w)
	case failed:
		err = w.back(ctx, err)
	case err != nil:
		w.open = true
	}
	return r.settle(ctx, s, w, err)
}

// unproven settles a wave of which not every repository was fetched, though nothing
// goes back.
func (r *runner) unproven(ctx context.Context, s plan.ProveFetched, w wave) error {
	err := r.settle(ctx, s, w, nil)
	r.proof = "none: Terraform did not fetch the repository of every workspace"
	return err
}

// stillMoved returns those of the noted workspaces that use the other token, as
// they were: some may not have been moved, and people may have moved others.
func stillMoved(noted *record.Moving, using []tfe.Workspace) []movedWorkspace {
	var out []movedWorkspace
	for _, m := range noted.Workspaces {
		i := slices.IndexFunc(using, func(w tfe.Workspace) bool { return w.ID == m.ID })
		if i < 0 {
			continue
		}
		was := movedWorkspace{Workspace: using[i], version: m.Version}
		was.TokenID = noted.From
		out = append(out, was)
	}
	return out
}

// noteMoving returns what notes a wave in the record.
func (r *runner) noteMoving(to string) func(context.Context, []movedWorkspace) error {
	return func(ctx context.Context, some []movedWorkspace) error {
		if len(some) == 0 {
			return nil
		}
		moving := &record.Moving{From: some[0].TokenID, To: to}
		for _, m := range some {
			moving.Workspaces = append(moving.Workspaces, record.MovingWorkspace{ID: m.ID, Name: m.Name, Version: m.version})
		}
		return r.setMoving(ctx, moving)
	}
}

// setMoving notes the wave that is under way, nil for none.
func (r *runner) setMoving(ctx context.Context, moving *record.Moving) error {
	return r.held.Update(ctx, func(rec *record.Record) error {
		rec.Moving = moving
		return nil
	})
}

// settle ends a wave: the note goes when nothing of it is open, also when the run
// is aborted.
func (r *runner) settle(ctx context.Context, s plan.Step, w wave, why error) error {
	if !w.open && r.held.Record().Moving != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
		defer cancel()
		why = errors.Join(why, r.setMoving(ctx, nil))
	}
	if why == nil {
		r.tell(s, w)
	}
	return why
}

// tell says how far the fetches are known to have gone.
func (r *runner) tell(s plan.Step, w wave) {
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
func (r *runner) users(ctx context.Context, client terraformServer, s plan.MoveWorkspaces) ([]tfe.Workspace, error) {
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
