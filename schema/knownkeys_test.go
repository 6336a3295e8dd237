package schema_test

import (
	"testing"

	"github.com/bbsync/bbsync/schema"
)

func TestKnowsSSHKey(t *testing.T) {
	b := schema.Bitbucket{KnownSSHKeys: []string{"SHA256:one", "bbsync/other/*", "laptop"}}
	for _, c := range []struct {
		fingerprint, label string
		want               bool
	}{
		{"SHA256:one", "", true},
		{"SHA256:two", "bbsync/other/acme", true},
		{"SHA256:two", "laptop", true},
		{"SHA256:two", "laptop of mine", false},
		{"SHA256:two", "bbsync/corp/acme", false},
		{"SHA256:two", "", false},
	} {
		if have := b.KnowsSSHKey(c.fingerprint, c.label); have != c.want {
			t.Errorf("%s %q: %v", c.fingerprint, c.label, have)
		}
	}
}
