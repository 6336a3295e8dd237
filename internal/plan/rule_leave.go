package plan

import "cmp"

// rules are those of a connection that is to go, in their order: from Terraform to
// Vault. What uses a thing goes before the thing, and the keys go from Vault when no
// system knows them any more.
func (l *departure) rules() []rule {
	if l.Forget {
		return []rule{{"lease", leaseRule}, {"forget", forgetRule}}
	}
	return []rule{
		{"lease", leaseRule},
		{"clients", l.clientRule},
		{"old link", l.oldLinkRule},
		{"link", l.linkRule},
		{"keys", l.keyRule},
		{"record", l.recordRule},
	}
}

// A departure is a connection that is to go, with what its rules look at beside its
// world.
type departure struct {
	Leaving
	Removals
	used map[string]bool // consumer keys, client ids and fingerprints of what stays
}

func (l *departure) because(v view, kind, what, live string) Reason {
	return v.reason(kind, what, live, "none: "+l.Why, "")
}

func forgetRule(v view) *Change {
	if v.Record.Ended == forgotten {
		return nil
	}
	return step(ForgetRecord{}, v.reason("connection", "connection", "kept", "a removed block lets it go", ""))
}

// ownClients returns the connection's OAuth clients: those that go, and those that a
// connection uses which stays.
func (l *departure) ownClients(v view) (goes, stay []*Client) {
	for i := range v.Clients {
		switch c := &v.Clients[i]; {
		case !v.owns(c):
		case l.used[c.ID] || l.used[c.Key]:
			stay = append(stay, c)
		default:
			goes = append(goes, c)
		}
	}
	return goes, stay
}

func (l *departure) clientRule(v view) *Change {
	clients, _ := l.ownClients(v)
	if len(clients) == 0 {
		return nil
	}
	c := clients[0]
	hit := l.stillUnlinked(c.ID)
	return step(DeleteClient{ID: c.ID, Name: c.Name, Why: l.Why, Unlinks: hit.Count, Workspaces: hit.Names, Others: hit.Others}, l.because(v, "client", "OAuth client", c.ID))
}

// oldLinkRule removes the link on the URL that the record names, where the
// configuration asks for another.
func (l *departure) oldLinkRule(v view) *Change {
	old := v.oldLink()
	if old == nil || l.used[old.ConsumerKey] {
		return nil
	}
	return step(DeleteLink{URL: old.Link.URL, Name: old.Link.Name, ConsumerKey: old.ConsumerKey}, l.because(v, "link", "application link", old.Link.URL))
}

// linkRule removes the link when its consumer is ours, or when it is ours and has none.
func (l *departure) linkRule(v view) *Change {
	if v.Link == nil || !v.linkGoes() || l.linkUsed(v) {
		return nil
	}
	s := DeleteLink{URL: v.Link.URL, Name: v.Link.Name}
	if v.Consumer != nil {
		s.ConsumerKey = v.Consumer.Key
	}
	return step(s, l.because(v, "link", "application link", v.Link.URL))
}

// linkGoes reports whether the link is the connection's.
func (v view) linkGoes() bool {
	if v.Consumer == nil {
		return v.Record.LinkID == v.Link.ID
	}
	return v.Record.Consumer != nil && v.Consumer.Key == v.Record.Consumer.Key
}

func (l *departure) linkUsed(v view) bool { return v.Consumer != nil && l.used[v.Consumer.Key] }

// keyRule removes the SSH keys whose private halves the record has.
func (l *departure) keyRule(v view) *Change {
	for _, k := range v.Record.sshKeys() {
		if !v.published(k.Fingerprint) || l.used[k.Fingerprint] || k.PrivateElsewhere {
			continue
		}
		s := v.deletion(k.Fingerprint)
		return step(s, l.because(v, "service_user_ssh_key", "SSH key of "+cmp.Or(s.User, v.want.ServiceUser), k.Fingerprint))
	}
	return nil
}

func (l *departure) recordRule(v view) *Change {
	if v.Record.Ended != "" {
		return nil
	}
	return step(RetireRecord{}, l.because(v, "record", "record in Vault", v.want.Record))
}
