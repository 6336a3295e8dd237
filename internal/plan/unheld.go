package plan

// What people made by hand has keys whose private halves only Terraform holds,
// and Terraform shows none. The record then has the public half, or not even
// that. Such a connection is compared and mended as any other, but for what
// needs the private half: a proof is left out, and a key that Terraform has lost
// is replaced, as nobody has it any more.

// lostPair reports whether the private half of the consumer's pair is nowhere.
func (d *differ) lostPair() bool {
	r := d.have.Record
	if r == nil || r.Consumer == nil || !r.Consumer.Unheld {
		return false
	}
	return d.client == nil || d.client.Key != r.Consumer.Key || d.client.Fingerprint != r.Consumer.Fingerprint
}

// lostSSH reports whether the private half of the SSH key is nowhere, or will
// be once a person has authorized again, or whether its public half is not on the
// service user: a key is published only by who has its private half.
func (d *differ) lostSSH() bool {
	r := d.have.Record
	if r == nil || r.Current == nil || !r.Current.Unheld {
		return false
	}
	token := d.token()
	return r.Current.Fingerprint != "" && !d.hasKey(r.Current.Fingerprint) || token == nil || !token.HasSSHKey || r.Current.Token != token.ID || r.RefusedToken == token.ID || !d.isServiceUser(token.User)
}

// replaced reports whether a lost SSH key is replaced where it is. One that is
// compromised is rotated instead, so that the record names it until it is gone
// from Bitbucket; and where another key is staged, that one takes its place.
func (d *differ) replaced() bool {
	return d.lostSSH() && !d.condemned() && d.keys.pending == nil
}

// staysPublished notes that the public half of a lost key stays on Bitbucket.
func (d *differ) staysPublished() {
	if k := d.keys.current; k != nil && d.published(k.Fingerprint) {
		d.note(d.want.Where("ssh_key"), "SSH key %s stays on Bitbucket, and nothing of bbsync uses it any more: delete it there if nobody else does", k.Fingerprint)
	}
}

// unheld tells of what cannot be known, and how it can be.
func (d *differ) unheld() {
	r := d.have.Record
	if r == nil {
		return
	}
	if c := r.Consumer; c != nil && c.Unheld && !d.newPair && !d.newSwap {
		d.note(d.want.Range, "only Terraform holds the private half of the consumer's pair, %s: it cannot be proven; bbsync rotate --consumer makes a pair that Vault has, too", c.Fingerprint)
	}
	k := r.Current
	switch {
	case k == nil || !k.Unheld || d.newSSH || d.switched:
	case k.Fingerprint == "":
		d.note(d.want.Range, "only Terraform holds the SSH key, and which of the public keys of %s it is cannot be known; bbsync rotate --ssh makes one that Vault has, too", d.want.ServiceUser)
	default:
		d.note(d.want.Range, "only Terraform holds the private half of SSH key %s: it cannot be proven; bbsync rotate --ssh makes one that Vault has, too", k.Fingerprint)
	}
}
