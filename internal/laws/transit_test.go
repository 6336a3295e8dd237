package laws_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// relocated are the files that move the connections to the second Bitbucket.
func relocated() string {
	return strings.Replace(files, "bitbucket    = bitbucket.new", `bitbucket    = bitbucket.second
  relocate {
    from  = bitbucket.new
    first = 1
    wave  = 2
  }`, 1) + `
variable "second" {}
bitbucket "second" {
  url     = var.second
  ca_file = var.ca
  admin {
    username = "admin"
    password { vault = "secret/platform/bitbucket#admin" }
  }
}
`
}

// renamed are the files in which the connections have another address, and their
// records another place.
func renamed() string {
	return strings.Replace(files, `connection "team" {`, `connection "unit" {
  record       = "laws/unit/${each.value}"`, 1) + `
moved {
  from = connection.team
  to   = connection.unit
}
`
}

// movedOn are the files in which they have a third one. The first moved block stays,
// as nothing is taken from another path without one.
func movedOn() string {
	return strings.NewReplacer(`connection "unit"`, `connection "third"`, "laws/unit", "laws/third").Replace(renamed()) + `
moved {
  from = connection.unit
  to   = connection.third
}
`
}

// undescribed are the files without connections, and with these blocks.
func undescribed(blocks string) string {
	before, _, _ := strings.Cut(files, `connection "team"`)
	return before + blocks
}

// transits are the acts by which things go from one place to another, or away.
// first is the SSH key that was in use before the rotation.
func transits(first any) []act {
	return []act{
		{
			name: "relocation", state: "relocating", files: relocated(), lean: true, moves: true, again: true,
			args: []string{"apply", "--auto-approve", "--prune"}, end: settled,
			ends: func(b *bed, c terraformd.Connection) bool { return c.HTTPURL == b.world.Facts.Bitbuckets[0].URL },
		},
		{
			name: "prune of a connection that left the files", state: "two", files: files, lean: true, again: true,
			args: []string{"apply", "--auto-approve", "--prune", "--allow-unlink=1"}, end: settled,
			ends: func(_ *bed, c terraformd.Connection) bool { return c.Organization == sandbox.OrgName(2) },
		},
		{name: "moved block", state: "one", files: renamed(), lean: true, again: true, args: []string{"apply", "--auto-approve"}, end: settled},
		{name: "moved on before a move was over", state: "cut", files: movedOn(), lean: true, again: true, args: []string{"apply", "--auto-approve"}, end: settled},
		{
			name: "let go before a move was over", state: "cut", files: undescribed("removed { from = connection.unit }\n"), lean: true, again: true, keeps: true,
			args: []string{"apply", "--auto-approve", "--prune", "--parallelism=1"}, end: letGo, // both records change: one after the other, to tell the writes apart
		},
		{
			name: "removed before a move was over", state: "cut", files: undescribed(""), lean: true, again: true,
			args: []string{"apply", "--auto-approve", "--prune", "--allow-unlink=3"}, end: nothingLeft,
			ends: func(*bed, terraformd.Connection) bool { return true },
		},
		{
			name: "rollback", state: "rotated", files: files, lean: true, again: true, overlaps: true,
			args: []string{"rotate", "--auto-approve", "--all", "--rollback"},
			end: func(t *testing.T, b *bed, s shape) {
				t.Helper()
				settled(t, b, s)
				if key := b.record(b.fleet.Connections[0].Record)["ssh_current_fingerprint"]; key != first {
					t.Errorf("the key in use is %v, want the first, %v", key, first)
				}
			},
		},
	}
}

// transitBed has the states that transits begin in. One connection has three
// workspaces, so that they move as a canary and a wave.
func transitBed(t *testing.T) (*bed, map[string]snapshot) {
	t.Helper()
	b := newBed(t, kind{orgs: 2, second: "8.19.0", terraform: terraformd.Choices{KeepTokenOnReconnect: true}})
	states := map[string]snapshot{"nothing": b.save(t)}
	b.describe(t, 1, files)
	b.converge(t, nil)
	for i := range 3 {
		b.workspace(t, 1, fmt.Sprint("network-", i))
	}
	states["one"] = b.save(t)

	if r := b.exec(t, moment{}, "rotate", "--auto-approve", "--all", "--ssh"); r.code != 0 {
		t.Fatalf("rotating: exit code %d:\n%s", r.code, r.output)
	}
	states["rotated"] = b.save(t)

	b.restore(t, states["one"])
	b.describe(t, 1, relocated())
	_, result, err := b.applyOnce(t.Context(), false)
	b.must(t, err)
	b.peopleFollow(t, result)
	states["relocating"] = b.save(t)

	b.restore(t, states["one"])
	b.describe(t, 2, files)
	b.converge(t, nil)
	b.workspace(t, 2, "network")
	states["two"] = b.save(t)

	b.describe(t, 1, files)
	b.cutMove(t, states["one"])
	states["cut"] = b.save(t)
	b.describe(t, 1, files)
	return b, states
}

