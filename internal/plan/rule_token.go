package plan

// authorizeRule plans the manual step: there is no token, or it is somebody else's, or
// Terraform has said that it does not work and nothing was repaired since.
func authorizeRule(v view) *Change {
	t := v.token()
	s := Authorize{Client: v.want.Name, User: v.want.ServiceUser, Again: t != nil}
	switch {
	case t == nil:
		return step(s, v.reason("token", "OAuth token", "", "one of "+v.want.ServiceUser, "service_user"))
	case !v.isServiceUser(t):
		return step(s, v.reason("token_user", "who authorized", t.User, v.want.ServiceUser, "service_user"))
	case v.deadToken():
		return step(s, v.reason("token", "OAuth token", t.ID+", which Bitbucket refuses", "one that works", "service_user"))
	}
	return nil
}

// tokenKeyRule plans the private half on the token. Terraform tells only that there
// is a key, so what was set is remembered in the record.
func tokenKeyRule(v view) *Change {
	live := v.keyOnToken()
	if live == "" {
		return nil
	}
	return v.giveKey(v.current(), v.reason("token_ssh_key", "private SSH key on the token", live, "the record's current key", ""))
}

// giveKey puts the key in use on the token, when it is proven.
func (v view) giveKey(k *Key, because Reason) *Change {
	if !k.PrivateElsewhere && v.since.login[k.Fingerprint] != proven {
		return step(ProveSSH{Role: Current}, because)
	}
	return step(SetTokenKey{Role: Current, Fingerprint: known(k.Fingerprint)}, because)
}

// keyOnToken returns what is wrong with the key on the token, "" for nothing.
func (w *World) keyOnToken() string {
	t, k := w.token(), w.Record.Current
	switch {
	case known(t.ID) == "" && !t.HasSSHKey:
		return "no token yet"
	case known(k.Fingerprint) == "" && !k.PrivateElsewhere && k.Token != t.ID:
		return "unknown"
	case !t.HasSSHKey:
		return "none"
	case k.Token != t.ID:
		return "unknown: the token was made by another authorization"
	}
	return ""
}

// tokenRule asks Terraform which repositories it sees, where the token may have
// stopped working, or where the pair before is to go.
func tokenRule(v view) *Change {
	toRetire := v.Record.Consumer.Previous != "" && v.since.token != proven
	if v.since.token == doubted || !v.deadToken() && (v.doubtfulToken() || toRetire) {
		return v.proveToken()
	}
	return nil
}

func (v view) proveToken() *Change { return step(ProveRepositories{Repositories: v.repositories()}) }

// repositories names what Terraform should see, as PROJECT/slug.
func (v view) repositories() []string {
	var out []string
	for _, g := range v.want.Grants {
		if g.Repository != "" {
			out = append(out, g.Project+"/"+g.Repository)
		}
	}
	for _, c := range v.left() {
		for _, w := range v.Using[c.Token.ID] {
			out = append(out, w.Repository)
		}
	}
	return onePerName(out)
}
