package plan_test

import (
	"errors"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/plan"
)

// An edit is what people do to the systems behind bbsync's back.
type edit struct {
	name string
	do   func(*world)
}

func edits() []edit {
	all := append(append(bitbucketEdits(), terraformEdits()...), edit{"the record is lost", func(w *world) { w.record, w.behind, w.elsewhere = nil, nil, false }})
	all = append(all, edit{"Vault never had the private halves", func(w *world) {
		if r := w.record; r != nil && !w.brought && r.pending == 0 && r.previous == 0 && r.before == 0 {
			r.privateElsewhere = map[int]bool{r.ssh: true, r.rsa: true}
		}
	}})
	return append(append(append(all, passings()...), configurationEdits()...), fleetEdits()...)
}

func bitbucketEdits() []edit {
	linked := func(do func(*world, *linkKept)) func(*world) {
		return func(w *world) {
			if w.link != nil {
				do(w, w.link)
			}
		}
	}
	return []edit{
		{"link deleted", linked(func(w *world, l *linkKept) { w.dropConsumer(l.key); w.link, w.provenRSA = nil, 0 })},
		{"link renamed", linked(func(_ *world, l *linkKept) { l.name = "renamed" })},
		{"name taken", linked(func(w *world, l *linkKept) { w.nameTaken = l.name != name })},
		{"name free", func(w *world) { w.nameTaken = false }},
		{"consumer deleted", linked(func(w *world, l *linkKept) { w.dropConsumer(l.key); l.key, w.provenRSA = "", 0 })},
		{"consumer's public key changed", linked(func(w *world, l *linkKept) {
			if c, ok := w.consumers[l.key]; ok {
				c.rsa, w.provenRSA = w.tick(), 0
				w.consumers[l.key] = c
			}
		})},
		{"consumer's key changed", linked(func(w *world, l *linkKept) {
			c := w.consumers[l.key]
			l.key = fmt.Sprint("typed-", w.tick())
			w.consumers[l.key] = c // the old one stays, and no link shows it
		})},
		{"somebody else's link", func(w *world) {
			if w.link != nil {
				w.dropConsumer(w.link.key)
			}
			w.link, w.provenRSA = &linkKept{name: "Jenkins", key: fmt.Sprint("jenkins-", w.tick())}, 0
			w.consumers[w.link.key] = consumerKept{rsa: w.tick(), name: "Jenkins"}
		}},
		{"public keys deleted", func(w *world) { clear(w.published); clear(w.provenSSH); clear(w.ends) }},
		{"grant revoked", func(w *world) { clear(w.granted) }},
	}
}

func terraformEdits() []edit {
	client := func(do func(*world, *clientKept)) func(*world) {
		return func(w *world) {
			if len(w.clients) > 0 {
				do(w, &w.clients[0])
			}
		}
	}
	return []edit{
		{"clients deleted", func(w *world) {
			for i := range w.clients {
				w.dropToken(&w.clients[i])
			}
			w.clients = nil
		}},
		{"client renamed", client(func(_ *world, c *clientKept) { c.name = "renamed" })},
		{"client's key changed", client(func(w *world, c *clientKept) { c.key, c.rsa = fmt.Sprint("typed-", w.tick()), w.tick() })},
		{"client's pair changed", client(func(w *world, c *clientKept) { c.rsa = w.tick() })},
		{"client scoped to projects", client(func(_ *world, c *clientKept) { c.scoped, c.projects = false, []string{"prj-1"} })},
		{"client left twice", client(func(w *world, c *clientKept) {
			twin := *c
			twin.id, twin.token = fmt.Sprint("oc-", w.tick()), nil
			w.clients = append(w.clients, twin)
		})},
		{"token revoked", client(func(w *world, c *clientKept) { w.dropToken(c) })},
		{"token made again", client(func(w *world, c *clientKept) { w.newToken(c, tokenKept{user: w.user}) })},
		{"somebody else authorized", client(func(w *world, c *clientKept) { w.newToken(c, tokenKept{user: "jane"}) })},
		{"token made again with some key", client(func(w *world, c *clientKept) {
			w.newToken(c, tokenKept{user: w.user, ssh: w.tick()})
		})},
	}
}

// drawWorld returns a reachable world: applies, whole and cut off, with edits
// in between.
func drawWorld(t *rapid.T) world {
	w := newWorld(traits{
		adopt: rapid.Bool().Draw(t, "adopt"), brought: rapid.Bool().Draw(t, "brought"),
		sameToken: rapid.Bool().Draw(t, "same token"), fragile: rapid.Bool().Draw(t, "fragile"), blind: rapid.Bool().Draw(t, "blind"),
		aging: rapid.Bool().Draw(t, "aging"), telling: rapid.Bool().Draw(t, "telling"),
		supplied: rapid.IntRange(0, 3).Draw(t, "supplied") == 3, relocates: rapid.IntRange(0, 3).Draw(t, "relocates") == 3,
		expiring: rapid.IntRange(0, 3).Draw(t, "expiring") == 3,
	})
	if rapid.Bool().Draw(t, "was in sync") {
		w = settle(t, w)
	}
	all := slices.DeleteFunc(edits(), func(e edit) bool { return slices.Contains(notYet(), e.name) })
	for range rapid.IntRange(0, 8).Draw(t, "acts") {
		if rapid.Bool().Draw(t, "apply") {
			w.asked = rapid.SampledFrom(askings()).Draw(t, "asked")
			w = drawApply(t, w)
			w.asked = plan.Rotation{}
			continue
		}
		e := rapid.SampledFrom(all).Draw(t, "edit")
		t.Log(e.name)
		drawn.note("edit: " + e.name)
		w = w.clone()
		e.do(&w)
	}
	return w
}

// drawApply applies the world's plan, or a part of it.
func drawApply(t *rapid.T, w world) world {
	steps := stepsOf(w.plan())
	upTo := rapid.IntRange(0, len(steps)).Draw(t, "steps")
	cut := rapid.Bool().Draw(t, "cut")
	after, err := run(w, steps[:upTo], cut)
	if err != nil && !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	t.Logf("applied %d of %v", upTo, steps)
	after.interrupted = w.interrupted || cut || upTo < len(steps)
	return after
}

// stepsOf returns what an apply of the plan does, in its order; nothing where
// it is blocked.
func stepsOf(p plan.Plan) []plan.AnyStep {
	var out []plan.AnyStep
	for _, b := range p.Bitbuckets {
		out = append(out, plan.AnySteps(b.Steps())...)
	}
	for _, c := range p.Connections {
		out = append(out, plan.AnySteps(c.Steps())...)
	}
	return out
}

// run carries steps out, the last of them perhaps cut off before the record is
// told.
func run[S plan.AnyStep](w world, steps []S, cut bool) (world, error) {
	for i, s := range steps {
		after, err := simulate(s, w, cut && i == len(steps)-1)
		if err != nil {
			return after, fmt.Errorf("step %d, %s: %w", i, s, err)
		}
		if w = after; s.Type().Kind == "authorize" && w.sameToken {
			return w, nil // apply waits there and plans again: the token may have the id and the key of the one before
		}
	}
	return w, nil
}
