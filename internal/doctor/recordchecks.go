package doctor

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
)

// recordCheck tells whether Vault has the keys that the systems are given.
func (f *connectionFacts) recordCheck() Check {
	const name = "record"
	var differs *record.ContradictionError
	switch err := f.record.err; {
	case errors.Is(err, vault.ErrDeleted):
		return failure(name, "the newest version is deleted, with keys that can be read nowhere else", err)
	case errors.As(err, &differs):
		return failure(name, "field "+differs.Field+" contradicts the private key", err)
	case errors.Is(err, vault.ErrNotFound) && f.have.Elsewhere != "":
		return failed(name, "none at "+f.want.Record, "the record of this connection is at "+f.have.Elsewhere, "see plan")
	case errors.Is(err, vault.ErrNotFound):
		return failed(name, "none at "+f.want.Record, "bbsync has not made this connection yet, or its record was deleted",
			"bbsync apply makes it; if the connection is in use, restore the record first: its private keys can be read nowhere else")
	case err != nil:
		return undecided(name, err)
	case f.record.value.Consumer == nil || f.record.value.SSH.Current == nil:
		return failed(name, "not complete", "an apply was cut short, or never began", "bbsync apply goes on where it stopped")
	}
	found := fmt.Sprintf("version %d, consumer key of %s, SSH key of %s", f.have.Record.Version, day(f.record.value.Consumer.Created), day(f.record.value.SSH.Current.Created))
	if f.versions.err == nil && f.versions.value > 1 {
		found += fmt.Sprintf(", %d older versions", f.versions.value-1)
	}
	if f.have.Moved != nil {
		found += ", at " + f.have.Moved.Path + " still: a moved block says so"
	}
	if deletes := f.record.value.Deletes; !deletes.IsZero() {
		return warning(name, found+f.missingPrivate(), "Vault deletes it on "+deletes.UTC().Format("2006-01-02 15:04 UTC")+", as delete_version_after of the mount or the secret says",
			"vault write MOUNT/config delete_version_after=0s, or vault kv metadata put -mount=MOUNT -delete-version-after=0s PATH; then bbsync apply, which writes the record again")
	}
	return ok(name, "%s", found+f.missingPrivate())
}

// policyCheck asks Vault what the token may do with the record, without doing it.
func (f *connectionFacts) policyCheck() Check {
	const name = "policy"
	if f.lacks.err != nil {
		return undecided(name, f.lacks.err)
	}
	if len(f.lacks.value) == 0 {
		return ok(name, "the token may do all that bbsync does with the record")
	}
	var miss, lines []string
	for _, l := range f.lacks.value {
		miss = append(miss, strings.Join(l.Miss, " and ")+" on "+l.Path)
		lines = append(lines, fmt.Sprintf("path %q { capabilities = [%q] }", l.Path, strings.Join(l.Want, `", "`)))
	}
	remedy := "add to the policy: " + strings.ReplaceAll(strings.Join(lines, " "), `\"`, `"`)
	return warning(name, "the token may not "+strings.Join(miss, ", nor "), "its policy does not allow it; plan and doctor need to read alone", remedy)
}

func (f *connectionFacts) leaseCheck(now time.Time) Check {
	const name = "lease"
	if f.have.Record == nil || f.have.Record.Lease == nil || !now.Before(f.have.Record.Lease.Expires) {
		return ok(name, "nobody is at work on the connection")
	}
	l := f.have.Record.Lease
	until := l.Expires.UTC().Format(time.RFC3339)
	if l.Broken {
		return warning(name, fmt.Sprintf("not one that bbsync takes: of %q until %s", l.Holder, until), "somebody else wrote to the record", "find out who may write to it; bbsync apply replaces the lease")
	}
	found := l.Holder + " is at work on the connection"
	if l.Age > 0 {
		found = fmt.Sprintf("%s has been at work on the connection for %s", l.Holder, l.Age.Round(time.Second))
	}
	return warning(name, found, "its lease ends at "+until, "wait for it, and run doctor again: what it changes may be half done here; if it hangs, bbsync apply --break-lease --reason WHY")
}
