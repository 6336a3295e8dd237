package doctor

import (
	"errors"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
)

// admin tells a wrong password from a locked account, from a login that needs a
// manual step, and from a missing permission.
func (b *bitbucketFacts) admin() Check {
	const name = "account"
	user := b.want.Admin.Username
	switch err := b.account.err; {
	case errors.Is(err, errNotAsked):
		return unknown(name, "the server does not answer as a Bitbucket, so the password was not sent", "see version")
	case errors.Is(err, bitbucket.ErrCaptcha):
		return failure(name, user+" is locked behind a CAPTCHA", err)
	case errors.Is(err, bitbucket.ErrCredentials): // the cause says so where it is the code of a second factor
		return failure(name, "the password of "+user+" is refused", err)
	case errors.Is(err, bitbucket.ErrOAuth):
		return failure(name, "the OAuth login of "+user+" is refused", err)
	case err != nil:
		return failure(name, user+" is not let in", err)
	case !b.account.value:
		return failed(name, user+" has no global ADMIN permission", "application links, consumers and other users' keys take an administrator",
			"give "+user+" the global permission ADMIN (Administration, Global permissions)")
	case b.system.value:
		return ok(name, "%s logs in and is an administrator, with SYS_ADMIN, which bbsync does not need", user)
	}
	return ok(name, "%s logs in and is an administrator", user)
}

// loginChecks say how the administrator logs in and when that ends.
func (b *bitbucketFacts) loginChecks() []Check {
	const name = "login"
	switch {
	case b.login.OAuth:
		return []Check{ok(name, "OAuth 1.0a, as %s; the token ends %s", b.want.Admin.Username, onDay(b.login.Ends)), b.signedLinks()}
	case !b.login.Session:
		return []Check{ok(name, "Basic authentication, which does not end")}
	}
	text := "a session"
	if b.login.SecondFactor {
		text += " with a second factor"
	}
	return []Check{ok(name, "%s, as Basic authentication is switched off; it ends with each run, or 30 minutes after the last request unless Bitbucket is set otherwise", text), b.adminSession()}
}

func onDay(at time.Time) string {
	if at.IsZero() {
		return "at a time that Bitbucket did not tell"
	}
	return "on " + at.UTC().Format(time.DateOnly)
}

// signedLinks says whether the guarded resources of application links take signed
// requests. That they do is likely from the vendor's code; nobody was seen to try.
func (b *bitbucketFacts) signedLinks() Check {
	const name = "admin-session"
	if b.raised != nil {
		return failure(name, "application links do not take requests signed by OAuth 1.0a", b.raised)
	}
	return ok(name, "application links take requests signed by OAuth 1.0a, without a secure administrator session")
}

// adminSession says whether Bitbucket asks for a secure administrator session, and
// whether one could be opened.
func (b *bitbucketFacts) adminSession() Check {
	const name = "admin-session"
	switch elevated := b.login.Elevated; {
	case b.raised != nil:
		return failure(name, "Bitbucket opens no secure administrator session", b.raised)
	case elevated.IsZero():
		return ok(name, "Bitbucket asks for no secure administrator session")
	default:
		return ok(name, "open until %s unless Bitbucket is set otherwise; it is renewed before", elevated.Add(bitbucket.ElevationLife).UTC().Format("15:04 UTC"))
	}
}

// basicAuth says whether Basic authentication is allowed, and which entries of its
// lists do not mean what they seem to.
func (b *bitbucketFacts) basicAuth() Check {
	const name = "basic-auth"
	user := b.want.Admin.Username
	switch err := b.basic.err; {
	case b.login.OAuth:
		return ok(name, "not used: requests are signed by OAuth 1.0a")
	case errors.Is(err, bitbucket.ErrTooOld):
		return ok(name, "this version cannot switch it off")
	case err != nil && b.login.Session:
		return ok(name, "switched off for %s; only a system administrator sees for whom it is allowed", user)
	case errors.Is(err, bitbucket.ErrForbidden):
		return ok(name, "allowed for %s; only a system administrator sees for whom it is switched off", user)
	case err != nil:
		return undecided(name, err)
	case !b.basic.value.Blocked:
		return ok(name, "allowed")
	}
	misread := b.basic.value.Misread(user)
	switch {
	case len(misread) > 0:
		return warning(name, "switched off, and not allowed for "+user+" as it seems to be", strings.Join(misread, "; "), "correct the list under Administration, Accounts, Authentication methods")
	case b.login.Session:
		return ok(name, "switched off; bbsync logs in with a session")
	}
	return ok(name, "switched off, and allowed for %s", user)
}
