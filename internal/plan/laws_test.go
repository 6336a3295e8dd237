package plan_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const maxRounds = 5 // two that a person must end, and what comes of age meanwhile

// thousands checks a law on two thousand cases, or on as many as -rapid.checks asks for.
func thousands(t *testing.T, law func(*rapid.T)) {
	t.Helper()
	check(t, 2000, law)
}

// asked reports whether -rapid.checks was given. It is called before the flag is set here.
var asked = sync.OnceValue(func() (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	return given
})

func check(t *testing.T, cases int, law func(*rapid.T)) {
	t.Helper()
	if !asked() {
		if err := flag.Set("rapid.checks", strconv.Itoa(cases)); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, law)
}

// settle applies until a plan is empty or blocked.
func settle(t *rapid.T, w world) world {
	for round := 0; ; round++ {
		p := w.plan()
		steps := stepsOf(p)
		if len(steps) == 0 {
			return w
		}
		if round == maxRounds {
			t.Fatalf("after %d rounds there is still to do: %v", round, steps)
		}
		after, err := run(w, steps, false)
		if err != nil && !errors.Is(err, errRefused) {
			t.Fatalf("round %d of %v: %v", round, steps, err)
		}
		if blocks := after.plan().Connections[0].Blocks; len(blocks) > 0 && len(p.Connections[0].Blocks) == 0 {
			t.Fatalf("bbsync's own doing blocks it: %v", blocks)
		}
		w = after
	}
}

// TestConverges: from any reachable world, applying ends with nothing to do,
// and what is then there is what was wanted.
func TestConverges(t *testing.T) {
	thousands(t, func(t *rapid.T) {
		w := drawWorld(t)
		end := settle(t, w)
		if len(end.plan().Connections[0].Blocks) > 0 {
			if diff := cmp.Diff(fmt.Sprint(w.shape()), fmt.Sprint(end.shape())); diff != "" && w.adopt && !end.refusable() {
				t.Fatalf("blocked, though it may adopt: %s", diff)
			}
			return
		}
		if end.leaves {
			return // what is left is held by the simulation
		}
		want := shape{
			link: name, consumer: true, marked: true, client: theDefault, scoped: true,
			user: w.user, key: true, published: true, granted: true,
		}
		got := end.shape()
		if end.nameTaken {
			want.link = got.link
		}
		want.clients, want.keys, want.consumers = 1, got.keys, got.consumers
		if end.brought || end.record.privateElsewhere[end.record.rsa] {
			want.clients = got.clients // others may have made the other ones
		}
		if want.workspaces = got.workspaces; end.old != nil {
			want.left = 0
		} else {
			want.left = got.left
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(shape{})); diff != "" {
			t.Fatalf("in sync, and not as wanted (-want +got):\n%s", diff)
		}
		if c, err := end.ours(); err == nil && !end.blind && !end.interrupted && !end.works(*c) {
			t.Fatal("in sync, and the token does not work")
		}
	})
}

// TestCutAnywhere: the process dies after any step, before or after the record
// is told of it, and the next applies end where the first would have.
//
// That a token works is not compared. It is known by a proof alone, at the end
// of a plan, and nothing in the systems tells that a proof was cut off.
func TestCutAnywhere(t *testing.T) {
	thousands(t, func(t *rapid.T) {
		w := drawWorld(t)
		want := settle(t, w).shape()
		steps := stepsOf(w.plan())
		for upTo := range len(steps) + 1 {
			for _, cut := range []bool{false, true} {
				after, err := run(w, steps[:upTo], cut)
				if err != nil && !errors.Is(err, errRefused) {
					t.Fatal(err)
				}
				got := settle(t, after).shape()
				if w.record != nil && len(w.record.privateElsewhere) > 0 {
					got.keys = want.keys // a key that only Terraform had may be replaced or rotated
				}
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(shape{})); diff != "" {
					t.Fatalf("cut after %d of %v (record told: %t) ends elsewhere (-want +got):\n%s", upTo, steps, !cut, diff)
				}
			}
		}
	})
}

// TestBlockedDoesNothing: what is blocked has no step, and only what is
// somebody else's is blocked; with leave to adopt it nothing is.
func TestBlockedDoesNothing(t *testing.T) {
	thousands(t, func(t *rapid.T) {
		w := drawWorld(t)
		c := w.plan().Connections[0]
		if len(c.Blocks) == 0 {
			return
		}
		if len(c.Changes) > 0 {
			t.Fatalf("blocked by %v, and yet planned: %v", c.Blocks, c.Steps())
		}
		if w.refusable() {
			return
		}
		w.adopt = true
		if c := w.plan().Connections[0]; len(c.Blocks) > 0 {
			t.Fatalf("blocked though it may adopt: %v", c.Blocks)
		}
	})
}

// refusable reports whether there are reasons to refuse a plan but what somebody else
// made: a record elsewhere, another connection's use of a key, a removal.
func (w world) refusable() bool { return w.elsewhere || w.behind != nil || w.leaves || w.other != nil }

// A shape is a world without the names that it makes up as it goes.
type shape struct {
	link             string
	consumer, marked bool // the link's consumer is the record's
	consumers        int
	clients          int    // with the record's consumer key: others are nobody's that can be told
	client           string // our client's name
	scoped           bool
	user             string // who authorized
	key              bool   // the token has the record's key
	published        bool
	keys             int
	granted          bool
	workspaces, left int // on the connection's token; on the other client's
	ended            string
}

func (w world) shape() shape {
	out := shape{consumers: len(w.consumers), keys: len(w.published), granted: w.granted[w.user]}
	if w.link != nil {
		out.link = w.link.name
	}
	for _, id := range w.workspaces {
		if w.old != nil && id == w.old.token.id {
			out.left++
		}
	}
	r := w.record
	if r == nil {
		return out
	}
	out.ended = r.ended
	out.published = w.published[r.ssh] == w.user
	if c, ok := w.consumers[r.key]; ok && w.link != nil && w.link.key == r.key {
		out.consumer, out.marked = c.rsa == r.rsa && c.name == name, c.mark != ""
	}
	for _, c := range w.clients {
		if c.key == r.key && c.rsa == r.rsa { // with the key alone it is not bbsync's, and stays
			out.clients++
		}
	}
	c, err := w.ours()
	if err != nil {
		return out
	}
	out.workspaces = w.usersOf(*c)
	out.client, out.scoped = c.name, c.scoped && slices.Equal(c.projects, nil)
	if t := c.token; t != nil {
		out.user, out.key = t.user, t.ssh == r.ssh
	}
	return out
}
