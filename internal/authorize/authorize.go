// Package authorize waits for people: for connections whose next step is that
// somebody clicks Allow. It asks Terraform, gently, whether the OAuth token is
// there and whose it is. It opens no link, clicks nothing, prints nothing and
// changes nothing, and nobody holds a lease while it waits.
package authorize

import (
	"fmt"
	"net/url"

	"github.com/bbsync/bbsync/internal/plan"
)

// A Request is one connection that waits for a person.
type Request struct {
	plan.Target
	plan.Person
}

// Of returns what waits for a person in a plan, in its order: connections whose
// very next step is a person's.
func Of(p plan.Plan) []Request {
	var out []Request
	for _, c := range p.Connections {
		if c.State() == plan.StateWaiting && c.Person != nil {
			out = append(out, Request{Target: c.Target, Person: *c.Person})
		}
	}
	return out
}

// State is how far a request is.
type State string

// The states of a request.
const (
	Waiting   State = "waiting"
	Done      State = "authorized"
	WrongUser State = "wrong user"  // somebody other than the service user clicked Allow
	Dead      State = "dead token"  // Bitbucket still refuses the token that is there
	Gone      State = "gone"        // the OAuth client is not there any more
	Unknown   State = "cannot tell" // Terraform will not answer, now or later
)

// A Status is how far a request is, and why.
type Status struct {
	State State
	User  string // whose token is there; "" when there is none or Terraform does not tell
	Old   bool   // WrongUser: it was so before anybody was asked
	Err   error  // Gone, Unknown: why. In other states: why the last look failed; another follows
}

// Settled reports whether nobody waits for this any more. A wrong user is an
// end, unless somebody stays to undo it.
func (s Status) Settled(stay bool) bool {
	switch s.State {
	case Done, Gone, Unknown:
		return true
	case WrongUser:
		return !s.Old && !stay
	case Waiting, Dead:
	}
	return false
}

// start is the status before the first look: what the plan knew.
func (r Request) start() Status {
	switch {
	case r.Token == "":
		return Status{State: Waiting}
	case r.Person.Dead:
		return Status{State: Dead, User: r.TokenUser}
	}
	return Status{State: WrongUser, User: r.TokenUser, Old: true}
}

// Undo says how to undo that somebody else clicked Allow.
func (r Request) Undo() string {
	return fmt.Sprintf("revoke the connection of %q in the organization's VCS provider settings (%s), "+
		"log out of %s, log in there as %s, and connect again (%s)",
		r.Client, r.Settings(), r.BitbucketURL, r.ServiceUser, r.URL)
}

// Settings is the address of the organization's VCS provider settings. No
// document promises it; people know the page by it.
func (r Request) Settings() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/app/" + r.Organization + "/settings/version-control"}).String()
}

// TerraformURL is the address of the Terraform that the link is on.
func (r Request) TerraformURL() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

// Problem returns a status as an error; nil when it is on its way or done.
func (r Request) Problem(s Status) error {
	switch s.State {
	case WrongUser:
		return fmt.Errorf("%s: %s was authorized by %s, and Terraform would act on Bitbucket as %s: %s",
			r.Address, r.Client, s.User, s.User, r.Undo())
	case Gone, Unknown:
		return fmt.Errorf("%s: %w", r.Address, s.Err)
	case Waiting, Done, Dead:
	}
	return nil
}
