package plan

import (
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// relocate plans the workspaces that come from the clients that the
// organization has for another Bitbucket: those first that go ahead, alone, and
// the others in waves. What moved already is not there any more, so that a run
// that was cut off makes the next plan shorter.
func (d *differ) relocate() {
	from := d.want.Relocate
	if from == nil || from.From == nil {
		return
	}
	if d.client != nil && names.SameURL(d.client.HTTPURL, from.From.URL) {
		d.block(Refused, d.want.Where("record"),
			fmt.Sprintf("the record %s is that of the connection to %s, whose OAuth client cannot be given another URL", d.want.Record, from.From.URL),
			"a move needs a record of its own: leave record out, or have the Bitbucket in it")
		return
	}
	for _, c := range d.left() {
		names := workspaceNames(d.have.Using[c.Token.ID])
		if len(names) == 0 {
			continue
		}
		d.proveRepositories()
		for i, step := range waves(c.ID, names, from) {
			var because []Reason
			if i == 0 {
				because = append(because, d.reason("workspaces on "+from.From.URL, workspaces(len(names)), "none: all on "+d.want.Bitbucket.URL, "relocate.from"))
			}
			d.add(step, because...)
		}
	}
	d.relocated()
}

// fetches plans the look at what a run that was cut off had begun to move, before
// all else: where Terraform cannot fetch, no repair of the connection is waited
// for, and nothing that was used before is removed.
func (d *differ) fetches() {
	r := d.have.Record
	if r == nil || r.Moving == nil {
		return
	}
	step := ProveFetched{Back: r.Moving.back(d.have.Clients), Names: sorted(r.Moving.Names)}
	d.add(step, d.reason("workspaces that a run had begun to move", "not known whether Terraform can fetch them", "fetched, or back where they were", "relocate.from"))
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

// relocated says when the block has done its work.
func (d *differ) relocated() {
	from := d.want.Relocate
	for _, c := range d.have.Clients {
		if k := d.keptBy(c); k != nil && d.isThere(c) && c.Token != nil && len(d.have.Using[c.Token.ID]) > 0 {
			d.note(from.Range, "the workspaces of OAuth client %s stay: it is that of %s, which the files keep on %s; they come along when it is taken out of the files", c.ID, k.Address, from.From.URL)
		}
	}
	if !slices.ContainsFunc(d.have.Clients, d.isLeft) {
		d.note(from.Range, "%s has no OAuth client for %s any more: the relocate block has done its work and can go", d.want.Organization, from.From.URL)
		return
	}
	if len(d.left()) > 0 {
		d.note(from.Range, "only workspaces move: have registry modules, policy sets and stacks use the new OAuth client before the old one goes")
	}
}

// left returns the authorized clients whose workspaces are to come here.
func (d *differ) left() []Client {
	if d.want.Relocate == nil || d.want.Relocate.From == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(d.have.Clients), func(c Client) bool { return !d.isLeft(c) || c.Token == nil })
}

func (d *differ) isLeft(c Client) bool {
	return d.isThere(c) && d.keptBy(c) == nil
}

func (d *differ) isThere(c Client) bool {
	return names.SameURL(c.HTTPURL, d.want.Relocate.From.URL) && (d.client == nil || c.ID != d.client.ID)
}

// waves divides the workspaces of one client.
func waves(client string, names []string, how *schema.Relocate) []Step {
	var steps []MoveWorkspaces
	if n := min(how.First, len(names)); n > 0 {
		steps = append(steps, MoveWorkspaces{From: client, Canary: true, Names: names[:n]})
		names = names[n:]
	}
	for some := range slices.Chunk(names, how.Wave) {
		steps = append(steps, MoveWorkspaces{From: client, Names: some})
	}
	out := make([]Step, len(steps))
	for i, s := range steps {
		s.Wave, s.Of = i+1, len(steps)
		out[i] = s
	}
	return out
}

// sameServer reports whether the link that is in the way is that of a client
// whose workspaces are to come here: it is the same Bitbucket by another URL.
func (d *differ) sameServer() bool {
	return d.want.Relocate != nil && d.have.Consumer != nil && slices.ContainsFunc(d.have.Clients, func(c Client) bool {
		return d.isLeft(c) && c.Key == d.have.Consumer.Key
	})
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
