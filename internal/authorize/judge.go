package authorize

import (
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/tfe"
)

// seen is what one look at an organization showed of one request's client.
type seen struct {
	client bool   // it is there
	token  string // id; "" for none
	user   string
	works  bool  // asked only of the token that was dead: it works again
	err    error // the look failed; nothing else is known
}

var errGone = errors.New("the OAuth client is gone; run bbsync apply, which makes it again")

// judge returns the next status. It is all there is to decide, and it asks
// nobody.
//
//	client | token                 | status
//	-------+-----------------------+----------------------------------------
//	none   |                       | gone
//	there  | none                  | waiting
//	there  | another's             | wrong user; old if it is the one planned
//	there  | the dead one          | done if it works again, else dead
//	there  | the service user's    | done
func (r Request) judge(before Status, s seen) Status {
	switch {
	case s.err != nil:
		return before.failed(s.err)
	case !s.client:
		return Status{State: Gone, Err: errGone}
	case s.token == "":
		return Status{State: Waiting}
	case !r.ActsAs(s.user):
		return Status{State: WrongUser, User: s.user, Old: s.token == r.Token && names.SameUser(s.user, r.TokenUser)}
	case s.token == r.Token && r.Person.Dead && !s.works:
		// The same id is no proof: whether a new authorization makes a new token
		// or renews the old one is not documented.
		return Status{State: Dead, User: s.user}
	}
	return Status{State: Done, User: s.user}
}

// failed keeps the status when the look may succeed next time, and ends the
// waiting when it cannot.
func (s Status) failed(err error) Status {
	for _, final := range []error{tfe.ErrUnauthorized, tfe.ErrForbidden, tfe.ErrNotFound, tfe.ErrNotEntitled} {
		if errors.Is(err, final) {
			return Status{State: Unknown, Err: fmt.Errorf("looking for the OAuth token: %w", err)}
		}
	}
	s.Err = err
	return s
}
