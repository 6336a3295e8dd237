package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
)

// TestCrashOfNewConnection has what is left to do when the first apply of a
// connection dies after each of its steps, told to the record or not.
func TestCrashOfNewConnection(t *testing.T) {
	const (
		authorized = "ProveSSH SetTokenKey ProveRepositories"
		waiting    = "Authorize " + authorized
		published  = "AddSSHKey ProveSSH Authorize SetTokenKey ProveRepositories"
		client     = "ProveConsumer CreateClient " + published
		link       = "CreateLink SetConsumer " + client
	)
	for steps, want := range []struct{ done, half string }{
		{done: "GrantPermission CreateConsumerKey CreateSSHKey " + link},
		{done: "CreateConsumerKey CreateSSHKey " + link},
		{done: "CreateSSHKey " + link},
		{done: link},
		{done: "SetConsumer " + client},
		{done: client},
		{done: client}, // a proof leaves no trace: it is made again
		{done: published},
		{done: waiting},
		{done: waiting},
		{done: authorized},
		{done: "", half: authorized}, // Terraform does not tell which key it has
		{done: ""},
	} {
		for _, cut := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d steps, record told %t", steps, !cut), func(t *testing.T) {
				w := newWorld(traits{})
				w, err := run(w, stepsOf(w.plan())[:steps], cut)
				if err != nil {
					t.Fatal(err)
				}
				left := want.done
				if cut && want.half != "" {
					left = want.half
				}
				if diff := cmp.Diff(left, kinds(w)); diff != "" {
					t.Errorf("left to do (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func kinds(w world) string { return kindNames(stepsOf(w.plan())) }

func kindNames[S plan.AnyStep](steps []S) string {
	var out []string
	for _, s := range steps {
		name := strings.TrimPrefix(fmt.Sprintf("%T", s), "plan.")
		if key, ok := any(s).(plan.SwitchKey); ok && key.NoToken {
			name += "(no token)"
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}
