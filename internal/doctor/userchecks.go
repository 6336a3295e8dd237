package doctor

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
)

// userChecks are of the service user: the account, its rights, its key.
func (f *connectionFacts) userChecks(now time.Time) []Check {
	if err := f.unread("bitbucket"); err != nil {
		var out []Check
		for _, name := range []string{"service-user", "grants", "ssh-key", "ssh-login"} {
			out = append(out, undecided(name, err))
		}
		return out
	}
	return []Check{f.serviceUser(), f.grants(), f.sshKey(now), f.sshLogin()}
}

func (f *connectionFacts) serviceUser() Check {
	const name = "service-user"
	user := f.want.ServiceUser
	switch u := f.have.User; {
	case u == nil:
		return failed(name, user+" is not there", "it was deleted, renamed, or never made", "make the user in Bitbucket, or correct service_user")
	case !u.Active:
		return failed(name, user+" is not active", "the account is disabled in its user directory", "activate the user")
	case f.licensed.err != nil:
		return undecided(name, f.licensed.err)
	case !f.licensed.value:
		return failed(name, user+" may not use Bitbucket", "it is in no group that has a licence", "put it in a licensed group (Administration, Global permissions)")
	case names.SameUser(user, f.want.Bitbucket.Admin.Username):
		return warning(name, user+" is also the administrator that bbsync acts as", "whoever authorizes gives Terraform all of the account's rights", "make a user of its own for Terraform, with admin on the shared repositories and nothing more")
	}
	return ok(name, "%s is there, active and licensed", user)
}

// grants tells which of the permissions the service user holds effectively: of
// its own, by groups, by the project, or globally.
func (f *connectionFacts) grants() Check {
	const name = "grants"
	var held, lacks, strange []string
	for _, g := range f.want.Grants {
		key := plan.GrantPermission{User: f.want.ServiceUser, Project: g.Project, Repository: g.Repository, Permission: g.Permission}.Key()
		where := g.Permission + " on " + strings.TrimSuffix(g.Project+"/"+g.Repository, "/")
		text, unknown := f.shared.Unknown[key]
		switch {
		case unknown:
			strange = append(strange, text)
		case f.shared.Granted[key]:
			held = append(held, where)
		default:
			lacks = append(lacks, where)
		}
	}
	switch {
	case len(f.shared.Unread) > 0:
		return undecided(name, f.shared.Unread[0].Cause)
	case f.have.User == nil:
		return unknown(name, "there is no such user", "see service-user")
	case len(strange) > 0:
		return failed(name, "a repository or project is not there", strings.Join(strange, "; "), "correct the grant, or make the repository in Bitbucket")
	case len(lacks) > 0:
		return failed(name, "missing: "+strings.Join(lacks, ", "), "neither "+f.want.ServiceUser+" nor a group it is in has it, so that Terraform cannot make webhooks there", "bbsync apply grants it to the user; or put the user in a group that has it")
	case len(held) == 0:
		return warning(name, "none is declared", "the files name no repository, so that nothing is known of its rights", "add grant blocks")
	}
	return ok(name, "%s, held effectively (groups count)", strings.Join(held, ", "))
}

// sshKey tells whether Bitbucket has the public half, and for how long.
func (f *connectionFacts) sshKey(now time.Time) Check {
	const name = "ssh-key"
	r := f.have.Record
	if r == nil || r.Current == nil {
		return unknown(name, "the record has no SSH key to look for", "see record")
	}
	if f.have.User == nil {
		return unknown(name, "there is no such user", "see service-user")
	}
	if r.Current.Fingerprint == "" {
		return unknown(name, "only Terraform holds the key, and which of those of "+f.want.ServiceUser+" it is cannot be known", ownSSH)
	}
	have, found := f.have.Keys[r.Current.Fingerprint]
	switch left := have.Expires.Sub(now); {
	case !found:
		return failed(name, r.Current.Fingerprint+" is not among the keys of "+f.want.ServiceUser, "it was deleted, or never added", "bbsync apply adds it")
	case !have.Expires.IsZero() && left <= 0:
		return failed(name, "ended on "+day(have.Expires), "the server's rules end keys, and this one was not replaced in time", "bbsync apply replaces it; run on schedule, it does so before a key ends")
	case !have.Expires.IsZero() && left < soon:
		return warning(name, fmt.Sprintf("ends on %s, in %s", day(have.Expires), expiry.Days(left)), "the server's rules end keys", "bbsync apply replaces it in time; run it on schedule")
	}
	age := now.Sub(r.Current.Created)
	if after := f.want.SSHKey.RotateAfter; after > 0 && age > after {
		return warning(name, fmt.Sprintf("%s old, to be replaced after %s", expiry.Days(age), expiry.Days(after)), "no apply ran since, or no maintenance window was open", "run bbsync apply")
	}
	return ok(name, "%s%s", r.Current.Fingerprint, usage(have))
}

// usage tells what newer servers tell of a key.
func usage(k plan.SSHKey) string {
	var parts []string
	if !k.Created.IsZero() {
		parts = append(parts, "added "+day(k.Created))
	}
	if !k.Expires.IsZero() {
		parts = append(parts, "ends "+day(k.Expires))
	}
	if !k.LastUsed.IsZero() {
		parts = append(parts, "last used "+day(k.LastUsed))
	}
	if parts == nil {
		return ""
	}
	return ", " + strings.Join(parts, ", ")
}

// sshLogin is the one proof of key, user, port and host key together.
func (f *connectionFacts) sshLogin() Check {
	const name = "ssh-login"
	switch err := f.login.err; {
	case errors.Is(err, errNotAsked):
		return unknown(name, "the record has no SSH key to log in with", "see record")
	case errors.Is(err, errPrivateElsewhere):
		return unknown(name, err.Error(), ownSSH)
	case errors.Is(err, errInOverlap):
		return undecided(name, err)
	case errors.Is(err, bitbucket.ErrHostKey):
		return failure(name, "the SSH server shows a host key that is not pinned", err)
	case errors.Is(err, bitbucket.ErrKeyRefused):
		return failure(name, "the SSH server refuses the record's key", err)
	case errors.Is(err, bitbucket.ErrUnavailable):
		return failed(name, "no login from here", err.Error(), "see ssh of bitbucket."+f.want.Bitbucket.Label)
	case err != nil:
		return failure(name, "no login", err)
	case !names.SameUser(f.login.value.User, f.want.ServiceUser):
		return failed(name, "the key logs in as "+f.login.value.User, "it belongs to somebody else than "+f.want.ServiceUser, "remove the key from that account; bbsync apply adds it to the service user")
	}
	return ok(name, "logs in with the record's key as %s", f.login.value.User)
}
