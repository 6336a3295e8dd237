package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/bbsync/bbsync/internal/tfe"
)

const (
	fetchTime  = 2 * time.Minute        // a fetch that takes longer is told, and not waited for
	beginTime  = 10 * time.Second       // in which a Terraform that fetches at all begins to
	firstPause = 100 * time.Millisecond // between two looks; each is twice as long as the one before,
	longPause  = time.Second            // up to this
	backTime   = 2 * time.Minute        // in which a wave is moved back
)

// workspaces is what a wave asks of Terraform.
type workspaces interface {
	MoveWorkspace(ctx context.Context, id, tokenID string) error
	NewestVersion(ctx context.Context, workspaceID string) (tfe.ConfigurationVersion, error)
}

// A wave is what is moved together.
type wave struct {
	terraform workspaces
	to        string       // id of the OAuth token
	fenced    func() error // why nothing may be written any more; nil: it may
	moved     []movedWorkspace
	silent    []string // names of those that Terraform did not begin to fetch
	slow      []string // names of those whose fetch had no end in time
}

type movedWorkspace struct {
	tfe.Workspace        // as it was
	version       string // id of its newest configuration version then, "" for none
}

// carry moves workspaces and waits until Terraform has fetched the repository of
// each with the other token. When one cannot be moved or fetched, or the run is
// aborted, all of them go back.
func (w *wave) carry(ctx context.Context, some []tfe.Workspace) error {
	for _, have := range some {
		if err := w.move(ctx, have); err != nil {
			return w.back(ctx, err)
		}
	}
	began := time.Now()
	for _, m := range w.moved {
		if err := w.fetched(ctx, m, began); err != nil {
			return w.back(ctx, err)
		}
	}
	return nil
}

func (w *wave) move(ctx context.Context, have tfe.Workspace) error {
	before, err := w.terraform.NewestVersion(ctx, have.ID)
	if err != nil {
		return fmt.Errorf("workspace %s: %w", have.Name, err)
	}
	w.moved = append(w.moved, movedWorkspace{Workspace: have, version: before.ID}) // before the write: its answer may be lost
	if err := w.terraform.MoveWorkspace(ctx, have.ID, w.to); err != nil {
		return fmt.Errorf("workspace %s on %s: %w", have.Name, have.Identifier, err)
	}
	return nil
}

// fetched waits for the end of one fetch. The time is for the whole wave, and each
// workspace is looked at once, also when it is over: what failed is never told as
// not known.
func (w *wave) fetched(ctx context.Context, m movedWorkspace, began time.Time) error {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		v, err := w.terraform.NewestVersion(ctx, m.ID)
		if err != nil {
			return fmt.Errorf("workspace %s: %w", m.Name, err)
		}
		fresh, waited := v.ID != m.version, time.Since(began)
		switch {
		case fresh && v.Status == "errored":
			return fmt.Errorf("workspace %s: Terraform could not fetch %s with the new OAuth client: %s", m.Name, m.Identifier, v.Error)
		case fresh && v.Status != "fetching" && v.Status != "pending":
			return nil
		case !fresh && waited >= beginTime:
			w.silent = append(w.silent, m.Name)
			return nil
		case waited >= fetchTime:
			w.slow = append(w.slow, m.Name)
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("workspace %s: waiting for its fetch: %w", m.Name, ctx.Err())
		}
	}
}

// back undoes the wave, so that nobody is left with what does not work. It does
// so when the run is aborted, too, but not when somebody else has the lease: what
// is to be done with these workspaces is then theirs to say.
func (w *wave) back(ctx context.Context, why error) error {
	if len(w.moved) == 0 {
		return why
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), backTime)
	defer cancel()
	stuck := 0
	for _, m := range w.moved {
		if w.fenced() != nil {
			return fmt.Errorf("%w; the workspaces of this wave stay as they are, as the lease is lost", why)
		}
		if err := w.terraform.MoveWorkspace(ctx, m.ID, m.TokenID); err != nil {
			stuck++
			why = fmt.Errorf("%w; and it could not be moved back: workspace %s: %w", why, m.Name, err)
		}
	}
	switch stuck {
	case 0:
		return fmt.Errorf("%w; the workspaces of this wave use the old OAuth client again", why)
	case len(w.moved):
		return why
	}
	return fmt.Errorf("%w; the others of this wave use the old OAuth client again", why)
}
