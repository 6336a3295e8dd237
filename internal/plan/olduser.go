package plan

// onOldUser reports whether the SSH key is on the user that the files named before.
// Bitbucket has a key on one user only.
func (d *differ) onOldUser() bool {
	r := d.have.Record
	if r == nil || r.Current == nil || d.newSSH || d.keyBrought || d.hasKey(r.Current.Fingerprint) {
		return false
	}
	_, ok := d.have.OldKeys[r.Current.Fingerprint]
	return ok
}

// leftBehind reports whether the SSH key has to stay on the user that the files named
// before, as another connection uses it there. The service user then gets a new one.
func (d *differ) leftBehind() bool {
	return d.onOldUser() && len(d.have.Shared[d.currentFingerprint()]) > 0
}

// bringKey takes the record's keys from the user that the files named before, and
// adds the current one to the service user.
func (d *differ) bringKey() {
	r := d.have.Record
	because := []Reason{d.reason("SSH key of "+d.want.ServiceUser, "on "+r.About.ServiceUser, r.Current.Fingerprint, "service_user")}
	var steps []Step
	for _, k := range []*Key{r.Current, d.keys.pending, d.keys.previous} {
		if k == nil {
			continue
		}
		if _, ok := d.have.OldKeys[k.Fingerprint]; ok && !d.hasKey(k.Fingerprint) && len(d.have.Shared[k.Fingerprint]) == 0 {
			steps = append(steps, d.deletion(k.Fingerprint))
		}
	}
	d.all(because, append(steps, AddSSHKey{Role: Current, Label: d.label(), Fingerprint: r.Current.Fingerprint}))
	d.keyBrought = true
	d.proveKey()
}

// published reports whether an SSH key is on Bitbucket: on the service user, or on
// the one that the files named before.
func (d *differ) published(fingerprint string) bool {
	_, old := d.have.OldKeys[fingerprint]
	return d.hasKey(fingerprint) || old && !d.keyBrought
}

// deletion deletes an SSH key that is published.
func (d *differ) deletion(fingerprint string) DeleteSSHKey {
	if live, ok := d.have.Keys[fingerprint]; ok {
		return DeleteSSHKey{ID: live.ID, Fingerprint: fingerprint}
	}
	return DeleteSSHKey{ID: d.have.OldKeys[fingerprint].ID, Fingerprint: fingerprint, User: d.have.Record.About.ServiceUser}
}
