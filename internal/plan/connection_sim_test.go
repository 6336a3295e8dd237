package plan_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/plan"
)

// errWentBack ends a round: the repositories of a wave could not be fetched, and the
// workspaces are where they were.
var errWentBack = fmt.Errorf("%w: the wave went back", errRefused)

// describe has the record say what the connection is, as every apply does that does
// not remove it.
func (w *world) describe() {
	r := w.record
	if r == nil || w.leaves || w.elsewhere {
		return
	}
	if r.ssh == 0 || r.user == "" {
		r.user = w.user
	}
	r.ended, r.protected = "", w.protect
}

// keepRecord carries out the steps that are about the record as a whole.
func (w *world) keepRecord(step plan.AnyStep, cut bool) error {
	r := w.record
	if r == nil {
		return errors.New("there is no record")
	}
	switch s := step.(type) {
	case plan.NoteConnection:
		if s.ServiceUser != "" {
			r.user = s.ServiceUser
		}
		r.protected, r.ended = s.Protect, ""
		r.movedFrom = r.movedFrom && s.MovedFrom == ""
	case plan.MoveRecord:
		return w.moveRecord(s, cut)
	case plan.ForgetRecord:
		r.ended = "forgotten"
	case plan.RetireRecord:
		return w.retireRecord()
	default:
		return fmt.Errorf("%T is not about a record", step)
	}
	return nil
}

// moveRecord may be cut off when the keys are at both paths.
func (w *world) moveRecord(s plan.MoveRecord, cut bool) error {
	have := w.read()
	switch {
	case w.elsewhere:
		if s.Basis != have.Moved.Record.Basis() {
			return errors.New("another record than was planned would be emptied")
		}
		w.behind, w.elsewhere = w.record.clone(), false
		w.record.movedFrom = true
		w.describe()
	case w.behind == nil || s.Basis != have.Before.Record.Basis():
		return errors.New("no record is to be emptied, or another one than was planned")
	}
	if !cut {
		w.behind, w.record.movedFrom = nil, false
	}
	return nil
}

// retireRecord holds the law that keys leave Vault last.
func (w *world) retireRecord() error {
	r := w.record
	for _, pair := range []int{r.pending, r.ssh, r.previous} {
		shared := w.other != nil && w.other.ssh == pair
		if pair != 0 && w.published[pair] != "" && !shared && !r.privateElsewhere[pair] {
			return fmt.Errorf("key %d is on Bitbucket, and goes from Vault", pair)
		}
	}
	if c, err := w.ours(); err == nil {
		return fmt.Errorf("client %s is there, and its keys go from Vault", c.id)
	}
	w.record = &recordKept{user: r.user, protected: r.protected, ended: "retired"}
	return nil
}

// moveWorkspaces holds the law that workspaces move to a token that can clone.
func (w *world) moveWorkspaces(s plan.MoveWorkspaces, cut bool) error {
	c, err := w.ours()
	switch {
	case err != nil:
		return err
	case w.old == nil || s.From != w.old.id:
		return errors.New("the other client is not there as planned")
	case w.record.moving != nil:
		return errors.New("a wave was begun, and nobody has checked how it ended")
	case c.token == nil || c.token.user != w.user || c.token.ssh != w.record.ssh || !w.lets(c.token.ssh):
		return errors.New("workspaces would move to a token that cannot clone")
	}
	for _, name := range s.Names {
		if w.workspaces[name] != w.old.token.id {
			return fmt.Errorf("workspace %s does not use the old client", name)
		}
	}
	if w.unfetchable && !cut {
		w.unfetchable = false
		return errWentBack
	}
	for _, name := range s.Names {
		w.workspaces[name] = c.token.id
	}
	return nil
}

// proveFetched has the wave go back that could not be fetched.
func (w *world) proveFetched(s plan.ProveFetched) error {
	r := w.record
	if len(r.moving) == 0 || !slices.Equal(s.Names, r.moving) {
		return errors.New("no wave was begun, or another one")
	}
	names, from := r.moving, r.movingFrom
	r.moving, r.movingFrom = nil, ""
	if !w.unfetchable {
		return nil
	}
	w.unfetchable = false
	if s.Back == "" {
		return nil
	}
	for _, name := range names {
		if w.workspaces[name] != "" {
			w.workspaces[name] = from
		}
	}
	return errWentBack
}
