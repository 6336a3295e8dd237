package plan

import (
	"github.com/bbsync/bbsync/internal/names"
)

// publicKey plans the public half on the service user: before Terraform gets
// the private half, and proven first.
func (d *differ) publicKey() {
	if d.newSSH {
		d.add(AddSSHKey{Role: Current, Label: d.label()}, d.reason("SSH key of "+d.want.ServiceUser, "none", "the record's", "service_user"))
		d.proveKey()
		return
	}
	current := d.have.Record.Current
	if d.hasKey(current.Fingerprint) || d.condemned() || current.Fingerprint == "" {
		return
	}
	if d.onOldUser() {
		if !d.foreignToken() && !d.leftBehind() { // else it is in use until a person has authorized
			d.bringKey()
		}
		return
	}
	d.add(AddSSHKey{Role: Current, Label: d.label(), Fingerprint: current.Fingerprint},
		d.reason("SSH key of "+d.want.ServiceUser, "not among its keys", current.Fingerprint, "service_user"))
	d.proveKey()
}

// proveKey proves the key that is the current one by now, once in a plan, if a
// login with it can succeed.
func (d *differ) proveKey() {
	if d.proveSSH {
		return
	}
	fresh := d.newSSH || d.switched
	if fresh || !d.have.Record.Current.Unheld && !d.expired(d.have.Record.Current.Fingerprint) {
		d.proveSSH = true
		d.add(ProveSSH{Role: Current})
	}
}

func (d *differ) hasKey(fingerprint string) bool {
	_, ok := d.have.Keys[fingerprint]
	return ok
}

// authorization plans the person's step: there is no token, or it is somebody
// else's, or Terraform has said that it does not work.
//
// No token works while the keys of the two sides differ, as a run that was cut
// off leaves them. Where this plan mends that, the token is proven after it.
func (d *differ) authorization() {
	token := d.token()
	step := Authorize{Client: d.want.Name, User: d.want.ServiceUser}
	switch {
	case token == nil:
		d.add(step, d.reason("OAuth token", "none", "one of "+d.want.ServiceUser, "service_user"))
	case !d.isServiceUser(token.User):
		step.Again = true
		d.add(step, d.reason("who authorized", token.User, d.want.ServiceUser, "service_user"))
		d.warn(d.want.Where("service_user"), "Terraform shows that %s authorized %q, not %s: revoke the connection in the organization's settings, log in to Bitbucket as %s, and connect again", token.User, d.want.Name, d.want.ServiceUser, d.want.ServiceUser)
	case d.have.TokenDead && d.have.Record.RefusedToken == token.ID && !d.doubtful:
		step.Again = true
		d.add(step, d.reason("OAuth token", token.ID+", which Bitbucket refuses", "one that works", "service_user"))
	default:
		return
	}
	d.waiting = true
	d.person(token)
}

// person notes what a person needs, where there is a client to authorize.
func (d *differ) person(token *Token) {
	if d.client == nil {
		return
	}
	p := &Person{ClientID: d.client.ID, URL: d.client.ConnectURL, Consumer: d.want.Consumer.Name}
	if token != nil {
		p.Token, p.TokenUser, p.Dead = token.ID, token.User, d.isServiceUser(token.User)
	}
	d.out.Person = p
}

// token returns the client's token, nil when there is none.
func (d *differ) token() *Token {
	if d.client == nil {
		return nil
	}
	return d.client.Token
}

func (d *differ) isServiceUser(shown string) bool { return d.have.User.Is(shown) }

// Is compares what Terraform shows as the service provider's user with the user.
// Nothing documents which of a user's names it is; none shown is taken for it.
func (u *User) Is(shown string) bool {
	return shown == "" || names.SameUser(shown, u.Name) || names.SameUser(shown, u.Slug) || shown == u.DisplayName ||
		u.Former != "" && names.SameUser(shown, u.Former)
}

// tokenKey plans the private half on the token. Terraform tells only that there
// is a key, so what was set is remembered in the record.
func (d *differ) tokenKey() {
	token := d.token()
	because := d.tokenKeyReasons(token)
	prove := len(because) > 0 || d.doubtful
	if (d.switched || d.tokenSet) && !d.waiting {
		because = nil // done by a rotation
	}
	if len(because) > 0 {
		step := SetTokenKey{Role: Current}
		switch {
		case d.switched:
			step.Fingerprint = d.switchedTo
		case !d.newSSH:
			step.Fingerprint = d.have.Record.Current.Fingerprint
		}
		if d.leftBehind() && !d.condemned() && !d.switched {
			d.stage(d.whySSH())
			d.proveRepositories()
			return
		}
		if d.onOldUser() && !d.condemned() {
			d.bringKey()
		}
		d.proveKey() // the proof that was planned with the public key may have been cut off
		d.add(step, because...)
	}
	if !prove {
		return
	}
	if d.doubtful && !d.waiting {
		d.note(d.want.Range, "the OAuth token may not outlive this change: a person may have to authorize again")
	}
	d.proveRepositories()
}

// proveRepositories asks Terraform which repositories it sees, once in a plan.
func (d *differ) proveRepositories() {
	if !d.seen {
		d.seen = true
		d.add(ProveRepositories{Repositories: d.repositories()})
	}
}

func (d *differ) tokenKeyReasons(token *Token) []Reason {
	reason := func(live string) []Reason {
		return []Reason{d.reason("private SSH key on the token", live, "the record's current key", "")}
	}
	switch {
	case token == nil || d.waiting:
		return reason("no token yet")
	case d.newSSH:
		return reason("unknown")
	}
	current := d.have.Record.Current
	switch {
	case !token.HasSSHKey:
		return reason("none")
	case current.Token != token.ID:
		return reason("unknown: the token was made by another authorization")
	case d.have.Record.RefusedToken == token.ID:
		return reason("unknown: the token was authorized again")
	}
	return nil
}

// repositories names what Terraform should see, as PROJECT/slug.
func (d *differ) repositories() []string {
	var out []string
	for _, g := range d.want.Grants {
		if g.Repository != "" {
			out = append(out, g.Project+"/"+g.Repository)
		}
	}
	for _, c := range d.left() {
		for _, w := range d.have.Using[c.Token.ID] {
			out = append(out, w.Repository)
		}
	}
	return onePerName(out)
}
