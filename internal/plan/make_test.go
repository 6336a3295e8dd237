package plan_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// twoConnections are of two organizations on one Bitbucket, and a third
// Bitbucket that none of them uses.
func twoConnections() (*schema.Fleet, []*schema.Connection) {
	one, two := aConnection(), aConnection()
	two.Address, two.Organization, two.Bitbucket = `connection.team["beta"]`, "beta", one.Bitbucket
	return &schema.Fleet{
		Name:       fleet,
		Bitbuckets: []*schema.Bitbucket{{Label: "unused"}, one.Bitbucket},
	}, []*schema.Connection{one, two}
}

func TestMake(t *testing.T) {
	files, connections := twoConnections()
	revoked := *nothing().Bitbucket
	revoked.Granted = map[plan.GrantPermission]bool{vpcAdmin: false}
	unread := plan.Bitbucket{Unread: []plan.Unread{{System: "bitbucket", Err: "503"}}}
	tooOld := plan.Bitbucket{Version: "4.8.0", Granted: map[plan.GrantPermission]bool{vpcAdmin: true}, Plugin: &plan.Plugin{Enabled: true}}
	for _, c := range []struct {
		name    string
		shared  plan.Bitbucket
		summary plan.Summary
		states  []plan.State
		pending bool
	}{
		{"granted", *nothing().Bitbucket, plan.Summary{Steps: 11, Persons: 1}, []plan.State{plan.StateInSync, plan.StateChanges}, true},
		{"revoked: one grant for both", revoked, plan.Summary{Steps: 12, Shared: 1, Persons: 1}, []plan.State{plan.StateInSync, plan.StateChanges}, true},
		{"unreadable: what is in sync stays so", unread, plan.Summary{}, []plan.State{plan.StateInSync, plan.StateUnreadable}, false},
		{"too old", tooOld, plan.Summary{}, []plan.State{plan.StateInSync, plan.StateRefused}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := []plan.Have{inSync(), nothing()}
			p := plan.Make(files, connections, have, map[string]plan.Bitbucket{"corp": c.shared}, plan.Options{Now: noon})
			c.summary.Connections, c.summary.States = 2, map[plan.State]int{c.states[0]: 1, c.states[1]: 1}
			if diff := cmp.Diff(c.summary, p.Summary()); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
			for i, connection := range p.Connections {
				if connection.State() != c.states[i] {
					t.Errorf("%s is %s, want %s", connection.Address, connection.State(), c.states[i])
				}
			}
			if p.Pending() != c.pending || len(p.Bitbuckets) != 1 {
				t.Errorf("pending %t, %d Bitbuckets; want %t, and the one that is used", p.Pending(), len(p.Bitbuckets), c.pending)
			}
			if !reflect.DeepEqual(have, []plan.Have{inSync(), nothing()}) {
				t.Error("what was read was written to")
			}
		})
	}
}

// TestMakeUnreadBitbucket: what was read of a connection's Bitbucket counts
// when what its connections share could not be read.
func TestMakeUnreadBitbucket(t *testing.T) {
	files, connections := twoConnections()
	shared := map[string]plan.Bitbucket{"corp": {Unread: []plan.Unread{{System: "bitbucket", Err: "503"}}}}
	p := plan.Make(files, connections[:1], []plan.Have{inSync()}, shared, plan.Options{Now: noon})
	if notes := p.Connections[0].Notes; len(notes) > 0 {
		t.Errorf("notes on a connection in sync: %v", notes)
	}
}

func TestMakeAdopts(t *testing.T) {
	files, connections := twoConnections()
	have := []plan.Have{noRecord(), noRecord()}
	shared := map[string]plan.Bitbucket{"corp": *nothing().Bitbucket}
	p := plan.Make(files, connections, have, shared, plan.Options{Now: noon, Adopt: func(a string) bool { return a == address }})
	if one, two := p.Connections[0].State(), p.Connections[1].State(); one != plan.StateChanges || two != plan.StateRefused {
		t.Errorf("states %s and %s; want the one that was named adopted, the other refused", one, two)
	}
	if connections[0].Adopt {
		t.Error("the files' own connection was written to")
	}
}

func TestWaits(t *testing.T) {
	have := inSync()
	if plan.Diff(fleet, aConnection(), have, noon).Waits() {
		t.Error("in sync, and waits")
	}
	if !plan.Diff(fleet, aConnection(), nothing(), noon).Waits() {
		t.Error("new, and does not wait for a person")
	}
}

// TestBasis: what an apply notes of its effects changes the basis; who holds
// the lease, and how often it was written, does not.
func TestBasis(t *testing.T) {
	basis := func(change func(*plan.Record)) string {
		r := inSync().Record
		change(r)
		return r.Basis()
	}
	first := basis(func(*plan.Record) {})
	for what, change := range map[string]func(*plan.Record){
		"version": func(r *plan.Record) { r.Version++ },
		"lease":   func(r *plan.Record) { r.Lease = &plan.Lease{Holder: "eve", Expires: noon} },
		"address": func(r *plan.Record) { r.Address = "connection.moved" },
	} {
		if basis(change) != first {
			t.Errorf("another %s is another basis", what)
		}
	}
	for what, change := range map[string]func(*plan.Record){
		"pair":  func(r *plan.Record) { r.Consumer.Fingerprint = "x" },
		"key":   func(r *plan.Record) { r.Current = nil },
		"token": func(r *plan.Record) { r.Current.Token = "x" },
		"doubt": func(r *plan.Record) { r.RefusedToken = "x" },
		"link":  func(r *plan.Record) { r.LinkID = "" },
		"wave":  func(r *plan.Record) { r.Moving = &plan.Moving{From: "x"} },
	} {
		if basis(change) == first {
			t.Errorf("another %s is the same basis", what)
		}
	}
	none := (*plan.Record)(nil)
	if leased := (&plan.Record{Version: 1, Fleet: fleet, Lease: &plan.Lease{}}); none.Basis() != "" || leased.Basis() != "" {
		t.Error("a record that says nothing has a basis")
	}
}

// TestAskedBefore: what an earlier plan of the run made of a rotation counts, and not
// the key that is in use by now.
func TestAskedBefore(t *testing.T) {
	files, connections := twoConnections()
	opts := plan.Options{Now: noon, Rotate: plan.Rotation{SSH: true, Consumer: true}}
	make := func() plan.Plan {
		return plan.Make(files, connections[:1], []plan.Have{inSync()}, map[string]plan.Bitbucket{"corp": *nothing().Bitbucket}, opts)
	}
	first := make()
	if !first.Pending() {
		t.Fatalf("nothing is planned: %+v", first.Connections[0])
	}
	ask := first.Connections[0].Ask
	opts.Asked = map[string]*plan.Ask{address: &ask}
	if again := make(); len(again.Connections[0].Changes) != len(first.Connections[0].Changes) {
		t.Errorf("nothing was done, and the plan is another one: %+v", again.Connections[0].Changes)
	}
	ask.NotKey, ask.NotPair = "SHA256:before", "SHA256:before" // both were changed
	if again := make(); again.Pending() {
		t.Errorf("it was done, and there is a plan: %+v", again.Connections[0].Changes)
	}
}
