package bitbucket

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// A loginWish is the login that an answer asks for before the request can succeed.
type loginWish int

const (
	wishNothing   loginWish = iota
	wishSession             // Basic authentication is switched off
	wishNewLogin            // the session is over
	wishElevation           // the resource takes a secure administrator session
)

// activeLogin is how requests carry the account: by Basic authentication until Bitbucket
// says that it is switched off, then by a session. One request at a time changes
// it; the others go on, and those that ask for the same change wait and share it.
type activeLogin struct {
	turn chan struct{} // holds one token: the turn of the one that changes the login

	mu       sync.Mutex
	session  *session // nil: Basic authentication
	refused  *Error   // a login that is not tried again
	unraised *Error   // an elevation that is not tried again
}

func newActiveLogin() *activeLogin {
	l := &activeLogin{turn: make(chan struct{}, 1)}
	l.turn <- struct{}{}
	return l
}

func (l *activeLogin) current() *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session
}

// denied returns why a wish is not tried again, nil if it may be.
func (l *activeLogin) denied(wish loginWish) *Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wish == wishElevation && l.unraised != nil {
		return l.unraised
	}
	return l.refused
}

// note keeps the outcome of a change.
func (l *activeLogin) note(s *session, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var e *Error
	switch {
	case err == nil:
		l.session = s
	case !errors.As(err, &e):
	case errors.Is(err, ErrElevation):
		l.unraised = e
	case refusesAccount(err):
		l.refused = e
	}
}

// refusesAccount reports whether an error says that the account cannot log in, so
// that another try would be refused, too, and might lock it.
func refusesAccount(err error) bool {
	return errors.Is(err, ErrCredentials) || errors.Is(err, ErrOAuth) || errors.Is(err, ErrCaptcha) || errors.Is(err, ErrManualLogin) || errors.Is(err, ErrSessionLost)
}

// maxLogins bounds how often one request changes the login: to a session, to a new
// one, and to an elevated one.
const maxLogins = 4

// asAccount sends the request as the account. Where the answer asks for another
// login, the request was not carried out and is sent again with that one.
func (c *Client) asAccount(ctx context.Context, q call, read func(answer) error) (met bool, err error) {
	for try := 1; ; try++ {
		q.session, q.signed = c.fresh(ctx), c.oauth != nil
		met, err = c.once(ctx, q, read)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.wish == wishNothing || try == maxLogins {
			return met, err
		}
		if changeErr := c.changeLogin(ctx, q.session, e.wish); changeErr != nil {
			return met, explainLogin(e, changeErr)
		}
	}
}

// fresh returns the login in use, elevated again where that would end soon. What
// keeps it from being elevated, the request finds out if it needs it.
func (c *Client) fresh(ctx context.Context) *session {
	s := c.login.current()
	if s.endsSoon(c.now()) {
		_ = c.changeLogin(ctx, s, wishElevation)
	}
	return c.login.current()
}

// changeLogin makes the login that the answer to a request sent with was asks for,
// unless another request has changed it since.
func (c *Client) changeLogin(ctx context.Context, was *session, wish loginWish) error {
	select {
	case <-c.login.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { c.login.turn <- struct{}{} }()
	if c.login.current() != was {
		return nil
	}
	if denied := c.login.denied(wish); denied != nil {
		return denied
	}
	s, err := c.makeLogin(ctx, was, wish)
	c.login.note(s, err)
	return err
}

func (c *Client) makeLogin(ctx context.Context, was *session, wish loginWish) (*session, error) {
	switch wish {
	case wishNewLogin:
		return c.keepOrReopen(ctx, was)
	case wishElevation:
		return c.elevate(ctx, was)
	case wishSession, wishNothing:
	}
	return c.openSession(ctx)
}

// explainLogin returns what to say about a request whose login could not be made.
func explainLogin(request *Error, err error) error {
	if e, ok := errors.AsType[*Error](err); ok && errors.Is(err, ErrElevation) {
		refused := request.as(ErrElevation, e.Advice)
		refused.Messages = append(slices.Clip(refused.Messages), e.Messages...)
		return refused
	}
	return err
}

// A LoginState describes the login in use.
type LoginState struct {
	Session      bool      // neither this nor OAuth: Basic authentication
	SecondFactor bool      // the session was opened with a code
	Elevated     time.Time // when the secure administrator session began; zero: there is none
	OAuth        bool      // requests are signed by OAuth 1.0a
	Made, Ends   time.Time // when the OAuth token was made and ends; zero: not known, or no OAuth
}

// ElevationLife is how long a secure administrator session lasts unless the
// server's websudo.session.timeout says otherwise.
const ElevationLife = 10 * time.Minute

// LoginState returns the login in use.
func (c *Client) LoginState() LoginState {
	s := c.login.current()
	switch {
	case c.oauth != nil:
		return LoginState{OAuth: true, Made: c.oauth.Made, Ends: c.oauth.Ends}
	case s == nil:
		return LoginState{}
	}
	return LoginState{Session: true, SecondFactor: s.secondFactor, Elevated: s.elevated}
}
