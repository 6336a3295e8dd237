package plan

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/names"
)

// mayPlan reports whether anything can be planned. The blocks say why not.
func (g *guard) mayPlan() bool {
	g.movedLink()
	if g.unreadable() {
		return false
	}
	g.formerName()
	g.spelling()
	if !(g.trusted() && g.notAnothers() && g.sameConnection() && g.handMade() && g.mayTouch() && g.namesKnown()) {
		return false
	}
	g.mayMove()
	g.coversUsers()
	g.relocates()
	return len(g.blocks) == 0
}

// unreadable reports whether nothing can be said of the connection at all.
func (g *guard) unreadable() bool {
	g.unread()
	g.contradiction()
	if g.leased() || len(g.blocks) > 0 {
		return true
	}
	if g.User == nil {
		g.block(Invalid, g.want.Where("service_user"),
			fmt.Sprintf("user %q does not exist on %s", g.want.ServiceUser, g.want.Bitbucket.URL),
			"create the service user in Bitbucket, or correct service_user")
	} else if !g.User.Active {
		g.block(Invalid, g.want.Where("service_user"),
			fmt.Sprintf("user %q is not active on %s", g.want.ServiceUser, g.want.Bitbucket.URL),
			"activate the user in Bitbucket's user directory")
	}
	for i, need := range g.Target.Needs {
		if text, unknown := g.Bitbucket.Unknown[need.Key()]; unknown {
			g.block(Invalid, g.want.Grants[i].Range, text, "correct the grant, or create the project or repository in Bitbucket")
		}
	}
	return len(g.blocks) > 0
}

// unread reports the systems that did not answer.
func (g *guard) unread() {
	for _, u := range g.Unread {
		g.block(Unreadable, g.want.Range, u.String(), u.Fix)
	}
}

// contradiction refuses a record that contradicts its own keys.
func (g *guard) contradiction() bool {
	r := g.Record
	if r == nil || r.Contradiction == nil {
		return false
	}
	g.block(Refused, g.want.Range, r.Contradiction.Text, r.Contradiction.Remedy)
	return true
}

// endless refuses a connection whose walk has no end.
func (g *guard) endless(err error) {
	g.block(Refused, g.want.Range, "planning it has no end, which is a bug of bbsync: "+err.Error(), "report it; nothing was changed")
}

// namesKnown reports whether the projects and the agent pool exist.
func (g *guard) namesKnown() bool {
	known := true
	for _, name := range g.want.Projects {
		if _, ok := g.Projects[name]; !ok {
			known = false
			g.block(Invalid, g.want.Where("projects"), fmt.Sprintf("organization %s has no project %q, or bbsync's token does not see it", g.want.Organization, name),
				"correct projects, create the project in Terraform, or give the token's team access to it")
		}
	}
	if _, ok := g.Pools[g.want.AgentPool]; g.want.AgentPool != "" && !ok {
		known = false
		g.block(Invalid, g.want.Where("agent_pool"), fmt.Sprintf("organization %s has no agent pool %q, or bbsync's token does not see it", g.want.Organization, g.want.AgentPool),
			"correct agent_pool, create the agent pool in Terraform, or give the token's team access to it")
	}
	return known
}

// relocates refuses to move workspaces to the client that they have.
func (g *guard) relocates() {
	from := g.want.Relocate
	if from == nil || from.From == nil {
		return
	}
	if c := g.client(); c != nil && names.SameURL(c.HTTPURL, from.From.URL) {
		g.block(Refused, g.want.Where("record"),
			fmt.Sprintf("the record %s is that of the connection to %s, whose OAuth client cannot be given another URL", g.want.Record, from.From.URL),
			"a move needs a record of its own: leave record out, or have the Bitbucket in it")
	}
}
