package plan_test

import (
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
)

// TestLease has a connection whose link is missing and whose record has a lease.
func TestLease(t *testing.T) {
	taken := noon.Add(-3 * time.Minute)
	mend := []plan.Step{
		plan.CreateLink{URL: "https://app.terraform.io/app/acme", Name: "Terraform Cloud (acme)"},
		plan.SetConsumer{LinkURL: "https://app.terraform.io/app/acme", Name: "Terraform Cloud (acme)", Fingerprint: "rsa-1"},
		plan.ProveConsumer{},
		plan.ProveRepositories{Repositories: []string{"INFRA/vpc"}},
	}
	with := func(s plan.BreakLease) []plan.Step { return append([]plan.Step{s}, mend...) }
	lease := func(l plan.Lease) func(*plan.Have) { return func(h *plan.Have) { h.Record.Lease = &l } }
	runDiff(t, func() plan.Have {
		have := inSync()
		have.Link, have.Consumer = nil, nil
		return have
	}, []diffCase{{
		name:  "another run holds it",
		have:  lease(plan.Lease{Holder: "eve", Taken: taken, Age: 3 * time.Minute, Expires: noon.Add(time.Minute)}),
		block: "leased: eve is applying to this connection (for 3m0s); its lease ends at 2026-07-01T12:01:00Z", remedy: "--break-lease",
		state: plan.StateLeased,
	}, {
		name:  "no run takes such a lease",
		have:  lease(plan.Lease{Holder: "eve", Expires: noon.AddDate(73, 0, 0), Broken: true}),
		steps: with(plan.BreakLease{Holder: "eve", Why: "bbsync takes no such lease, so that it is not believed"}),
		notes: []string{"may not outlive"},
		state: plan.StateChanges,
	}, {
		name:  "the user wants it broken",
		have:  lease(plan.Lease{Holder: "eve", Taken: taken, Expires: noon.Add(time.Minute), Break: "the runner hangs"}),
		steps: with(plan.BreakLease{Holder: "eve", Taken: taken, Why: "the runner hangs"}),
		notes: []string{"may not outlive"},
		state: plan.StateChanges,
	}, {
		name: "the user wants to break the lease of a record that is to be moved",
		have: func(h *plan.Have) {
			h.Record.Lease = &plan.Lease{Holder: "eve", Expires: noon.Add(time.Minute), Break: "the runner hangs"}
			h.Moved, h.Record = &plan.MovedRecord{Path: "elsewhere", Record: h.Record}, nil
		},
		block: "leased: eve is applying to this connection", remedy: "wait for it",
		state: plan.StateLeased,
	}})
}

// TestWithin compares what another run left to do with what was planned.
func TestWithin(t *testing.T) {
	made := func(steps ...plan.Step) plan.Connection {
		var c plan.Connection
		for _, s := range steps {
			c.Changes = append(c.Changes, plan.Change{Step: s})
		}
		return c
	}
	a, b, other := plan.RenameLink{To: "a"}, plan.RetireRecord{}, plan.RenameLink{To: "b"}
	elsewhere := made(b)
	elsewhere.Organization = "another"
	for _, c := range []struct {
		what string
		left plan.Connection
		want bool
	}{
		{"nothing", made(), true},
		{"all", made(a, b), true},
		{"the rest", made(b), true},
		{"another order", made(b, a), false},
		{"a step twice", made(a, a), false},
		{"the step with another value", made(other, b), false},
		{"the step on another target", elsewhere, false},
	} {
		if have := c.left.Within(made(a, b)); have != c.want {
			t.Errorf("%s: %v", c.what, have)
		}
	}
}
