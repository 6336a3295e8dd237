package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

func strangers() plan.UnknownKeys {
	return plan.UnknownKeys{Keys: []plan.UnknownKey{
		{User: user, SSHKey: plan.SSHKey{ID: 7, Fingerprint: "SHA256:a", Label: "build server", Created: noon, LastUsed: noon}},
		{User: "svc-2", SSHKey: plan.SSHKey{ID: 8, Fingerprint: "SHA256:b"}},
	}}
}

// Unknown keys are reported and keep nobody waiting; they are removed only when
// that is asked for, and not when one of them may be the fleet's.
func TestUnknownKeys(t *testing.T) {
	remove := plan.Rotation{SSH: true, Emergency: "stolen", RemoveUnknownKeys: true}
	for name, test := range map[string]struct {
		doubt string
		asked plan.Rotation
		steps []plan.SharedStep
		notes []string
	}{
		"reported": {"", plan.Rotation{}, nil, []string{`SHA256:a "build server", added 2026-07-01, last used 2026-07-01`, "svc-2 has an SSH key that no record of this fleet knows: SHA256:b;"}},
		"an emergency that does not ask": {
			"", plan.Rotation{SSH: true, Emergency: "stolen"}, nil, []string{"SHA256:a", "SHA256:b"},
		},
		"removed": {"", remove, []plan.SharedStep{
			plan.RemoveUnknownKey{User: user, ID: 7, Fingerprint: "SHA256:a", Label: "build server"},
			plan.RemoveUnknownKey{User: "svc-2", ID: 8, Fingerprint: "SHA256:b"},
		}, nil},
		"in doubt": {"one of them may be another's", remove, nil, []string{"SHA256:a", "SHA256:b", "one of them may be another's"}},
	} {
		t.Run(name, func(t *testing.T) {
			have := *nothing().Bitbucket
			have.Strange = strangers()
			have.Strange.Doubt = test.doubt
			want := aConnection()
			got := plan.DiffBitbucket(want.Bitbucket, []*schema.Connection{want}, have, test.asked)
			if steps := got.Steps(); !slices.Equal(emptyIsNil(steps), emptyIsNil(test.steps)) {
				t.Errorf("have %v, want %v", steps, test.steps)
			}
			checkNotes(t, got.Notes, test.notes)
			if len(got.Blocks) > 0 || len(got.UnknownKeys) != 2 || (got.State() == plan.StateInSync) != (test.steps == nil) {
				t.Errorf("have blocks %v, %d unknown keys, %s", got.Blocks, len(got.UnknownKeys), got.State())
			}
		})
	}
	text := plan.RemoveUnknownKey{User: "u", Fingerprint: "f", Label: "a\x1b[2J"}.String()
	if !strings.HasPrefix(text, `bitbucket: delete SSH key f ("a\x1b[2J") from u, which no record`) {
		t.Errorf("shown as %s", text)
	}
}