func (b *bed) workspace(t *testing.T, org int, name string) {
	t.Helper()
	_, err := b.someone(t).CreateWorkspace(t.Context(), sandbox.OrgName(org), name, "INFRA/vpc")
	b.must(t, err)
}

// TestCrashInTransit is TestCrashAnywhere for what moves and goes: workspaces to
// another Bitbucket, a connection out of the files or to another address, a
// service user back to the key before. In the end all is in its new place and
// nothing in the old one; at every instant who stays can clone, and a workspace
// can whichever client it uses. A wave that fails, or is aborted, goes back whole.
func TestCrashInTransit(t *testing.T) {
	t.Parallel()
	b, states := transitBed(t)
	first := states["one"].records[b.fleet.Connections[0].Record]["ssh_current_fingerprint"]
	for _, a := range transits(first) {
		t.Run(a.name, func(t *testing.T) { b.crashAnywhere(t, a, states) })
	}
	for name, c := range cutWaves() {
		t.Run(name, func(t *testing.T) { b.waveIsCut(t, states["relocating"], c) })
	}
	for name, befalls := range misfortunes(b) {
		t.Run(name, func(t *testing.T) { b.waveGoesBack(t, states["relocating"], befalls) })
	}
}

// cutMove kills a move when the keys are at both paths.
func (b *bed) cutMove(t *testing.T, one snapshot) {
	t.Helper()
	from := b.fleet.Connections[0].Record
	b.restore(t, one)
	b.describe(t, 1, renamed())
	to := b.fleet.Connections[0].Record
	second := moment{nth: 2, during: true, of: func(r request) bool { // the first takes the lease
		return r.method == http.MethodPut && recordAt(r.path) == to
	}}
	if cut := b.exec(t, second, "apply", "--auto-approve"); !cut.killed || b.keysAt(t, from) == 0 || b.keysAt(t, to) == 0 {
		t.Fatalf("it was not killed %s, or had moved no key:\n%s", second, cut.output)
	}
	b.expire(t)
}

// letGo fails unless the connection is as it was, and its keys are in the
// forgotten record alone.
func letGo(t *testing.T, b *bed, s shape) {
	t.Helper()
	if s.links != 1 || s.consumers != 1 || s.userKeys != 1 || s.clients != 1 {
		t.Errorf("it was let go, and something went: %+v", s)
	}
	for _, w := range b.world.Terraform.Linked() {
		if err := b.world.Terraform.CanFetch(t.Context(), w.Organization, w.Workspace); err != nil {
			t.Errorf("workspace %s: %v", w.Workspace, err)
		}
	}
	for path, record := range b.records(t) {
		forgotten := record["ended"] == "forgotten"
		if n := b.keysAt(t, path); forgotten != (n > 0) {
			t.Errorf("%s has %d keys, and has ended as: %v", path, n, record["ended"])
		}
	}
}

// nothingLeft fails when a removal left something.
func nothingLeft(t *testing.T, _ *bed, s shape) {
	t.Helper()
	if s.clients+s.strangers+s.links+s.consumers+s.unlinked+s.userKeys+s.leftKeys != 0 {
		t.Errorf("something is left: %+v", s)
	}
}

// settled fails unless what the files describe is there once, serves all
// workspaces that are on a repository, and nothing is left of anything else.
func settled(t *testing.T, b *bed, s shape) {
	t.Helper()
	b.wellMade(t, s)
	n := len(s.connections)
	if s.strangers+s.unlinked+s.strayed+s.leftKeys != 0 || s.consumers != n || s.userKeys != n {
		t.Errorf("something is there twice, or left: %+v", s)
	}
}
