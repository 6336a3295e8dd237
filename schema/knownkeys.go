package schema

import (
	"fmt"
	"regexp"
	"strings"
)

var keyFingerprint = regexp.MustCompile(`^SHA256:[A-Za-z0-9+/]{43}$`)

// knownSSHKeys returns known_ssh_keys, checked.
func (v view) knownSSHKeys() []string {
	list := v.texts("known_ssh_keys")
	for _, text := range list {
		switch {
		case strings.HasPrefix(text, "SHA256:") && !keyFingerprint.MatchString(text):
			v.fail("known_ssh_keys", ruleHostKey, "Not a fingerprint", fmt.Sprintf("%s is not the fingerprint of an SSH key.", shown(text)),
				"as ssh-keygen -l prints it: SHA256: and 43 characters")
		case strings.Trim(text, "* ") == "":
			v.fail("known_ssh_keys", ruleHostKey, "Every key is known", fmt.Sprintf("%s stands for every key, so that none would be reported.", shown(text)),
				"list fingerprints, or labels such as \"bbsync/other-fleet/*\"")
		}
	}
	return list
}

// KnowsSSHKey reports whether known_ssh_keys lists a key of a service user, by its
// fingerprint or its label. Anyone who adds a key chooses its label.
func (b *Bitbucket) KnowsSSHKey(fingerprint, label string) bool {
	for _, known := range b.KnownSSHKeys {
		prefix, open := strings.CutSuffix(known, "*")
		if known == fingerprint || known == label || open && strings.HasPrefix(label, prefix) {
			return true
		}
	}
	return false
}
