package plan

// protected reports whether the files or the record say so: a record at a path of
// one's own is read with the connection alone. Of a connection that relocates, no
// file can say any more what its old record is to say; what they say of it now holds.
func (l Leaving) protected(have Have) bool {
	if l.For != nil && l.Record != nil && l.Record.Address == l.For.Address {
		return l.For.Protect
	}
	return l.Want.Protect || l.Record != nil && l.Record.About.Protected || have.Record != nil && have.Record.About.Protected
}

// stays reports whether nothing of the connection is removed, whatever is asked for.
func (l Leaving) stays(have Have) bool {
	return l.Forget || l.Kept != "" || l.protected(have) || have.Record != nil && have.Record.Contradiction != nil
}

// inUse returns the consumer keys, client ids and fingerprints of what stays: of
// connections that the files describe, or that are protected, let go or out of reach,
// and of every record of the fleet that is not among those that go.
func (r Removals) inUse(leaving []Leaving, have []Have) map[string]bool {
	used, goes := map[string]bool{}, map[string]bool{}
	for _, h := range r.StayHave {
		h.Record.uses(used)
		if h.Moved != nil {
			h.Moved.Record.uses(used)
		}
	}
	for i, l := range leaving {
		if l.stays(have[i]) {
			l.Record.uses(used)
			have[i].Record.uses(used)
			continue
		}
		goes[l.Want.Record] = true
	}
	for path, record := range r.Records {
		if record.Fleet == r.Fleet && !goes[path] {
			record.uses(used)
		}
	}
	return used
}

// uses adds what a record names in the systems.
func (r *Record) uses(used map[string]bool) {
	if r == nil {
		return
	}
	if r.ClientID != "" {
		used[r.ClientID] = true
	}
	if r.Consumer != nil {
		used[r.Consumer.Key] = true
	}
	for _, k := range r.sshKeys() {
		used[k.Fingerprint] = true
	}
}
