package bitbucket

import (
	"context"
	"errors"
	"net/http"
	"sync"
)

// door guards the account. Bitbucket locks an account behind a CAPTCHA after a
// few wrong passwords, so until one request has been let in, requests go one at
// a time, and after a password was refused none goes any more.
type door struct {
	turn chan struct{} // holds one token: the turn of whoever tries the password

	mu     sync.Mutex
	proven bool
	shut   *Error // why it was closed
}

func newDoor() *door {
	d := &door{turn: make(chan struct{}, 1)}
	d.turn <- struct{}{}
	return d
}

// state returns whether the password is known to be right, and why the door is
// closed.
func (d *door) state() (proven bool, shut *Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.proven, d.shut
}

// enter waits for the right to send a request. leave must be called with its
// outcome.
func (d *door) enter(ctx context.Context) (leave func(met bool, err error), shut *Error, err error) {
	proven, shut := d.state()
	if shut != nil || proven {
		return d.note, shut, nil
	}
	select {
	case <-d.turn:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	back := func() { d.turn <- struct{}{} }
	if proven, shut = d.state(); shut != nil || proven {
		back()
		return d.note, shut, nil
	}
	return func(met bool, err error) {
		d.note(met, err)
		back()
	}, nil, nil
}

// note learns from an outcome. met: the server's answer shows that the account
// was let in.
func (d *door) note(met bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var refusal *Error
	if errors.As(err, &refusal) && (refusesAccount(err) ||
		errors.Is(err, ErrGateway) && refusal.Status == http.StatusUnauthorized) {
		d.shut = refusal
		return
	}
	d.proven = d.proven || met
}
