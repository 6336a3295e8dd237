package plan

import "fmt"

// keyRules holds the SSH keys that this plan makes against the server's rules,
// before anything is written. A key that is brought is measured when it is read.
func (t *telling) keyRules() {
	rules := t.Bitbucket.KeyRules
	if rules == (KeyRules{}) || !t.makesSSHKey() {
		return
	}
	at := t.want.Where("ssh_key.bits")
	switch bits := t.want.SSHKey.Bits; {
	case rules.RSARefused:
		t.block(Invalid, at, "the server's rules for SSH keys allow no RSA keys, and Terraform documents no other kind", "have the Bitbucket administrator allow RSA keys")
		return
	case bits < rules.RSABits:
		t.block(Invalid, at, fmt.Sprintf("the server's rules for SSH keys ask for RSA keys of %d bits, and the files for %d", rules.RSABits, bits),
			fmt.Sprintf("set bits = %d in ssh_key", rules.RSABits))
		return
	}
	if rules.MaxExpiryDays > 0 {
		t.note(t.want.Where("ssh_key.rotate_after"), "the server lets SSH keys end after %d days: an apply on schedule replaces them before", rules.MaxExpiryDays)
	}
}

// makesSSHKey reports whether bbsync itself makes an SSH key in this plan.
func (t *telling) makesSSHKey() bool {
	for _, c := range t.changes {
		if s, ok := c.Step.(CreateSSHKey); ok && s.From == "" {
			return true
		}
	}
	return false
}
