package exitcode

import (
	"github.com/bbsync/bbsync/internal/adopt"
	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/doctor"
	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plan"
)

// States adds connections by state, and Bitbuckets by state. A Bitbucket that
// needs nothing is no unit of work.
func (t Tally) States(connections, bitbuckets map[plan.State]int) {
	for s, n := range connections {
		t.Add(OfState(s), n)
	}
	for s, n := range bitbuckets {
		if o := OfState(s); o != Finished {
			t.Add(o, n)
		}
	}
}

// Plan adds what a plan found.
func (t Tally) Plan(p plan.Plan) {
	bitbuckets := map[plan.State]int{}
	for _, b := range p.Bitbuckets {
		bitbuckets[b.State()]++
	}
	t.States(p.Summary().States, bitbuckets)
}

// Result adds how an apply ended.
func (t Tally) Result(r apply.Result) {
	for _, o := range r.Connections {
		t.Add(OfStatus(o.Status), 1)
	}
	for _, o := range r.Bitbuckets {
		if o.Status != apply.Unchanged {
			t.Add(OfStatus(o.Status), 1)
		}
	}
}

// Requests adds what came of waiting for people.
func (t Tally) Requests(statuses []authorize.Status) {
	for _, s := range statuses {
		t.Add(OfRequest(s), 1)
	}
}

// Left adds a plan made after everything was carried out. What still differs
// then did not work.
func (t Tally) Left(p plan.Plan) {
	after := Tally{}
	after.Plan(p)
	for o, n := range after {
		switch o {
		case Finished: // the result has counted it
		case Planned:
			t.Add(Failed, n)
		case Unknown, Failed, Blocked, Outdated, Held, Awaited, Deferred:
			t.Add(o, n)
		}
	}
}

// Drift adds what a drift report found. A shard whose report is missing failed.
func (t Tally) Drift(d drift.Report) {
	t.States(d.States())
	t.Add(Failed, len(d.Missing))
}

// Diagnosis adds what doctor found: a connection failed if a check of it, or of
// a system that it uses, failed or if it could not be read.
func (t Tally) Diagnosis(r doctor.Report) {
	failed, connections := r.Ill()
	t.Add(Failed, failed)
	t.Add(Finished, connections-failed)
	if failed == 0 { // a failure of a system that no connection uses
		t.Add(Failed, r.Count(doctor.Failed))
	}
}

// Import adds what import took over, and what it could not read. What matches no
// connection is listed and needs nothing of import.
func (t Tally) Import(imported int, unmatched []adopt.Unmatched) {
	t.Add(Finished, imported)
	for _, o := range unmatched {
		if o.Kind == adopt.Unreadable {
			t.Add(Failed, 1)
		}
	}
}
