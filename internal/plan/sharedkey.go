package plan

import (
	"maps"
	"slices"

	"github.com/bbsync/bbsync/schema"
)

// A KeyUser is another connection that uses one of a connection's SSH keys: a key
// that is user-supplied may be given to several by mistake.
type KeyUser struct {
	Address   string
	Described bool // by the files
	Planned   bool // in this run
}

// sshUsers tells which connections use an SSH key, or are to, and which keys an
// emergency has marked. What is only left to be retired is used by none.
type sshUsers struct {
	users       map[string][]KeyUser // by fingerprint
	compromised map[string]string    // by fingerprint, the reason
	objects     map[string][]string  // described connections that name an OAuth client's id or a consumer key, by that
}

// usersOf asks the records of the connections that are planned, and where they were
// read, all other records of the fleet: whatever a run is narrowed to, a key is in use
// wherever it is in use.
func usersOf(fleet *schema.Fleet, connections []*schema.Connection, have []Have, opts Options) sshUsers {
	u := sshUsers{users: map[string][]KeyUser{}, compromised: map[string]string{}, objects: map[string][]string{}}
	known := map[string]bool{} // paths
	for i, c := range connections {
		h := have[i].Taken()
		known[c.Record] = true
		for _, m := range []*MovedRecord{h.Moved, h.Before} {
			if m != nil {
				known[m.Path] = true
			}
		}
		u.add(h.Record, KeyUser{Address: c.Address, Described: true, Planned: true})
	}
	if opts.Records == nil {
		return u
	}
	described, run := map[string]string{}, map[string]bool{}
	for _, c := range fleet.Connections {
		described[c.Record] = c.Address
	}
	for _, c := range opts.Run {
		run[c.Address] = true
	}
	for _, path := range slices.Sorted(maps.Keys(opts.Records)) {
		r := opts.Records[path]
		if known[path] || r.Fleet != fleet.Name || r.Ended != "" && r.Ended != forgotten {
			continue
		}
		one := KeyUser{Address: described[path], Described: described[path] != "", Planned: run[described[path]]}
		if !one.Described {
			one.Address = "the record " + path
		}
		u.add(r, one)
	}
	return u
}

func (u sshUsers) add(r *Record, who KeyUser) {
	if r == nil {
		return
	}
	if r.ClientID != "" && who.Described {
		u.objects[r.ClientID] = append(u.objects[r.ClientID], who.Address)
	}
	if r.Consumer != nil && who.Described {
		u.objects[r.Consumer.Key] = append(u.objects[r.Consumer.Key], who.Address)
	}
	for _, k := range []*Key{r.Current, r.Pending} {
		if k != nil && k.Fingerprint != "" {
			u.users[k.Fingerprint] = append(u.users[k.Fingerprint], who)
		}
	}
	for _, k := range r.sshKeys() {
		if k.Fingerprint != "" && k.Compromised != "" {
			u.compromised[k.Fingerprint] = k.Compromised
		}
	}
}

// namedBy returns another connection of the files whose record names one of these
// objects, "" for none.
func (u sshUsers) namedBy(address string, names ...string) string {
	for _, name := range names {
		for _, other := range u.objects[name] {
			if other != address {
				return other
			}
		}
	}
	return ""
}

// besides returns the other connections that use each of the keys of a record, and
// which of the keys an emergency of any of them has marked.
func (u sshUsers) besides(address string, r *Record) (shared map[string][]KeyUser, compromised map[string]string) {
	if r == nil {
		return nil, nil
	}
	for _, k := range r.sshKeys() {
		if why := u.compromised[k.Fingerprint]; why != "" && k.Compromised == "" {
			if compromised == nil {
				compromised = map[string]string{}
			}
			compromised[k.Fingerprint] = why
		}
		for _, other := range u.users[k.Fingerprint] {
			if other.Address == address {
				continue
			}
			if shared == nil {
				shared = map[string][]KeyUser{}
			}
			shared[k.Fingerprint] = append(shared[k.Fingerprint], other)
		}
	}
	return shared, compromised
}

// coversUsers refuses an emergency that would cut others off: a compromised key is
// deleted, so each connection of the files that uses it must be in the run, where it gets a new
// one. Others are named.
func (g *guard) coversUsers() {
	var missing []string
	var marked []string
	if c := compromisedRule(g.view); c != nil {
		marked = c.Step.(MarkCompromised).Fingerprints
	}
	for _, k := range g.keys() {
		if k.Compromised == "" && !slices.Contains(marked, k.Fingerprint) {
			continue
		}
		for _, other := range g.Shared[k.Fingerprint] {
			switch {
			case other.Planned:
				g.warn(g.want.Where("ssh_key"), "SSH key %s is compromised, and %s uses it, too: it gets a new one in this run, and cannot clone until then", k.Fingerprint, other.Address)
			case other.Described:
				missing = append(missing, other.Address)
			default:
				g.warn(g.want.Where("ssh_key"), "SSH key %s is compromised, and %s uses it, too, which no file describes: it cannot clone any more", k.Fingerprint, other.Address)
			}
		}
	}
	if len(missing) == 0 {
		return
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	g.block(Refused, g.want.Where("ssh_key"),
		"the compromised SSH key is also that of "+list(missing)+", which is not in this run and could not clone any more",
		"run it for all of them: "+list(append([]string{g.want.Address}, missing...)))
}
