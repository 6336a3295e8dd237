package bitbucket

import (
	"context"
	"errors"
	"net/http"
	"sync"
)

// credentialGuard keeps the account from being locked. Bitbucket locks an account
// behind a CAPTCHA after a few wrong passwords. So requests go one at a time until
// one of them has logged in, and after a refused password no more are sent.
type credentialGuard struct {
	turn chan struct{} // holds one token: the turn to try the password

	mu     sync.Mutex
	proven bool
	shut   *Error // why no more requests are sent
}

func newCredentialGuard() *credentialGuard {
	g := &credentialGuard{turn: make(chan struct{}, 1)}
	g.turn <- struct{}{}
	return g
}

// state returns whether the password is known to be right, and why no more requests
// are sent.
func (g *credentialGuard) state() (proven bool, shut *Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.proven, g.shut
}

// enter waits for the right to send a request. leave must be called with its
// outcome.
func (g *credentialGuard) enter(ctx context.Context) (leave func(met bool, err error), shut *Error, err error) {
	proven, shut := g.state()
	if shut != nil || proven {
		return g.note, shut, nil
	}
	select {
	case <-g.turn:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	back := func() { g.turn <- struct{}{} }
	if proven, shut = g.state(); shut != nil || proven {
		back()
		return g.note, shut, nil
	}
	return func(met bool, err error) {
		g.note(met, err)
		back()
	}, nil, nil
}

// note learns from an outcome. met: the server's answer shows that the account
// was let in.
func (g *credentialGuard) note(met bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var refusal *Error
	if errors.As(err, &refusal) && (refusesAccount(err) ||
		errors.Is(err, ErrGateway) && refusal.Status == http.StatusUnauthorized) {
		g.shut = refusal
		return
	}
	g.proven = g.proven || met
}
