package plan_test

import (
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// TestSharedSSHKey: a key that was brought to two connections is not deleted when
// one of them has another, unless it is condemned.
func TestSharedSSHKey(t *testing.T) {
	both := func(change func(first, second *plan.Record)) plan.Connection {
		first, second := aConnection(), aConnection()
		second.Address = "connection.second"
		have, its := inSync(), inSync()
		have.Record.Current = &plan.Key{Fingerprint: "ssh-2", Token: "ot-1", Set: noon.Add(-48 * time.Hour)}
		have.Record.Previous = &plan.Key{Fingerprint: "ssh-1"}
		have.Keys["ssh-2"] = plan.SSHKey{ID: 2, Fingerprint: "ssh-2"}
		change(have.Record, its.Record)
		f := &schema.Fleet{Name: fleet, Connections: []*schema.Connection{first, second}}
		return plan.Make(f, f.Connections, []plan.Have{have, its}, nil, plan.Options{Now: noon}).Connections[0]
	}
	for name, c := range map[string]struct {
		change func(first, second *plan.Record)
		goes   bool
	}{
		"the other one uses it": {func(_, _ *plan.Record) {}, false},
		"and it is condemned":   {func(first, _ *plan.Record) { first.Previous.Condemned = "stolen" }, true},
		"the other one has left it, too": {func(_, second *plan.Record) {
			second.Previous, second.Current = second.Current, &plan.Key{Fingerprint: "ssh-2"}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := both(c.change)
			deleted, retired := false, false
			for _, s := range got.Steps() {
				if key, ok := s.(plan.DeleteSSHKey); ok && key.Fingerprint == "ssh-1" {
					deleted = true
				}
				if _, ok := s.(plan.RetireKey); ok {
					retired = true
				}
			}
			if deleted != c.goes || !retired || !c.goes && !noted(got, "connection.second uses it, too") {
				t.Errorf("deleted %t, retired %t: %v", deleted, retired, got.Notes)
			}
		})
	}
}
