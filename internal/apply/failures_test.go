package apply

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
)

// TestStepsAgain carries each step out twice: the second time changes nothing.
func TestStepsAgain(t *testing.T) {
	for name, c := range allSteps() {
		if c.once {
			continue
		}
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := c.make()
				first := c.carry(t.Context(), w, c.step)
				before := w.show()
				again := c.carry(t.Context(), w, c.step)
				if more := changes(untimed(before), untimed(w.show())); again.Status != first.Status || len(more) > 0 {
					t.Errorf("%s, then %s, and changes %q", first.Status, again.Status, more)
				}
			})
		})
	}
}

// TestStepsResume lets each request of each step fail, with and without having been
// carried out, and aborts the run at it: the next run ends where one without
// failures does.
func TestStepsResume(t *testing.T) {
	for name, c := range resumable() {
		t.Run(name, func(t *testing.T) {
			want, calls := c.clean(t)
			for at := range calls {
				for how, f := range map[string]failure{"refused": refused, "answer lost": answerLost, "aborted": aborted} {
					inBubble(t, func(t *testing.T) {
						w := c.make()
						w.faults = map[int]fault{at + 1: {failure: f}}
						out := c.carry(t.Context(), w, c.step)
						reached := len(w.calls) > at
						w.faults = nil
						if out.Status != Applied && out.Status != Broken && out.Status != NotRun {
							t.Errorf("%s at request %d: %s", how, at+1, out.Status)
						}
						if out.Status == Broken && !strings.Contains(out.Err.Error(), "connection.team") && !strings.Contains(out.Err.Error(), "bitbucket.corp") {
							t.Errorf("the error does not name its object: %v", out.Err)
						}
						if out.Status != Applied {
							out = c.carry(t.Context(), w, replanned(w, c.step))
						}
						if c.undoes != nil && len(changes(c.undone(), untimed(w.show()))) == 0 {
							return
						}
						if diff := changes(want, untimed(w.show())); !reached || out.Status != Applied || len(diff) > 0 {
							t.Errorf("%s at request %d (%s): then %s, %v, differs by\n%s", how, at+1, w.calls[at], out.Status, out.Err, strings.Join(diff, "\n"))
						}
					})
				}
			}
		})
	}
}

// TestStepsCannotOpen has each system that a step needs not be there, for lack of a
// credential: the step fails, says why, and the next run carries it out.
func TestStepsCannotOpen(t *testing.T) {
	for name, c := range resumable() {
		t.Run(name, func(t *testing.T) {
			want, _ := c.clean(t)
			for _, what := range []string{"terraform tfe acme", "bitbucket corp", "ssh corp"} {
				inBubble(t, func(t *testing.T) {
					w := c.make()
					w.closed = what
					out := c.carry(t.Context(), w, c.step)
					if needed := slices.Contains(w.opened, what); needed && (out.Status != Broken || !strings.Contains(out.Err.Error(), "no credential for "+what)) {
						t.Errorf("without %s: %s, %v", what, out.Status, out.Err)
					}
					w.closed = ""
					if out.Status != Applied {
						out = c.carry(t.Context(), w, replanned(w, c.step))
					}
					if diff := changes(want, untimed(w.show())); c.undoes == nil && (out.Status != Applied || len(diff) > 0) {
						t.Errorf("without %s, then with it: %s, %v, differs by\n%s", what, out.Status, out.Err, strings.Join(diff, "\n"))
					}
				})
			}
		})
	}
}

// TestStepsLoseLease takes the lease away at each request of each step: from then
// on nothing is written anywhere, and the next step does not begin.
func TestStepsLoseLease(t *testing.T) {
	for name, c := range resumable() {
		t.Run(name, func(t *testing.T) {
			_, calls := c.clean(t)
			for at := 1; at < calls; at++ { // the first request takes the lease
				inBubble(t, func(t *testing.T) {
					w := c.make()
					w.faults = map[int]fault{at + 1: {failure: leaseLost}}
					out := c.carry(t.Context(), w, c.step, c.step)
					if w.lostAt == nil {
						return // of another record, or none
					}
					if diff := changes(unleased(w.lostAt), unleased(w.show())); len(diff) > 0 || out.Status != Broken || !errors.Is(out.Err, vault.ErrLeaseLost) || len(out.Left) != 2 {
						t.Errorf("lease lost at request %d (%s): %s, %v, %d left, changed after that: %q", at+1, w.calls[at], out.Status, out.Err, len(out.Left), diff)
					}
				})
			}
		})
	}
}

// TestStepsKeepOthersChanges has somebody else write the record at each request of
// each step: what was written stays, and so does what the step does.
func TestStepsKeepOthersChanges(t *testing.T) {
	for name, c := range resumable() {
		t.Run(name, func(t *testing.T) {
			want, calls := c.clean(t)
			for at := range calls {
				inBubble(t, func(t *testing.T) {
					w := c.make()
					w.faults = map[int]fault{at + 1: {failure: changed}}
					out := c.carry(t.Context(), w, c.step)
					have := untimed(w.show())
					if diff := changes(withoutHostKeys(want), withoutHostKeys(have)); out.Status != Applied || len(diff) > 0 {
						t.Errorf("record changed at request %d (%s): %s, %v, differs by\n%s", at+1, w.calls[at], out.Status, out.Err, strings.Join(diff, "\n"))
					}
					if kept := strings.Contains(strings.Join(have, "\n"), "somebody-elses"); !kept && keepsRecord(c.step) && at > 0 {
						t.Errorf("record changed at request %d (%s): the change is lost", at+1, w.calls[at])
					}
				})
			}
		})
	}
}

// keepsRecord reports whether the record holds after a step all that the step does
// not change.
func keepsRecord(s plan.AnyStep) bool {
	return !isShared(s) && s.Type().Kind != "retire_record" && s.Type().Kind != "move_record"
}

// resumable are the cases that end well, whose worlds do not fail by themselves
// and whose keys are not generated, which takes long.
func resumable() map[string]stepCase {
	out := allSteps()
	for name, c := range out {
		key, generates := c.step.(plan.CreateSSHKey)
		pair, also := c.step.(plan.CreateConsumerKey)
		if c.status != "" || generates && key.From == "" || also && pair.From == "" {
			delete(out, name)
		}
	}
	return out
}

// replanned returns the step as the next plan has it.
func replanned(w *world, s plan.AnyStep) plan.AnyStep {
	move, ok := s.(plan.MoveRecord)
	if !ok {
		return s
	}
	move.Basis = record.Facts(w.records[move.From].record, 0).Basis()
	if before := w.records[move.Before]; before != nil {
		move.BeforeBasis = record.Facts(before.record, 0).Basis()
	}
	return move
}

// undone returns how a world looks after a step that failed and undid what it did.
func (c stepCase) undone() []string {
	w := c.make()
	c.undoes(w)
	return untimed(w.show())
}

// clean returns how a world looks after the step, and how many requests it took.
func (c stepCase) clean(t *testing.T) (state []string, calls int) {
	inBubble(t, func(t *testing.T) {
		w := c.make()
		c.carry(t.Context(), w, c.step)
		state, calls = untimed(w.show()), len(w.calls)
	})
	return state, calls
}

var times = regexp.MustCompile(`@\S+`)

func untimed(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = times.ReplaceAllString(l, "@")
	}
	return out
}

// unleased drops which records are leased: another lease is given back.
func unleased(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.HasSuffix(l, ": leased by me") })
}

func withoutHostKeys(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.Contains(l, ": host keys ") })
}
