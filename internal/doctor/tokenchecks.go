package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/tfe"
)

// tokenSoon is how long before its end an OAuth token is a warning: people have to
// authorize it.
const tokenSoon = 90 * expiry.Day

// tokenChecks are of what a person gave Terraform, and of the key put on it.
func (f *connectionFacts) tokenChecks(now time.Time) []Check {
	if err := f.unread("terraform"); err != nil {
		return []Check{undecided("authorization", err), undecided("token-age", err), undecided("token-ssh-key", err)}
	}
	if f.client == nil || f.client.Token == nil {
		cause := "there is no OAuth client yet"
		if f.client != nil {
			cause = "nobody has clicked Allow yet, or the token was revoked"
		}
		return []Check{
			failed("authorization", "Terraform has no OAuth token", cause, "run bbsync authorize: a person opens its link, logged in to Bitbucket as "+f.want.ServiceUser),
			unknown("token-age", "there is no token", "see authorization"), unknown("token-ssh-key", "there is no token", "see authorization"),
		}
	}
	return []Check{f.authorization(), f.tokenAge(now), f.tokenSSHKey()}
}

func (f *connectionFacts) authorization() Check {
	const name = "authorization"
	token := f.client.Token
	switch {
	case f.have.User != nil && !f.have.User.Is(token.User):
		return failed(name, "authorized as "+token.User+", want "+f.want.ServiceUser, "whoever clicked Allow was logged in to Bitbucket as "+token.User+", and Terraform acts as that account",
			"revoke the connection in the organization's VCS settings, log in to Bitbucket as "+f.want.ServiceUser+", and connect again")
	case f.refused() && f.proof != nil && !errors.Is(f.proof, errPrivateElsewhere):
		return failed(name, "Bitbucket refuses what Terraform asks with its OAuth token", "Bitbucket has not the consumer, or not the public key, that Terraform signs with",
			"mend request-token first (see above); the token may live on, else authorize again as "+f.want.ServiceUser)
	case f.refused():
		return failed(name, "Bitbucket refuses the OAuth token that Terraform holds", "it was revoked on Bitbucket, its consumer was replaced, or it has ended",
			"run bbsync authorize: a person opens its link again, logged in to Bitbucket as "+f.want.ServiceUser)
	}
	user := token.User
	if user == "" {
		user = "a user that Terraform does not name"
	}
	return ok(name, "authorized as %s on %s", user, day(token.Created))
}

// refused reports whether Terraform itself found its token not to work.
func (f *connectionFacts) refused() bool {
	return errors.Is(f.repos.err, tfe.ErrTokenRefused) || f.have.TokenDead
}

func (f *connectionFacts) tokenAge(now time.Time) Check {
	const name = "token-age"
	ends := f.client.Token.Created.Add(expiry.OAuthTokenLife)
	const why = "Bitbucket gives OAuth tokens five years unless configured otherwise"
	remedy := "authorize again as " + f.want.ServiceUser
	switch left := ends.Sub(now); {
	case f.client.Token.Created.IsZero():
		return unknown(name, "Terraform does not tell when the token was made", "")
	case left <= 0:
		return warning(name, "made on "+day(f.client.Token.Created)+", more than five years ago", why, remedy)
	case left < tokenSoon:
		return warning(name, "ends about "+day(ends)+", in "+expiry.Days(left), why, remedy+" before")
	}
	return ok(name, "made on %s, good until about %s", day(f.client.Token.Created), day(ends))
}

// tokenSSHKey compares what Terraform tells, that there is a key, with what the
// record remembers.
func (f *connectionFacts) tokenSSHKey() Check {
	const name = "token-ssh-key"
	token, r := f.client.Token, f.have.Record
	switch {
	case !token.HasSSHKey:
		return failed(name, "the OAuth token has no private SSH key", "it was authorized anew, or no apply ran after it was authorized; without a key nothing can be cloned", "bbsync apply sets the record's key")
	case r == nil || r.Current == nil:
		return unknown(name, "the record has no key to compare with", "see record")
	case r.Current.Token != token.ID:
		return failed(name, "the token has a key, and bbsync did not set it", "somebody set one by hand, or authorized anew: Terraform does not tell which key it holds", "bbsync apply sets the record's key")
	}
	if r.Current.PrivateElsewhere {
		return ok(name, "%s", join("there is one, set by hand", r.Current.Fingerprint))
	}
	return ok(name, "set on %s, %s", day(r.Current.Set), r.Current.Fingerprint)
}

// repositoriesCheck is Terraform's own view, where its version has one.
func (f *connectionFacts) repositoriesCheck() Check {
	const name = "repositories"
	if f.client == nil || f.client.Token == nil {
		return unknown(name, "there is no OAuth token for Terraform to look with", "see authorization")
	}
	if errors.Is(f.repos.err, tfe.ErrTokenRefused) {
		return failed(name, "Terraform sees no repository", "Bitbucket refuses its OAuth token", "see authorization")
	}
	var missing, sees []string
	for _, repo := range f.repositories() {
		switch there, known := f.sees(repo); {
		case !known:
		case there:
			sees = append(sees, repo)
		default:
			missing = append(missing, repo)
		}
	}
	switch {
	case len(missing) > 0:
		return failed(name, "Terraform does not see "+strings.Join(missing, ", "), "asked with its own token, Bitbucket does not show it",
			"check the repository's name and the service user's permission on it (see grants)")
	case len(sees) > 0:
		return ok(name, "Terraform itself sees %s", strings.Join(sees, ", "))
	case f.repos.err == nil:
		return ok(name, "Terraform itself sees %d repositories", len(f.repos.value))
	case errors.Is(f.repos.err, tfe.ErrUnsupported):
		return unknown(name, "this Terraform cannot be asked", "bbsync doctor --prove makes a workspace and sees")
	}
	return undecided(name, f.repos.err)
}

// sees asks the two answers that Terraform may have given.
func (f *connectionFacts) sees(repo string) (there, known bool) {
	if a, asked := f.seen[repo]; asked && a.err == nil {
		return a.value, true
	}
	if f.repos.err != nil {
		return false, false
	}
	return slices.ContainsFunc(f.repos.value, func(name string) bool { return names.SameRepository(name, repo) }), true
}

// eventsKept is how long Terraform keeps events.
const eventsKept = 10 * 24 * time.Hour

func (f *connectionFacts) eventsCheck(now time.Time) Check {
	const name = "events"
	switch err := f.events.err; {
	case errors.Is(err, tfe.ErrUnsupported):
		return unknown(name, "this Terraform notes no VCS events, or not for this token", "")
	case err != nil:
		return undecided(name, err)
	}
	var errs []tfe.VCSEvent
	for _, e := range f.events.value {
		mine := e.Client == "" || f.client != nil && e.Client == f.client.ID
		if mine && e.Level == "error" && now.Sub(e.At) < eventsKept {
			errs = append(errs, e)
		}
	}
	if len(errs) == 0 {
		return ok(name, "Terraform noted no errors in ten days (it does so for few providers: no proof)")
	}
	newest := slices.MaxFunc(errs, func(a, b tfe.VCSEvent) int { return a.At.Compare(b.At) })
	return warning(name, fmt.Sprintf("Terraform noted %d errors in ten days, the last at %s", len(errs), newest.At.UTC().Format(time.RFC3339)), newest.Message,
		"if it is older than the last repair, it is history; else see the other checks")
}
