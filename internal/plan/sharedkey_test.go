package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// TestSharedSSHKey: a key that was brought to two connections is not deleted when
// one of them has another, unless it is compromised.
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
		"and it is compromised": {func(first, _ *plan.Record) { first.Previous.Compromised = "stolen" }, true},
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

// TestSharedKeyOutsideTheRun: who uses a key is asked of all records of the fleet,
// whatever the run is narrowed to and wherever a record is.
func TestSharedKeyOutsideTheRun(t *testing.T) {
	first, second := aConnection(), aConnection()
	second.Address, second.Record = "connection.second", "corp/second"
	retiring := func() plan.Have {
		have := inSync()
		have.Record.Current = &plan.Key{Fingerprint: "ssh-2", Token: "ot-1", Set: noon.Add(-48 * time.Hour)}
		have.Record.Previous = &plan.Key{Fingerprint: "ssh-1"}
		have.Keys["ssh-2"] = plan.SSHKey{ID: 2, Fingerprint: "ssh-2"}
		return have
	}
	emergency := plan.Rotation{SSH: true, Emergency: "stolen"}
	for name, c := range map[string]struct {
		have    func() plan.Have
		records func(map[string]*plan.Record)
		moved   bool // the second is planned, too, and its record is at another path
		asked   plan.Rotation
		deletes bool
		block   string
		note    string
	}{
		"not in the run":                  {have: retiring, note: "connection.second uses it, too"},
		"its record has moved":            {have: retiring, moved: true, records: func(r map[string]*plan.Record) { clear(r) }, note: "connection.second uses it, too"},
		"no file describes it":            {have: retiring, records: func(r map[string]*plan.Record) { r["corp/x"] = r["corp/second"]; delete(r, "corp/second") }, note: "the record corp/x uses it, too"},
		"its connection has ended":        {have: retiring, records: func(r map[string]*plan.Record) { r["corp/second"].Ended = "retired" }, deletes: true},
		"another fleet's":                 {have: retiring, records: func(r map[string]*plan.Record) { r["corp/second"].Fleet = "other" }, deletes: true},
		"an emergency":                    {have: inSync, asked: emergency, block: "the compromised SSH key is also that of connection.second, which is not in this run"},
		"an emergency for both":           {have: inSync, asked: emergency, moved: true, deletes: true, note: "it gets a new one in this run"},
		"an emergency, not described":     {have: inSync, asked: emergency, records: func(r map[string]*plan.Record) { r["corp/x"] = r["corp/second"]; delete(r, "corp/second") }, deletes: true, note: "which no file describes"},
		"an emergency began on the other": {have: inSync, moved: true, records: func(r map[string]*plan.Record) { r["corp/second"].Current.Compromised = "stolen" }, deletes: true, note: "it gets a new one in this run"},
	} {
		t.Run(name, func(t *testing.T) {
			have, its := c.have(), inSync()
			records := map[string]*plan.Record{first.Record: have.Record, second.Record: its.Record}
			if c.records != nil {
				c.records(records)
			}
			f := &schema.Fleet{Name: fleet, MaxRemovals: 9, Connections: []*schema.Connection{first, second}}
			planned, all := f.Connections[:1], []plan.Have{have}
			if c.moved {
				its.Moved, its.Record = &plan.MovedRecord{Path: "corp/old", Record: its.Record}, nil
				planned, all = f.Connections, append(all, its)
			}
			got := plan.Make(f, planned, all, nil, plan.Options{Now: noon, Rotate: c.asked, Records: records, Run: planned}).Connections[0]
			checkBlocks(t, got.Blocks, c.block, "connection.second")
			deleted := false
			for _, s := range got.Steps() {
				key, ok := s.(plan.DeleteSSHKey)
				deleted = deleted || ok && key.Fingerprint == "ssh-1"
			}
			if deleted != c.deletes || c.note != "" && !noted(got, c.note) {
				t.Errorf("deleted %t, want %t: %v", deleted, c.deletes, got.Notes)
			}
		})
	}
}

// TestServiceUserChangesSharedKey: a key that another connection uses on the user
// before stays there, and the service user gets one of its own.
func TestServiceUserChangesSharedKey(t *testing.T) {
	first, second := aConnection(), aConnection()
	second.Address, second.ServiceUser = "connection.second", "old-user"
	for name, c := range map[string]struct{ acts, steps string }{
		"authorized":         {user, "CreateSSHKey AddSSHKey ProveSSH SwitchKey"},
		"not authorized yet": {"old-user", "Authorize CreateSSHKey AddSSHKey ProveSSH SwitchKey ProveRepositories"},
	} {
		t.Run(name, func(t *testing.T) {
			have, its := inSync(), inSync()
			have.Record.About.ServiceUser, have.Clients[0].Token.User = "old-user", c.acts
			have.OldKeys, have.Keys = have.Keys, map[string]plan.SSHKey{}
			f := &schema.Fleet{Name: fleet, Connections: []*schema.Connection{first, second}}
			got := plan.Make(f, f.Connections, []plan.Have{have, its}, nil, plan.Options{Now: noon}).Connections[0]
			if diff := cmp.Diff(c.steps, kindsOf(got)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNamesOfAnother: a record that names what another connection's record names, too,
// is believed only if it has the pair.
func TestNamesOfAnother(t *testing.T) {
	const client, link = "OAuth client oc-1 is in the record", "has consumer key bbsync-1, which is that of connection.second"
	for name, c := range map[string]struct {
		change func(h, its *plan.Have)
		block  string
	}{
		"the pair is this one's": {func(_, _ *plan.Have) {}, ""},
		"the client is not": {func(h, _ *plan.Have) {
			h.Record.Consumer = &plan.ConsumerKey{Key: "k", Fingerprint: "rsa-9"}
			h.Link, h.Consumer = nil, nil
		}, client},
		"the key was copied": {func(h, _ *plan.Have) { h.Record.Consumer.Fingerprint = "rsa-9" }, client},
		"the link is not": {func(h, _ *plan.Have) {
			h.Record.Consumer = &plan.ConsumerKey{Key: "k", Fingerprint: "rsa-9"}
			h.Record.ClientID, h.Clients = "", nil
		}, link},
		"nobody else names it": {func(h, its *plan.Have) { h.Record.Consumer.Fingerprint, its.Record = "rsa-9", nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := aConnection(), aConnection()
			second.Address, second.Record, first.Adopt = "connection.second", "corp/second", true
			have, its := inSync(), inSync()
			c.change(&have, &its)
			f := &schema.Fleet{Name: fleet, Connections: []*schema.Connection{first, second}}
			got := plan.Make(f, f.Connections, []plan.Have{have, its}, nil, plan.Options{Now: noon})
			checkBlocks(t, got.Connections[0].Blocks, c.block, "")
		})
	}
}
