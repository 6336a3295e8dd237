package plan

import (
	"fmt"
	"time"
)

// lifetime warns of a record that Vault deletes by itself, and refuses to create
// keys in one: they would be lost while Terraform and Bitbucket use them.
func (t *telling) lifetime() {
	if t.Lifetime == 0 {
		return
	}
	const remedy = "vault write MOUNT/config delete_version_after=0s for the mount of the records, and where the record has a setting of its own " +
		"vault kv metadata put -mount=MOUNT -delete-version-after=0s PATH; then bbsync apply, which writes the record again"
	if has[CreateConsumerKey](t.changes) || has[CreateSSHKey](t.changes) {
		t.block(Refused, t.want.Range, fmt.Sprintf("Vault deletes what is written to %s after %s (delete_version_after), and keys would be lost with it", t.want.Record, t.Lifetime), remedy)
	}
	if !t.deletes().IsZero() {
		t.warn(t.want.Range, "Vault deletes this record on %s (delete_version_after): its private keys can be read nowhere else; %s", dateTime(t.deletes()), remedy)
	}
}

// deletes returns when Vault deletes the record by itself; zero: never.
func (w *World) deletes() time.Time {
	if w.Record == nil {
		return time.Time{}
	}
	return w.Record.Deletes
}

func dateTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
