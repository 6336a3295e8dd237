package laws_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// An act is something that a process does and that may be cut off anywhere.
type act struct {
	name   string
	state  string // to begin in
	people []string
	args   []string

	files    string // "": those of the bed
	orgs     int    // that the files ask for; 0: one
	lean     bool   // cut off once for each state that the systems are in, whatever -laws.every says
	moves    bool   // workspaces change their client
	again    bool   // cut off, it is run once more as it was, and not left to apply
	keeps    bool   // the keys stay in records that no file describes, in however many versions
	overlaps bool   // whether the overlap that it begins is over is a matter of seconds

	ends func(*bed, terraformd.Connection) bool // whether an OAuth client is to go; nil: none
	end  func(*testing.T, *bed, shape)          // what there is in the end; nil: what there is without a crash
}

func (a act) removes() bool { return a.args[0] == "destroy" }

func acts() []act {
	apply := []string{"apply", "--auto-approve"}
	return []act{
		{name: "create", state: "nothing", args: apply},
		{name: "finish", state: "authorized", args: apply},
		{name: "update after the consumer's key was typed anew", state: "connected", people: []string{"change-consumer-key"}, args: apply},
		{name: "update after the client's keys were typed anew", state: "connected", people: []string{"change-client-key"}, args: apply},
		{name: "update after link and client were deleted", state: "connected", people: []string{"delete-link", "delete-client"}, args: apply},
		{
			name: "update after keys, grants and names were changed", state: "connected",
			people: []string{"delete-ssh-keys", "revoke-grants", "rename-link", "rename-client"}, args: apply,
		},
		{name: "rotation of the SSH key", state: "connected", args: []string{"rotate", "--auto-approve", "--all", "--ssh"}},
		{
			name: "emergency rotation of the SSH key", state: "connected",
			args: []string{"rotate", "--auto-approve", "--all", "--ssh", "--emergency", "--reason", "lost laptop"},
		},
		{name: "rotation of the consumer's pair", state: "connected", args: []string{"rotate", "--auto-approve", "--all", "--consumer"}},
		{name: "removal", state: "connected", args: []string{"destroy", "--confirm=laws", "--allow-unlink=1"}},
	}
}

// crashBed has the states that acts begin in.
func crashBed(t *testing.T) (*bed, map[string]snapshot) {
	t.Helper()
	b := newBed(t, kind{orgs: 1, terraform: terraformd.Choices{KeepTokenOnReconnect: true}})
	states := b.states(t)
	b.restore(t, states["waiting"])
	clients, err := b.someone(t).Clients(t.Context(), sandbox.OrgName(1))
	b.must(t, err)
	_, err = b.someone(t).Approve(t.Context(), clients[0].Connect, sandbox.ServiceUser)
	b.must(t, err)
	states["authorized"] = b.save(t)
	return b, states
}

// TestCrashAnywhere: a process that does an act is killed (SIGKILL) before and
// during each request to any of the three systems. Run again, the act ends where
// it would have without the crash: nothing is there twice, nothing is orphaned,
// and at no time was there a key whose private half is not in Vault.
func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	b, states := crashBed(t)
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) { b.crashAnywhere(t, a, states) })
	}
}

func (b *bed) crashAnywhere(t *testing.T, a act, states map[string]snapshot) {
	b.prepare(t, a, states)
	whole := b.exec(t, moment{}, a.args...)
	if whole.code != 0 && whole.code != 4 {
		t.Fatalf("without a crash, exit code %d:\n%s", whole.code, whole.output)
	}
	if !a.removes() {
		b.converge(t, nil)
	}
	want := a.shape(t, b)
	if a.end != nil {
		a.end(t, b, want)
	}
	at := moments(whole.asked, a.lean)
	for _, m := range at {
		got, ended := b.crash(t, a, states, m)
		if !ended {
			continue
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(shape{}, connectionShape{})); diff != "" {
			t.Errorf("killed %s (%s), it ends elsewhere (-want +got):\n%s", m, whole.asked[m.nth-1], diff)
		} else if a.end != nil {
			a.end(t, b, got)
		}
	}
	writes := 0
	for _, r := range whole.asked {
		if r.writes() {
			writes++
		}
	}
	t.Logf("%d requests, %d of them writes: killed at %d moments", len(whole.asked), writes, len(at))
}

// prepare brings the bed to where an act begins.
func (b *bed) prepare(t rapid.TB, a act, states map[string]snapshot) {
	t.Helper()
	b.restore(t, states[a.state])
	if a.files != "" {
		b.describe(t, max(a.orgs, 1), a.files)
	}
	for _, what := range a.people {
		b.must(t, b.disturb(t, what, sandbox.OrgName(1)))
	}
}

// guardOf is a guard that knows what is to go and to move.
func (b *bed) guardOf(t rapid.TB, a act) *guard {
	t.Helper()
	g := b.guard(t)
	g.mayEnd, g.moves = a.removes(), a.moves
	if a.ends != nil {
		g.ends = func(c terraformd.Connection) bool { return a.ends(b, c) }
	}
	return g
}

// done reports whether running the act again came to its end. A rotation that was whole
// when its process died is not made twice: asking for it again is refused.
func (a act) done(again run) bool {
	return again.code == 0 || again.code == 4 || a.args[0] == "rotate" && again.code == 5 && strings.Contains(again.output, "was not rotated: the previous SSH key stays")
}

// crash kills the act at a moment, lets the dead process's lease end, and
// returns where running again ends.
func (b *bed) crash(t rapid.TB, a act, states map[string]snapshot, m moment) (shape, bool) {
	t.Helper()
	b.prepare(t, a, states)
	g := b.guardOf(t, a)
	g.begin(t)
	cut := b.exec(t, m, a.args...)
	g.end(t)
	if !cut.killed {
		t.Errorf("it made %d requests only: no crash %s:\n%s", len(cut.asked), m, cut.output)
		return shape{}, false
	}
	b.expire(t)
	if a.args[0] != "apply" || a.again {
		g.begin(t)
		again := b.exec(t, moment{}, a.args...)
		g.end(t)
		if !a.done(again) {
			t.Errorf("killed %s, and running it again ends with %d:\n%s", m, again.code, again.output)
			return shape{}, false
		}
	}
	if !a.removes() {
		b.converge(t, g)
	}
	return a.shape(t, b), true
}

// shape is the bed's, with what time or the number of writes alone decides left
// out.
func (a act) shape(t rapid.TB, b *bed) shape {
	t.Helper()
	s := b.shape(t)
	if a.keeps {
		s.leftKeys = 0
	}
	for i := range s.connections {
		if c := &s.connections[i]; a.overlaps && c.previous {
			c.previous = false
			s.userKeys--
		}
	}
	return s
}
