package plan_test

import (
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// TestBlocked has what keeps a connection from being planned, though its link
// is gone and there would be something to do.
func TestBlocked(t *testing.T) {
	broken := func() plan.Have {
		have := inSync()
		have.Link, have.Consumer = nil, nil
		return have
	}
	lease := func(end time.Time) func(*plan.Have) {
		return func(h *plan.Have) { h.Record.Lease = &plan.Lease{Holder: "eve@laptop", Expires: end} }
	}
	runDiff(t, broken, []diffCase{{
		name: "a system does not answer, and nothing else is known",
		have: func(h *plan.Have) {
			*h = plan.Have{Unread: []plan.Unread{{System: "bitbucket", Err: "connection refused"}}}
		},
		block: "unreadable: bitbucket: connection refused",
		state: plan.StateUnreadable,
	}, {
		name:   "another apply is at it",
		have:   lease(noon.Add(time.Second)),
		block:  "leased: eve@laptop is applying to this connection; its lease ends at 2026-07-01T12:00:01Z",
		remedy: "wait for it",
		state:  plan.StateLeased,
	}, {
		name: "another apply was at it",
		have: lease(noon),
		steps: []plan.Step{
			plan.CreateLink{URL: linkURL, Name: name}, setConsumer, plan.ProveConsumer{}, proveRepos,
		},
		notes: []string{"may not outlive"},
	}, {
		name:   "service user missing",
		have:   func(h *plan.Have) { h.User = nil },
		block:  `invalid: user "svc-terraform" does not exist on https://bitbucket.example/git`,
		remedy: "create the service user",
		state:  plan.StateRefused,
	}, {
		name:   "service user inactive",
		have:   func(h *plan.Have) { h.User.Active = false },
		block:  `invalid: user "svc-terraform" is not active on https://bitbucket.example/git`,
		remedy: "activate the user",
	}, {
		name: "repository unknown",
		have: func(h *plan.Have) {
			h.Bitbucket.Unknown = map[plan.GrantPermission]string{vpcAdmin: "Repository INFRA/vpc does not exist."}
		},
		block:  "invalid: Repository INFRA/vpc does not exist.",
		remedy: "correct the grant",
	}, {
		name:   "project unknown to Terraform",
		want:   func(c *schema.Connection) { c.OrganizationScoped, c.Projects = false, []string{"net"} },
		block:  `invalid: organization acme has no project "net", or bbsync's token does not see it`,
		remedy: "correct projects",
	}, {
		name:   "agent pool unknown",
		want:   func(c *schema.Connection) { c.AgentPool = "dmz" },
		block:  `invalid: organization acme has no agent pool "dmz", or bbsync's token does not see it`,
		remedy: "correct agent_pool",
	}})
}

func TestBlocksTogether(t *testing.T) {
	want, have := aConnection(), inSync()
	have.Unread = []plan.Unread{{System: "vault", Err: "sealed"}}
	have.Record.Lease = &plan.Lease{Expires: noon.Add(time.Hour)}
	c := plan.Diff(fleet, want, have, noon)
	if len(c.Blocks) != 2 || c.State() != plan.StateUnreadable {
		t.Errorf("blocks %v, state %s; want both told, and the more pressing as the state", c.Blocks, c.State())
	}
}
