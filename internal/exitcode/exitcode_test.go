package exitcode_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/adopt"
	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/doctor"
	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/plan"
)

// TestWorkLeftUndoneIsNeverDone tallies random outcomes as every command does: the
// code is Done if nothing is left to do, and only then.
func TestWorkLeftUndoneIsNeverDone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tally, undone := exitcode.Tally{}, 0
		some := func(what string) int { return rapid.IntRange(0, 3).Draw(t, what) }
		for range some("plans") {
			undone += drawPlan(t, tally)
		}
		for range some("applies") {
			undone += drawResult(t, tally)
		}
		for range some("waits") {
			undone += drawRequest(t, tally)
		}
		for range some("drift reports") {
			undone += drawDrift(t, tally)
		}
		for range some("diagnoses") {
			undone += drawDiagnosis(t, tally)
		}
		if rapid.Bool().Draw(t, "import") {
			tally.Import(some("imported"), []adopt.Unmatched{{Kind: adopt.KeyOfNobody}, {Kind: adopt.Unreadable}})
			undone++
		}
		if code := tally.Code(); (code == exitcode.Done) != (undone == 0) {
			t.Fatalf("%v: code %d with %d units of work undone", tally, code, undone)
		}
	})
}

// blocks are why a connection cannot be planned.
var blocks = []plan.BlockKind{plan.Unreadable, plan.Refused, plan.Leased, plan.Invalid, "of a newer version"}

// drawPlan tallies the plan of a connection and of a Bitbucket, and returns how
// many of them are not in sync.
func drawPlan(t *rapid.T, tally exitcode.Tally) int {
	var c plan.Connection
	var b plan.BitbucketPlan
	undone := 0
	switch rapid.IntRange(0, 3).Draw(t, "connection") {
	case 1:
		c.Blocks = []plan.Block{{Kind: rapid.SampledFrom(blocks).Draw(t, "block")}}
		undone++
	case 2:
		c.Changes = []plan.Change{{Step: plan.RenameLink{}}}
		undone++
	case 3:
		c.Changes = []plan.Change{{Step: plan.Authorize{}}}
		undone++
	}
	if rapid.Bool().Draw(t, "shared step") {
		b.Changes = []plan.SharedChange{{Step: plan.GrantPermission{}}}
		undone++
	}
	tally.Plan(plan.Plan{Connections: []plan.Connection{c}, Bitbuckets: []plan.BitbucketPlan{b}})
	return undone
}

// statuses are the ways in which an apply ends, and one that is not known.
var statuses = []apply.Status{
	apply.Applied, apply.Unchanged, apply.Broken, apply.Waiting, apply.Stale, apply.Blocked, apply.NotRun, apply.Leased, apply.Later, "of a newer version",
}

func drawResult(t *rapid.T, tally exitcode.Tally) int {
	var r apply.Result
	undone := 0
	draw := func(what string) apply.Outcome {
		o := apply.Outcome{Status: rapid.SampledFrom(statuses).Draw(t, what)}
		if o.Status != apply.Applied && o.Status != apply.Unchanged {
			undone++
		}
		return o
	}
	r.Connections = []apply.Outcome{draw("connection ended"), draw("another ended")}
	r.Bitbuckets = []apply.Outcome{draw("Bitbucket ended")}
	tally.Result(r)
	return undone
}

func drawRequest(t *rapid.T, tally exitcode.Tally) int {
	s := authorize.Status{
		State: rapid.SampledFrom([]authorize.State{
			authorize.Done, authorize.Waiting, authorize.WrongUser, authorize.Dead, authorize.Gone, authorize.Unknown, "of a newer version",
		}).Draw(t, "request"),
		Old: rapid.Bool().Draw(t, "old"),
	}
	tally.Requests([]authorize.Status{s})
	if s.State == authorize.Done {
		return 0
	}
	return 1
}

func drawDrift(t *rapid.T, tally exitcode.Tally) int {
	state := rapid.SampledFrom(append(plan.States(), "of_a_newer_version")).Draw(t, "drift")
	d := drift.Report{Connections: []drift.Connection{{State: state}}}
	undone := 0
	if state != plan.StateInSync {
		undone++
	}
	if rapid.Bool().Draw(t, "shard missing") {
		d.Missing = []string{"1/2"}
		undone++
	}
	tally.Drift(d)
	return undone
}

