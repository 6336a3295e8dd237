package names_test

import (
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/names"
)

// TestPatterns holds the vendors' rules for names.
func TestPatterns(t *testing.T) {
	long := strings.Repeat("a", 128)
	for kind, tt := range map[string]struct {
		is      func(string) bool
		yes, no []string
	}{
		"project": {
			names.IsProject,
			[]string{"INFRA", "infra", "TF-INFRA", "A_B-9", "~svc", "~_svc_tf", "~1st.last-x", "~a", long},
			[]string{"", "~", "9A", "-A", "_A", "A B", "A/B", "A.B", "~a@b", "INFRA\n", long + "a"},
		},
		"repository": {
			names.IsRepository,
			[]string{"vpc", "a.b", "_x", "9", "-x", long},
			[]string{"", ".", "..", "My Repo", "a/b", "vpc\n", long + "a"},
		},
		"user": {
			names.IsUser,
			[]string{"svc-terraform", "Jane Doe", "jane@corp.example", "CORP\\svc", "käthe"},
			[]string{"", " svc", "svc\n", "s\x00vc", "\xff", strings.Repeat("a", 256)},
		},
		"organization": {
			names.IsOrganization,
			[]string{"acme", "Acme-01", "a_b"},
			[]string{"", "a.b", "a b", "a/b", "acme\n"},
		},
	} {
		for _, name := range tt.yes {
			if !tt.is(name) {
				t.Errorf("%s %q is refused", kind, name)
			}
		}
		for _, name := range tt.no {
			if tt.is(name) {
				t.Errorf("%s %q is accepted", kind, name)
			}
		}
	}
}
