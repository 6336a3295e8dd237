package plan

import "github.com/bbsync/bbsync/schema"

// sshUsers tells which connections use an SSH key, or are to: a key that people
// bring may be brought to several by mistake. What is only left to be retired is
// used by none.
type sshUsers map[string][]string // fingerprint → addresses

func usersOf(connections []*schema.Connection, have []Have) sshUsers {
	users := sshUsers{}
	for i, c := range connections {
		r := have[i].Record
		if r == nil {
			continue
		}
		for _, k := range []*Key{r.Current, r.Pending} {
			if k != nil && k.Fingerprint != "" {
				users[k.Fingerprint] = append(users[k.Fingerprint], c.Address)
			}
		}
	}
	return users
}

// besides returns another connection than this one that uses each of the keys of a
// record.
func (u sshUsers) besides(address string, r *Record) map[string]string {
	if r == nil {
		return nil
	}
	var out map[string]string
	for _, k := range []*Key{r.Pending, r.Previous} {
		if k == nil {
			continue
		}
		for _, other := range u[k.Fingerprint] {
			if other != address {
				if out == nil {
					out = map[string]string{}
				}
				out[k.Fingerprint] = other
			}
		}
	}
	return out
}

// staysFor reports whether a key that is dropped stays on Bitbucket, as another
// connection uses it.
func (d *differ) staysFor(key *Key) bool {
	other, ok := d.have.Shared[key.Fingerprint]
	if ok {
		d.warn(d.want.Where("ssh_key"), "SSH key %s stays on Bitbucket: %s uses it, too; bring one for each", key.Fingerprint, other)
	}
	return ok
}
