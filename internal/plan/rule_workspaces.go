package plan

import (
	"slices"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// fetchedRule checks what a run that was cut off had begun to move, before all else:
// where Terraform cannot fetch, no repair of the connection is waited for, and nothing
// that was used before is removed.
func fetchedRule(v view) *Change {
	if v.Record == nil || v.Record.Moving == nil {
		return nil
	}
	m := v.Record.Moving
	return step(ProveFetched{Back: m.back(v.Clients), Names: sorted(m.Names)},
		v.reason("moving_workspaces", "workspaces that a run had begun to move", "not known whether Terraform can fetch them", "fetched, or back where they were", "relocate.from"))
}

// back returns the id of the OAuth client that the workspaces had, "" when it is
// gone.
func (m *Moving) back(clients []Client) string {
	for _, c := range clients {
		if c.Token != nil && c.Token.ID == m.From {
			return c.ID
		}
	}
	return ""
}

// workspacesRule plans the workspaces that come from the clients that the organization
// has for another Bitbucket: those first that go ahead, alone, and the others in waves.
func workspacesRule(v view) *Change {
	from := v.want.Relocate
	for _, c := range v.left() {
		names := workspaceNames(v.Using[c.Token.ID])
		if len(names) == 0 {
			continue
		}
		if v.since.token != proven {
			return v.proveToken()
		}
		s := MoveWorkspaces{From: c.ID, Names: names[:min(from.Wave, len(names))]}
		if v.aheadFirst() {
			s.Canary, s.Names = true, names[:min(from.First, len(names))]
		}
		return step(s, v.reason("workspaces", "workspaces on "+from.From.URL, workspaces(len(names)), "none: all on "+v.want.Bitbucket.URL, "relocate.from"))
	}
	return nil
}

// aheadFirst reports whether some workspaces are to go ahead of the others: none uses
// this connection's token yet.
func (v view) aheadFirst() bool {
	return v.want.Relocate.First > 0 && len(v.Using[v.token().ID]) == 0
}

// left returns the authorized clients whose workspaces are to come here.
func (v view) left() []Client {
	if v.want.Relocate == nil || v.want.Relocate.From == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(v.Clients), func(c Client) bool { return !v.isLeft(c) || c.Token == nil })
}

func (v view) isLeft(c Client) bool { return v.isThere(c) && v.keptBy(c) == nil }

// isThere reports whether a client is for the Bitbucket that the workspaces leave.
func (v view) isThere(c Client) bool {
	ours := v.client()
	return names.SameURL(c.HTTPURL, v.want.Relocate.From.URL) && (ours == nil || c.ID != ours.ID)
}

// keptBy returns the connection of the configuration whose OAuth client this is, nil
// for none.
func (v view) keptBy(c Client) *Kept {
	for i, k := range v.Kept {
		if k.ID == c.ID || k.Client == c.Name {
			return &v.Kept[i]
		}
	}
	return nil
}

// sameServer reports whether the link that is in the way is that of a client
// whose workspaces are to come here: it is the same Bitbucket by another URL.
func (v view) sameServer() bool {
	return v.want.Relocate != nil && v.Consumer != nil && slices.ContainsFunc(v.Clients, func(c Client) bool {
		return v.isLeft(c) && c.Key == v.Consumer.Key
	})
}

// numberWaves numbers the waves of each client, as people count them.
func numberWaves(changes []Change) {
	of := map[string]int{}
	for _, c := range changes {
		if s, ok := c.Step.(MoveWorkspaces); ok {
			of[s.From]++
		}
	}
	wave := map[string]int{}
	for i, c := range changes {
		if s, ok := c.Step.(MoveWorkspaces); ok {
			wave[s.From]++
			s.Wave, s.Of = wave[s.From], of[s.From]
			changes[i].Step = s
		}
	}
}

func workspaceNames(some []Workspace) []string {
	names := make([]string, len(some))
	for i, w := range some {
		names[i] = w.Name
	}
	return sorted(names)
}

// onePerName sorts, and leaves out what differs from another in case alone.
func onePerName(repositories []string) []string {
	return slices.CompactFunc(sorted(repositories), names.SameRepository)
}

// heir returns the connection that takes over the workspaces of one that only
// its record knows, nil for none.
func heir(fleet *schema.Fleet, gone *schema.Connection) *schema.Connection {
	for _, c := range fleet.Connections {
		if c.Relocate != nil && c.Relocate.From != nil && gone.Bitbucket == c.Relocate.From &&
			gone.Terraform == c.Terraform && names.SameOrganization(gone.Organization, c.Organization) {
			return c
		}
	}
	return nil
}

// Moves counts the workspaces that a plan moves, by id of the OAuth client that
// they use now.
func (p Plan) Moves() map[string]int {
	moves := map[string]int{}
	for _, c := range p.Connections {
		if len(c.Blocks) > 0 {
			continue
		}
		for _, s := range c.Steps() {
			if m, ok := s.(MoveWorkspaces); ok {
				moves[m.From] += len(m.Names)
			}
		}
	}
	return moves
}
