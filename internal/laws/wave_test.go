package laws_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// A cutWave is a run that is killed when a workspace has moved and nobody has
// looked at its fetch.
type cutWave struct {
	patch  int      // the nth workspace that moves
	moving []string // what is noted then
	fails  int      // before the nth moves the new client's SSH key is deleted: none from there on can be fetched; 0: all can
}

func cutWaves() map[string]cutWave {
	canary, wave := []string{"network-0"}, []string{"network-1", "network-2"}
	return map[string]cutWave{
		"killed before it saw the canary fetched":                      {patch: 1, moving: canary},
		"killed before it saw the canary's fetch fail":                 {patch: 1, moving: canary, fails: 1},
		"killed before it saw a wave fetched":                          {patch: 3, moving: wave},
		"killed before it saw a wave's fetches fail":                   {patch: 3, moving: wave, fails: 2},
		"killed in the middle of a wave whose first cannot be fetched": {patch: 2, moving: wave, fails: 2},
	}
}

// waveIsCut: the next run looks at these fetches before it writes anything to
// Terraform or Bitbucket. It goes on when they went well; else they are back where
// they were, and the old client stays.
func (b *bed) waveIsCut(t *testing.T, relocating snapshot, c cutWave) {
	apply := []string{"apply", "--auto-approve", "--prune"}
	b.restore(t, relocating)
	b.describe(t, 1, relocated())
	record := b.fleet.Connections[0].Record
	before := b.world.Terraform.Linked()
	if c.fails > 0 {
		b.must(t, b.fronts["terraform"].Order(front.Fault{Kind: front.Call, Method: http.MethodPatch, Path: "/workspaces/", Nth: c.fails, Before: func(*http.Request) {
			b.must(t, b.world.Bitbuckets[1].Change("SSH keys are deleted", func(st *bitbucketd.State) error { st.SSHKeys = nil; return nil }))
		}}))
	}
	at := moment{nth: c.patch, during: true, of: movesWorkspace}
	if cut := b.exec(t, at, apply...); !cut.killed {
		t.Fatalf("it was not killed %s:\n%s", at, cut.output)
	}
	if noted := noted(b.record(record)); !slices.Equal(noted, c.moving) {
		t.Fatalf("noted are %q, want %q", noted, c.moving)
	}
	b.expire(t)
	again := b.exec(t, moment{}, apply...)
	looksFirst(t, again)
	if c.fails > 0 {
		b.wentBack(t, again, before, c.moving)
		again = b.exec(t, moment{}, apply...)
	}
	if again.code != 0 {
		t.Fatalf("exit code %d:\n%s", again.code, again.output)
	}
	settled(t, b, b.shape(t))
}

func movesWorkspace(r request) bool {
	return r.method == http.MethodPatch && strings.Contains(r.path, "/workspaces/")
}

// noted are the names of the workspaces of a wave that is under way.
func noted(record map[string]any) []string {
	text, _ := record["moving_workspaces"].(string)
	var out []string
	for line := range strings.Lines(text) {
		out = append(out, strings.Fields(line)[2])
	}
	return out
}

// looksFirst fails when a run changes something before it has looked at a fetch.
func looksFirst(t *testing.T, r run) {
	t.Helper()
	for _, asked := range r.asked {
		switch {
		case strings.Contains(asked.path, "/configuration-versions"):
			return
		case asked.system != "vault" && asked.writes():
			t.Errorf("it asked for %s before it looked at a fetch:\n%s", asked, r.output)
			return
		}
	}
	t.Errorf("it looked at no fetch:\n%s", r.output)
}

// wentBack fails unless these workspaces are as before, can be fetched, and
// nothing is noted of them any more.
func (b *bed) wentBack(t *testing.T, r run, before []terraformd.Linked, names []string) {
	t.Helper()
	for _, says := range []string{"Terraform could not fetch INFRA/vpc with the new OAuth client", "use the old OAuth client again"} {
		if r.code == 0 || !strings.Contains(r.output, says) {
			t.Errorf("exit code %d, and it does not say %q:\n%s", r.code, says, r.output)
		}
	}
	after := b.world.Terraform.Linked()
	for _, w := range before {
		if !slices.Contains(names, w.Workspace) {
			continue
		}
		if !slices.Contains(after, w) {
			t.Errorf("%+v is not as it was: %+v", w, after)
		}
		if err := b.world.Terraform.CanFetch(t.Context(), w.Organization, w.Workspace); err != nil {
			t.Errorf("workspace %s: %v", w.Workspace, err)
		}
	}
	if left := noted(b.record(b.fleet.Connections[0].Record)); left != nil {
		t.Errorf("%q are still noted", left)
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
