package live

import (
	"slices"
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// Every key that a record names is known, in whatever role; one whose fingerprint
// no record has, or a record that contradicts its keys, leaves in doubt what is.
func TestFleetKeys(t *testing.T) {
	about := plan.About{Bitbucket: server}
	bitbucket := &schema.Bitbucket{URL: server + ":443/"}
	for name, test := range map[string]struct {
		record  *plan.Record
		unknown []string // of one, two, three
		doubt   string
	}{
		"all roles":        {&plan.Record{Pending: &plan.Key{Fingerprint: "one"}, Current: &plan.Key{Fingerprint: "two"}, Previous: &plan.Key{Fingerprint: "three"}}, nil, ""},
		"no keys":          {&plan.Record{}, []string{"one", "two", "three"}, ""},
		"compromised":      {&plan.Record{Previous: &plan.Key{Fingerprint: "one", Compromised: "stolen"}}, []string{"two", "three"}, ""},
		"privateElsewhere": {&plan.Record{Address: "a", Current: &plan.Key{PrivateElsewhere: true, Fingerprint: "one"}}, []string{"two", "three"}, ""},
		"unnamed":          {&plan.Record{Address: "a", Current: &plan.Key{PrivateElsewhere: true}}, []string{"one", "two", "three"}, "a"},
		"edited": {
			&plan.Record{Address: "a", Current: &plan.Key{Fingerprint: "one"}, Contradiction: &plan.Contradiction{}},
			[]string{"two", "three"},
			"a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.record.About = about
			known := map[string]bool{}
			test.record.KnownBy(known)
			var left []string
			candidates := []plan.UnknownKey{{SSHKey: plan.SSHKey{Fingerprint: "one"}}, {SSHKey: plan.SSHKey{Fingerprint: "two"}}, {SSHKey: plan.SSHKey{Fingerprint: "three"}}}
			for _, k := range without(candidates, known) {
				left = append(left, k.Fingerprint)
			}
			if !slices.Equal(left, test.unknown) {
				t.Errorf("unknown are %q, want %q", left, test.unknown)
			}
			all := fleetKeys{records: map[string]*plan.Record{"path": test.record}, known: known}
			if have := all.unnamed(bitbucket); have != test.doubt {
				t.Errorf("in doubt is %q, want %q", have, test.doubt)
			}
			if have := all.unnamed(&schema.Bitbucket{URL: "https://other.example"}); have != "" {
				t.Errorf("in doubt on another Bitbucket is %q", have)
			}
		})
	}
}
