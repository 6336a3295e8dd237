package plan

import (
	"fmt"
	"strings"
)

// Affected is what uses an OAuth client.
type Affected struct {
	Count  int      // workspaces
	Names  []string // some or all of them
	Others []string // what else does: policy set "baseline", registry module "vpc/aws"
	Untold []string // kinds of others of which Terraform does not tell: "policy sets"
}

// others notes what uses an OAuth client beside workspaces, where the step does
// not name it all or it cannot be known.
func (l *departure) others(g *guard, client string, hit Affected) {
	if len(hit.Others) > fewNames {
		g.note(g.want.Range, "OAuth client %s is used by %s", client, list(hit.Others))
	}
	if len(hit.Untold) > 0 {
		g.warn(g.want.Range, "Terraform does not tell which %s use OAuth client %s: this release, the organization's plan or the token's permission lacks them; "+
			"look there before it goes", list(hit.Untold), client)
	}
}

// An unlinking is what loses its OAuth client by the deletions of a plan.
type unlinking struct {
	workspaces int
	names      []string // some or all of the workspaces
	others     []string
}

func unlinked(connections []Connection) unlinking {
	var all unlinking
	counted := map[string]bool{} // two records of one connection, as a move that was cut off leaves them, name one client
	for _, c := range connections {
		for _, s := range c.Steps() {
			if gone, ok := s.(DeleteClient); ok && !counted[gone.ID] {
				counted[gone.ID] = true
				all.workspaces += gone.Unlinks
				all.names = append(all.names, gone.Workspaces...)
				all.others = append(all.others, gone.Others...)
			}
		}
	}
	return all
}

// total is the number that the user must accept.
func (u unlinking) total() int { return u.workspaces + len(u.others) }

func (u unlinking) String() string {
	var parts []string
	if u.workspaces > 0 {
		parts = append(parts, fmt.Sprintf("unlink %s from their repositories: %s", workspaces(u.workspaces), few(u.names)))
	}
	if len(u.others) > 0 {
		parts = append(parts, "take the OAuth token from "+few(u.others))
	}
	return strings.Join(parts, "; and ")
}

func workspaces(n int) string {
	if n == 1 {
		return "1 workspace"
	}
	return fmt.Sprintf("%d workspaces", n)
}

// fewNames is how many names a line holds.
const fewNames = 5

// few names some of many.
func few(names []string) string {
	if len(names) > fewNames {
		return strings.Join(names[:fewNames], ", ") + fmt.Sprintf(" and %d more", len(names)-fewNames)
	}
	return list(names)
}

// stillUnlinked returns what the deletion of a client unlinks when the
// workspaces that move have moved. Nothing else moves.
func (r Removals) stillUnlinked(client string) Affected {
	hit := r.Affected[client]
	switch moves := r.Moves[client]; {
	case moves == 0:
	case moves >= hit.Count:
		hit.Count, hit.Names = 0, nil
	default:
		hit.Count -= moves
		hit.Names = []string{fmt.Sprintf("%d that this token does not see", hit.Count)}
	}
	return hit
}