func drawDiagnosis(t *rapid.T, tally exitcode.Tally) int {
	check := doctor.Check{
		Name:   rapid.SampledFrom([]string{"plan", "record"}).Draw(t, "check"),
		Status: rapid.SampledFrom([]doctor.Status{doctor.OK, doctor.Warning, doctor.Failed, doctor.Unknown}).Draw(t, "check ended"),
	}
	kind := rapid.SampledFrom([]doctor.Kind{doctor.Connection, doctor.Vault}).Draw(t, "section")
	tally.Diagnosis(doctor.Report{Sections: []doctor.Section{{Kind: kind, Checks: []doctor.Check{check}}}})
	if check.Status == doctor.Failed || check.Status == doctor.Unknown && check.Name == "plan" && kind == doctor.Connection {
		return 1
	}
	return 0
}

// TestCode holds each outcome, alone and beside others, to its code.
func TestCode(t *testing.T) {
	for _, c := range []struct {
		what  string
		tally exitcode.Tally
		want  exitcode.Code
	}{
		{"no work", exitcode.Tally{}, exitcode.Done},
		{"all is done", exitcode.Tally{exitcode.Finished: 2}, exitcode.Done},
		{"everything failed", exitcode.Tally{exitcode.Failed: 2}, exitcode.Failure},
		{"one of two failed", exitcode.Tally{exitcode.Failed: 1, exitcode.Finished: 1}, exitcode.Partial},
		{"one failed, the next was not begun", exitcode.Tally{exitcode.Failed: 1, exitcode.Deferred: 1}, exitcode.Failure},
		{"an outcome that is not known", exitcode.Tally{exitcode.Unknown: 1, 99: 1}, exitcode.Failure},
		{"a lease", exitcode.Tally{exitcode.Held: 4, exitcode.Finished: 1}, exitcode.Leased},
		{"a lease beside drift", exitcode.Tally{exitcode.Held: 1, exitcode.Planned: 1}, exitcode.Pending},
		{"a lease beside a click", exitcode.Tally{exitcode.Held: 1, exitcode.Awaited: 1}, exitcode.Leased},
		{"a click", exitcode.Tally{exitcode.Awaited: 1, exitcode.Deferred: 1}, exitcode.Waiting},
		{"not begun", exitcode.Tally{exitcode.Finished: 1, exitcode.Deferred: 1}, exitcode.Pending},
		{"a refusal", exitcode.Tally{exitcode.Blocked: 1, exitcode.Outdated: 1}, exitcode.Refused},
		{"a stale plan", exitcode.Tally{exitcode.Outdated: 1, exitcode.Awaited: 1}, exitcode.Stale},
	} {
		if have := c.tally.Code(); have != c.want {
			t.Errorf("%s: %d, want %d", c.what, have, c.want)
		}
	}
}

// TestLeft compares the result of an apply with the plan made after it.
func TestLeft(t *testing.T) {
	changes := plan.Connection{Changes: []plan.Change{{Step: plan.RenameLink{}}}}
	waits := plan.Connection{Changes: []plan.Change{{Step: plan.Authorize{}}}}
	leased := plan.Connection{Blocks: []plan.Block{{Kind: plan.Leased}}}
	for _, c := range []struct {
		what string
		left []plan.Connection
		want exitcode.Code
	}{
		{"nothing differs", []plan.Connection{{}}, exitcode.Done},
		{"something differs", []plan.Connection{changes}, exitcode.Partial},
		{"another run is at it", []plan.Connection{leased}, exitcode.Leased},
		{"a click is left", []plan.Connection{waits}, exitcode.Waiting},
	} {
		tally := exitcode.Tally{exitcode.Finished: 1}
		tally.Left(plan.Plan{Connections: c.left})
		if have := tally.Code(); have != c.want {
			t.Errorf("%s: %d, want %d", c.what, have, c.want)
		}
	}
}

// TestTable insists that the help text has each code once.
func TestTable(t *testing.T) {
	if n := strings.Count(exitcode.Table(), "\n"); n != len(exitcode.Meanings()) {
		t.Errorf("%d rows:\n%s", n, exitcode.Table())
	}
}
