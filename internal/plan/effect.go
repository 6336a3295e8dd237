package plan

import (
	"slices"
)

// Effect predicts the world after a step. A proof is predicted to succeed: a plan
// shows what happens when all goes well. That apply does what is predicted here is a
// law that the tests hold, for every kind of step.
func Effect(step Step, w World) World {
	w.describe()
	step.effect(&w)
	return w
}

// describe notes in the record what apply notes before its first step.
func (w *World) describe() {
	if w.Record == nil || w.leaving {
		return
	}
	r := *w.Record
	if r.describe(w.Target); r.Fleet != w.Record.Fleet || r.Address != w.Record.Address || r.About != w.Record.About || r.Ended != w.Record.Ended {
		w.Record = &r
	}
}

// describe notes what a record says of its connection. The service user stays the one
// that the SSH keys are on.
func (r *Record) describe(t Target) {
	r.Fleet, r.Address, r.Ended = t.Fleet, t.Address, ""
	user := r.About.ServiceUser
	r.About = About{Terraform: t.TerraformURL, Organization: t.Organization, Bitbucket: t.BitbucketURL, ServiceUser: user, Protected: t.Protect}
	if r.Current == nil || user == "" {
		r.About.ServiceUser = t.ServiceUser
	}
}

// changeRecord returns a copy of the record, to be changed.
func (w *World) changeRecord() *Record {
	r := &Record{}
	if w.Record != nil && w.Record.Deleted == "" {
		*r = *w.Record
	} else {
		r.describe(w.Target)
	}
	for _, k := range []**Key{&r.Pending, &r.Current, &r.Previous} {
		if *k != nil {
			*k = new(**k)
		}
	}
	if r.Consumer != nil {
		r.Consumer = new(*r.Consumer)
	}
	w.Record = r
	return r
}

// changeClient returns a copy of an OAuth client, to be changed.
func (w *World) changeClient(id string) *Client {
	w.Clients = slices.Clone(w.Clients)
	i := slices.IndexFunc(w.Clients, func(c Client) bool { return c.ID == id })
	c := &w.Clients[i]
	if c.Token != nil {
		c.Token = new(*c.Token)
	}
	return c
}

// doubtPair notes that the consumer changed, and whether tokens may have died with it.
func (w *World) doubtPair(tokens bool) {
	w.since.pair = doubted
	if tokens {
		w.doubtToken()
	}
}

// doubtToken notes that the token is to be proven, as apply does in the record. What
// was repaired may have revived a token that was refused.
func (w *World) doubtToken() {
	if w.token() != nil {
		w.since.token, w.TokenDead = doubted, false
	}
	if k := w.current(); k != nil && k.Token != "" && w.Record.RefusedToken != k.Token {
		w.changeRecord().RefusedToken = k.Token
	}
}

// setConsumer puts the record's consumer into the link.
func (w *World) setConsumer(name string) {
	r := w.changeRecord()
	w.Consumer = &Consumer{Key: r.Consumer.Key, Name: name, Description: OwnerMark(w.Target.Fleet), Fingerprint: r.Consumer.Fingerprint}
}

// putKey puts a key on the token. Where it was not known what the token held, it is to
// be proven that it works.
func (w *World) putKey(k *Key, unknown bool) {
	if unknown {
		w.since.token = doubted
	}
	c := w.changeClient(w.Client().ID)
	c.Token.HasSSHKey = true
	k.Token, k.Set = c.Token.ID, w.Now
	w.Record.ClientID = c.ID
	if c.Token.User != "" && w.Target.UserID != 0 {
		w.Record.Authorized = &Authorized{Token: c.Token.ID, User: c.Token.User, Account: w.Target.UserID}
	}
}

// sshKeys returns the SSH keys of a record: pending, current, previous.
func (r *Record) sshKeys() []*Key {
	keys := make([]*Key, 0, 3)
	for _, k := range [...]*Key{r.Pending, r.Current, r.Previous} {
		if k != nil {
			keys = append(keys, k)
		}
	}
	return keys
}

// key returns where a record has the SSH key of a role.
func (r *Record) key(role Role) **Key {
	switch role {
	case Pending:
		return &r.Pending
	case Previous:
		return &r.Previous
	case Current:
	}
	return &r.Current
}
