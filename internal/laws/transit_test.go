package laws_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/sandbox"
	"github.com/bbsync/bbsync/internal/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/internal/sandbox/front"
	"github.com/bbsync/bbsync/internal/sandbox/terraformd"
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
		{
			name: "rollback", state: "rotated", files: files, lean: true, again: true, soaks: true,
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
	states := map[string]snapshot{}
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
	t.Run("moved on before a move was over", func(t *testing.T) { b.movedOn(t, states["one"]) })
	t.Run("let go before a move was over", func(t *testing.T) { b.letGo(t, states["one"]) })
	t.Run("removed before a move was over", func(t *testing.T) { b.removedAtBoth(t, states["one"]) })
	for name, c := range cutWaves() {
		t.Run(name, func(t *testing.T) { b.waveIsCut(t, states["relocating"], c) })
	}
	for name, befalls := range misfortunes(b) {
		t.Run(name, func(t *testing.T) { b.waveGoesBack(t, states["relocating"], befalls) })
	}
}

// cutMove kills a move when the keys are at both paths, which it returns.
func (b *bed) cutMove(t *testing.T, one snapshot) (from, to string) {
	t.Helper()
	b.describe(t, 1, files)
	from = b.fleet.Connections[0].Record
	b.describe(t, 1, renamed())
	to = b.fleet.Connections[0].Record
	b.restore(t, one)
	second := moment{nth: 2, during: true, of: func(r request) bool { // the first takes the lease
		return r.method == http.MethodPut && recordAt(r.path) == to
	}}
	if cut := b.exec(t, second, "apply", "--auto-approve"); !cut.killed || b.keysAt(t, from) == 0 || b.keysAt(t, to) == 0 {
		t.Fatalf("it was not killed %s, or had moved no key:\n%s", second, cut.output)
	}
	b.expire(t)
	return from, to
}

// movedOn: a move is killed when the keys are at both paths, and the files then ask
// for a third.
func (b *bed) movedOn(t *testing.T, one snapshot) {
	b.cutMove(t, one)
	b.describe(t, 1, strings.NewReplacer(`connection "unit"`, `connection "third"`, "laws/unit", "laws/third",
		"from = connection.team", "from = connection.unit", "to   = connection.unit", "to   = connection.third").Replace(renamed()))
	if again := b.exec(t, moment{}, "apply", "--auto-approve"); again.code != 0 {
		t.Fatalf("exit code %d:\n%s", again.code, again.output)
	}
	b.converge(t, nil)
	settled(t, b, b.shape(t))
}

// undescribed are the files without connections, and with these blocks.
func undescribed(blocks string) string {
	before, _, _ := strings.Cut(files, `connection "team"`)
	return before + blocks
}

// letGo: a move is killed when the keys are at both paths, and a removed block then
// lets the connection go. The old path is emptied, and nothing else happens to
// the keys or the systems.
func (b *bed) letGo(t *testing.T, one snapshot) {
	from, to := b.cutMove(t, one)
	b.describe(t, 1, undescribed("removed { from = connection.unit }\n"))
	before, keys := b.world.Terraform.Linked(), b.keysAt(t, to)
	gone := b.exec(t, moment{}, "apply", "--auto-approve", "--prune")
	if gone.code != 0 || b.keysAt(t, from) != 0 {
		t.Fatalf("exit code %d, and %d keys are at the old path:\n%s", gone.code, b.keysAt(t, from), gone.output)
	}
	if n := b.keysAt(t, to); n < keys || b.record(to)["ended"] != "forgotten" {
		t.Errorf("%d keys of %d are left at the new path, which has ended as: %v", n, keys, b.record(to)["ended"])
	}
	if diff := cmp.Diff(before, b.world.Terraform.Linked()); diff != "" {
		t.Errorf("workspaces (-before +after):\n%s", diff)
	}
	for _, w := range before {
		if err := b.world.Terraform.CanFetch(t.Context(), w.Organization, w.Workspace); err != nil {
			t.Errorf("workspace %s: %v", w.Workspace, err)
		}
	}
	if again := b.exec(t, moment{}, "plan", "--prune"); again.code != 0 {
		t.Errorf("exit code %d, and there is more to do:\n%s", again.code, again.output)
	}
}

// removedAtBoth: a move is killed when the keys are at both paths, and the
// connection leaves the files. It is removed once, and no key is left.
func (b *bed) removedAtBoth(t *testing.T, one snapshot) {
	from, to := b.cutMove(t, one)
	b.describe(t, 1, undescribed(""))
	gone := b.exec(t, moment{}, "apply", "--auto-approve", "--prune", "--allow-unlink=3")
	if gone.code != 0 || b.keysAt(t, from) != 0 || b.keysAt(t, to) != 0 {
		t.Fatalf("exit code %d, and keys are left: %d at the old path, %d at the new:\n%s", gone.code, b.keysAt(t, from), b.keysAt(t, to), gone.output)
	}
	if s := b.shape(t); s.clients+s.strangers+s.links+s.consumers+s.userKeys != 0 {
		t.Errorf("something is left: %+v", s)
	}
}

// A misfortune is what befalls a wave when its first workspace has moved, and what
// is said of it.
type misfortune struct {
	befalls func(abort func()) error
	says    string
}

func misfortunes(b *bed) map[string]misfortune {
	return map[string]misfortune{
		"the repository cannot be fetched": {func(func()) error {
			return b.world.Bitbuckets[1].Change("SSH keys are deleted", func(st *bitbucketd.State) error { st.SSHKeys = nil; return nil })
		}, "Terraform could not fetch INFRA/vpc with the new OAuth client"},
		"the run is aborted": {func(abort func()) error { abort(); return nil }, context.Canceled.Error()},
	}
}

// waveGoesBack: all workspaces are where they were, each can be fetched, and the
// next apply moves them.
func (b *bed) waveGoesBack(t *testing.T, relocating snapshot, m misfortune) {
	b.restore(t, relocating)
	b.describe(t, 1, relocated())
	before := b.world.Terraform.Linked()
	ctx, abort := context.WithCancel(t.Context())
	defer abort()
	b.must(t, b.fronts["terraform"].Order(front.Fault{Kind: front.Call, Method: http.MethodPatch, Path: "/workspaces/", After: func(*http.Request) {
		if err := m.befalls(abort); err != nil {
			t.Error(err)
		}
	}}))
	_, result, err := b.applyOnce(ctx, false)
	b.must(t, err)
	b.clearFaults()
	one := result.Connections[0]
	if one.Status != apply.Broken || !strings.Contains(one.Err.Error(), m.says) || !strings.Contains(one.Err.Error(), "use the old OAuth client again") {
		t.Errorf("it ended as %s: %v", one.Status, one.Err)
	}
	if left := noted(b.record(b.fleet.Connections[0].Record)); left != nil {
		t.Errorf("%q are still noted as moving", left)
	}
	if diff := cmp.Diff(before, b.world.Terraform.Linked()); diff != "" {
		t.Errorf("workspaces (-before +after):\n%s", diff)
	}
	for _, w := range before {
		if err := b.world.Terraform.CanFetch(t.Context(), w.Organization, w.Workspace); err != nil {
			t.Errorf("workspace %s: %v", w.Workspace, err)
		}
	}
	b.converge(t, nil)
	if n := b.strayed(b.records(t)); n != 0 {
		t.Errorf("%d workspaces are still on the old client", n)
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
