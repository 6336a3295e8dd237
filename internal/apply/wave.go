package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
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
	to        string                                        // id of the OAuth token
	note      func(context.Context, []movedWorkspace) error // keeps what is about to be moved, for whoever goes on after a crash
	fenced    func() error                                  // why nothing may be written any more; nil: it may
	moved     []movedWorkspace
	silent    []string // names of those that Terraform did not begin to fetch
	slow      []string // names of those whose fetch had no end in time
	open      bool     // some were neither seen to be fetched, or told, nor moved back: what was noted of them holds
}

type movedWorkspace struct {
	tfe.Workspace        // as it was
	version       string // id of its newest configuration version then, "" for none
}

// carry moves workspaces and waits until Terraform has fetched the repository of
// each with the other token. When one cannot be moved or fetched, or the run is
// aborted, all of them go back.
func (w *wave) carry(ctx context.Context, some []tfe.Workspace) error {
	before, err := w.before(ctx, some)
	if err != nil {
		return err
	}
	if err := w.note(ctx, before); err != nil {
		return err
	}
	for _, m := range before {
		w.moved = append(w.moved, m) // before the write: its answer may be lost
		if err := w.terraform.MoveWorkspace(ctx, m.ID, w.to); err != nil {
			return w.back(ctx, fmt.Errorf("workspace %s on %s: %w", m.Name, m.Identifier, err))
		}
	}
	if err := w.see(ctx); err != nil {
		return w.back(ctx, err)
	}
	return nil
}

// before returns the workspaces with what tells a later fetch from an earlier one.
func (w *wave) before(ctx context.Context, some []tfe.Workspace) ([]movedWorkspace, error) {
	out := make([]movedWorkspace, len(some))
	for i, have := range some {
		newest, err := w.terraform.NewestVersion(ctx, have.ID)
		if err != nil {
			return nil, fmt.Errorf("workspace %s: %w", have.Name, err)
		}
		out[i] = movedWorkspace{Workspace: have, version: newest.ID}
	}
	return out, nil
}

// see waits for the fetches of what was moved.
func (w *wave) see(ctx context.Context) error {
	began := time.Now()
	for _, m := range w.moved {
		if err := w.fetched(ctx, m, began); err != nil {
			return err
		}
	}
	return nil
}

// A fetchError is a fetch that Terraform says has failed.
type fetchError struct {
	workspace movedWorkspace
	why       string
}

func (e *fetchError) Error() string {
	return fmt.Sprintf("workspace %s: Terraform could not fetch %s with the new OAuth client: %s", e.workspace.Name, e.workspace.Identifier, e.why)
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
			return &fetchError{m, v.Error}
		case fresh && v.Status != "fetching" && v.Status != "pending":
			return nil
		case !fresh && waited >= beginTime:
			w.silent = append(w.silent, m.Name)
			return nil
		case waited >= fetchTime:
			w.slow = append(w.slow, m.Name)
			return nil
		}
		if err := httpx.Sleep(ctx, pause); err != nil {
			return fmt.Errorf("workspace %s: waiting for its fetch: %w", m.Name, err)
		}
	}
}

// back undoes the wave, so that nobody is left with what does not work. It does
// so when the run is aborted, too, but not when somebody else has the lease: what
// is to be done with these workspaces is then theirs to say.
func (w *wave) back(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), backTime)
	defer cancel()
	stuck := 0
	for _, m := range w.moved {
		if w.fenced() != nil {
			w.open = true
			return fmt.Errorf("%w; the workspaces of this wave stay as they are, as the lease is lost", why)
		}
		if err := w.terraform.MoveWorkspace(ctx, m.ID, m.TokenID); err != nil {
			stuck++
			why = fmt.Errorf("%w; and it could not be moved back: workspace %s: %w", why, m.Name, err)
		}
	}
	w.open = stuck > 0
	switch stuck {
	case 0:
		return fmt.Errorf("%w; the workspaces of this wave use the old OAuth client again", why)
	case len(w.moved):
		return why
	}
	return fmt.Errorf("%w; the others of this wave use the old OAuth client again", why)
}
