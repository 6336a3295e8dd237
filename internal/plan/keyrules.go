package plan

import "fmt"

// keyRules holds the SSH keys that this plan makes against the server's rules,
// before anything is written. A key that is brought is measured when it is read.
func (d *differ) keyRules() {
	rules := d.have.Bitbucket.KeyRules
	if rules == (KeyRules{}) || !d.makesSSHKey() {
		return
	}
	at := d.want.Where("ssh_key.bits")
	switch bits := d.want.SSHKey.Bits; {
	case rules.RSARefused:
		d.block(Invalid, at, "the server's rules for SSH keys allow no RSA keys, and Terraform documents no other kind", "have the Bitbucket administrator allow RSA keys")
		return
	case bits < rules.RSABits:
		d.block(Invalid, at, fmt.Sprintf("the server's rules for SSH keys ask for RSA keys of %d bits, and the files for %d", rules.RSABits, bits),
			fmt.Sprintf("set bits = %d in ssh_key", rules.RSABits))
		return
	}
	if rules.MaxExpiryDays > 0 {
		d.note(d.want.Where("ssh_key.rotate_after"), "the server lets SSH keys end after %d days: an apply on schedule replaces them before", rules.MaxExpiryDays)
	}
}

// makesSSHKey reports whether bbsync itself makes an SSH key in this plan.
func (d *differ) makesSSHKey() bool {
	for _, c := range d.out.Changes {
		if s, ok := c.Step.(CreateSSHKey); ok && s.From == "" {
			return true
		}
	}
	return false
}
