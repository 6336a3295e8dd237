package plan

import (
	"fmt"
	"strings"
)

// UnknownKeys are the SSH keys of service users that no record of the fleet knows,
// nor the configuration.
type UnknownKeys struct {
	Keys  []UnknownKey
	Doubt string // why some of them may belong to the fleet all the same; "" for none
}

// An UnknownKey is one of them.
type UnknownKey struct {
	User string
	SSHKey
}

// String shows the key with all that Bitbucket reports of it.
func (k UnknownKey) String() string {
	parts := []string{k.Fingerprint}
	if k.Label != "" {
		parts[0] += fmt.Sprintf(" %q", k.Label)
	}
	if !k.Created.IsZero() {
		parts = append(parts, "added "+day(k.Created))
	}
	if !k.LastUsed.IsZero() {
		parts = append(parts, "last used "+day(k.LastUsed))
	}
	return strings.Join(parts, ", ")
}

// KnownBy adds the fingerprints of every SSH key that a record names.
func (r *Record) KnownBy(known map[string]bool) {
	if r == nil {
		return
	}
	for _, k := range r.sshKeys() {
		if k.Fingerprint != "" {
			known[k.Fingerprint] = true
		}
	}
}

// unknownKeys reports the keys that nothing knows, and removes them if that is
// asked for. They may be another fleet's or a person's: nothing else waits for it.
func (d *sharedDiffer) unknownKeys(remove bool) {
	strange := d.have.Strange
	d.out.UnknownKeys = strange.Keys
	for _, k := range strange.Keys {
		if remove && strange.Doubt == "" {
			d.add(RemoveUnknownKey{User: k.User, ID: k.ID, Fingerprint: k.Fingerprint, Label: k.Label},
				Reason{Kind: "unknown_ssh_key", What: "SSH key of " + k.User, Live: k.String(), Want: "none that no record knows, as asked for", At: d.want.Range})
			continue
		}
		d.warn(fmt.Sprintf("%s has an SSH key that no record of this fleet knows: %s; if it is not another fleet's or a person's, "+
			"someone added it: bbsync rotate --all --emergency --reason WHY --remove-unknown-keys deletes it; else list it in known_ssh_keys", k.User, k))
	}
	if strange.Doubt != "" {
		d.warn(strange.Doubt)
	}
}

func (d *sharedDiffer) warn(text string) {
	d.out.Notes = append(d.out.Notes, Note{Warning: true, Text: text, At: d.want.Range})
}
