package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
)

const (
	fetchTime  = 2 * time.Minute        // a fetch that takes longer is told, and not waited for
	beginTime  = 10 * time.Second       // in which a Terraform that fetches at all begins to
	fetchPause = 500 * time.Millisecond // between two looks
)

// moveWorkspaces gives workspaces this connection's OAuth token. Those that
// have it already, and those that somebody took off the other client meanwhile,
// are left alone.
func (r *runner) moveWorkspaces(ctx context.Context, s plan.MoveWorkspaces) error {
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	found, err := r.findClient(ctx, client)
	if err != nil {
		return err
	}
	if found.Token == nil {
		return errTokenGone
	}
	if err := r.checkUser(found); err != nil {
		return err
	}
	using, err := r.users(ctx, client, s)
	if err != nil {
		return err
	}
	wave := wave{client: client, to: found.Token.ID}
	for _, w := range using {
		if err = wave.move(ctx, w); err != nil {
			break
		}
	}
	if err == nil {
		err = wave.fetched(ctx)
	}
	if err != nil {
		return wave.back(ctx, err)
	}
	if n := len(wave.unknown); n > 0 {
		r.warn(s, "Terraform did not tell within %s that it fetched the repositories of %v: look at their newest configuration version", fetchTime, sample(wave.unknown))
	}
	r.proof = fmt.Sprintf("%d moved, of %d Terraform fetched the repository", len(wave.moved), len(wave.moved)-len(wave.unknown))
	return nil
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

// A wave is what has been moved together.
type wave struct {
	client  *tfe.Client
	to      string // id of the OAuth token
	moved   []movedWorkspace
	unknown []string // names of those of which Terraform did not tell
}

type movedWorkspace struct {
	tfe.Workspace        // as it was
	version       string // id of its newest configuration version then, "" for none
}

func (w *wave) move(ctx context.Context, have tfe.Workspace) error {
	before, err := w.newest(ctx, have.ID)
	if err != nil {
		return fmt.Errorf("workspace %s: %w", have.Name, err)
	}
	w.moved = append(w.moved, movedWorkspace{Workspace: have, version: before.ID}) // before the write: its answer may be lost
	if err := w.client.MoveWorkspace(ctx, have.ID, w.to); err != nil {
		return fmt.Errorf("workspace %s on %s: %w", have.Name, have.Identifier, err)
	}
	return nil
}

func (w *wave) newest(ctx context.Context, workspace string) (tfe.ConfigurationVersion, error) {
	versions, err := w.client.ConfigurationVersions(ctx, workspace)
	if err != nil || len(versions) == 0 {
		return tfe.ConfigurationVersion{}, err
	}
	return versions[0], nil
}

// fetched waits until Terraform has fetched each repository with the other
// token, and returns the first failure. What it does not tell in time is noted.
func (w *wave) fetched(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	began := time.Now()
	for _, m := range w.moved {
		if err := w.waitFetched(ctx, m, began); err != nil {
			return err
		}
	}
	return nil
}

func (w *wave) waitFetched(ctx context.Context, m movedWorkspace, began time.Time) error {
	for {
		v, err := w.newest(ctx, m.ID)
		fresh := err == nil && v.ID != m.version
		switch {
		case err != nil && ctx.Err() == nil:
			return fmt.Errorf("workspace %s: %w", m.Name, err)
		case fresh && v.Status == "errored":
			return fmt.Errorf("workspace %s: Terraform could not fetch %s with the new OAuth client: %s", m.Name, m.Identifier, v.Error)
		case fresh && v.Status != "fetching" && v.Status != "pending":
			return nil
		case !fresh && time.Since(began) > beginTime:
			w.unknown = append(w.unknown, m.Name)
			return nil
		}
		select {
		case <-time.After(fetchPause):
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				w.unknown = append(w.unknown, m.Name)
				return nil
			}
			return ctx.Err()
		}
	}
}

// back undoes the wave, so that nobody is left with what does not work. It does
// so when the run is aborted, too.
func (w *wave) back(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
	defer cancel()
	if len(w.moved) == 0 {
		return why
	}
	for _, m := range w.moved {
		if err := w.client.MoveWorkspace(ctx, m.ID, m.TokenID); err != nil {
			return fmt.Errorf("%w; and it could not be moved back: workspace %s: %w", why, m.Name, err)
		}
	}
	return fmt.Errorf("%w; the workspaces of this wave use the old OAuth client again", why)
}
