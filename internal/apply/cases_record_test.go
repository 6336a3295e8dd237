package apply

import (
	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
)

func recordSteps() map[string]stepCase {
	const old, older = "corp/old", "corp/older"
	moves := func(w *world) {
		here := w.records[recordPath]
		w.records[old] = &stored{record: here.record, version: 8}
		delete(w.records, recordPath)
	}
	return map[string]stepCase{
		"note_connection: another service user": {
			before: func(w *world) { w.record().ServiceUser, w.record().MovedFrom = "old", "bitbucket-old" }, step: plan.NoteConnection{MovedFrom: "bitbucket-old", ServiceUser: "svc"},
			want: []string{
				"- corp/acme: described, user old",
				"- corp/acme: moved from bitbucket-old",
				"+ corp/acme: described, user svc",
			},
		},
		"note_connection: the service user stays": {
			before: func(w *world) { w.record().ServiceUser, w.record().MovedFrom = "old", "bitbucket-old" }, step: plan.NoteConnection{MovedFrom: "bitbucket-old"},
			want: []string{
				`- corp/acme: moved from bitbucket-old`,
			},
		},
		"note_connection: still moved": {before: func(w *world) { w.record().MovedFrom = "bitbucket-old" }, step: plan.NoteConnection{}},
		"forget_record": {
			step: plan.ForgetRecord{},
			want: []string{
				"+ corp/acme: ended forgotten at@0s",
			},
		},
		"retire_record": {
			step: plan.RetireRecord{},
			want: []string{
				"- corp/acme: client oc-1 made@-1h0m0s",
				"- corp/acme: consumer ck-A A created@-1h0m0s",
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/acme: host keys HK",
				"- corp/acme: link https://tfe.example/acme made@-1h0m0s",
				"+ corp/acme: ended retired at@0s",
			},
		},
		"retire_record: an orphaned consumer": {
			before: func(w *world) { w.consumers["left"] = bitbucket.Consumer{Key: "ck-A"} },
			step:   plan.RetireRecord{},
			want: []string{
				"- corp/acme: client oc-1 made@-1h0m0s",
				"- corp/acme: consumer ck-A A created@-1h0m0s",
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/acme: host keys HK",
				"- corp/acme: link https://tfe.example/acme made@-1h0m0s",
				"- orphaned consumer: ck-A",
				"+ corp/acme: ended retired at@0s",
			},
		},
		"retire_record: orphans that make no sense": {
			before: func(w *world) { w.orphansErr = bitbucket.ErrBadAnswer },
			says:   []string{"warning: whether Bitbucket keeps consumer ck-A without a link is not known: answer not understood"},
			step:   plan.RetireRecord{},
			want: []string{
				"- corp/acme: client oc-1 made@-1h0m0s",
				"- corp/acme: consumer ck-A A created@-1h0m0s",
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/acme: host keys HK",
				"- corp/acme: link https://tfe.example/acme made@-1h0m0s",
				"+ corp/acme: ended retired at@0s",
			},
		},
		"move_record: from another path": {
			before: moves, step: plan.MoveRecord{From: old, Basis: basisOfConnected()},
			want: []string{
				"- corp/old: client oc-1 made@-1h0m0s",
				"- corp/old: consumer ck-A A created@-1h0m0s",
				"- corp/old: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/old: host keys HK",
				"- corp/old: link https://tfe.example/acme made@-1h0m0s",
				"+ corp/acme: client oc-1 made@-1h0m0s",
				"+ corp/acme: consumer ck-A A created@-1h0m0s",
				"+ corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"+ corp/acme: described, user svc",
				"+ corp/acme: host keys HK",
				"+ corp/acme: link https://tfe.example/acme made@-1h0m0s",
				"+ corp/old: ended moved to=corp/acme at@0s",
			},
		},
		"move_record: done": {
			before: func(w *world) {
				w.records[old] = &stored{record: record.Record{Fleet: "prod", Tombstone: &record.Tombstone{How: record.TombstoneMoved, To: recordPath}}, version: 9}
				w.record().MovedFrom = old
			}, step: plan.MoveRecord{From: old},
			want: []string{
				"- corp/acme: moved from corp/old",
			},
		},
		"move_record: moved elsewhere": {
			before: func(w *world) {
				w.records[old] = &stored{record: record.Record{Fleet: "prod", Tombstone: &record.Tombstone{How: record.TombstoneMoved, To: "corp/other"}}, version: 9}
			}, step: plan.MoveRecord{From: old}, status: Broken,
			err: []string{"the record at corp/old was changed after this was planned; plan again"},
		},
		"move_record: taken over before": {
			before: func(w *world) {
				w.records[old] = &stored{record: copyRecord(*w.record()), version: 8}
				w.record().MovedFrom = old
			}, step: plan.MoveRecord{From: old, Basis: basisOfConnected()},
			want: []string{
				"- corp/acme: moved from corp/old",
				"- corp/old: client oc-1 made@-1h0m0s",
				"- corp/old: consumer ck-A A created@-1h0m0s",
				"- corp/old: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/old: host keys HK",
				"- corp/old: link https://tfe.example/acme made@-1h0m0s",
				"+ corp/old: ended moved to=corp/acme at@0s",
			},
		},
		"move_record: of another fleet": {
			before: func(w *world) { moves(w); w.records[old].record.Fleet = "test" }, step: plan.MoveRecord{From: old, Basis: basisOfConnected()}, status: Broken,
			err: []string{`the record at corp/old is of fleet "test", not of prod: it is left as it is`},
			want: []string{
				"+ corp/acme: described, user svc",
			},
		},
		"move_record: changed": {
			before: moves, step: plan.MoveRecord{From: old, Basis: "other"}, status: Broken,
			err: []string{"the record at corp/old was changed after this was planned; plan again"},
			want: []string{
				"+ corp/acme: described, user svc",
			},
		},
		"move_record: leased": {
			before: func(w *world) { moves(w); w.leased[old] = vault.LeasedError{Path: old, Holder: "them"} }, step: plan.MoveRecord{From: old, Basis: basisOfConnected()}, status: Leased,
			err: []string{"taking the lease of corp/old: corp/old is leased by them until 0001-01-01T00:00:00Z (wait for that run to end; if it died, its lease expires by itself)"},
			want: []string{
				"+ corp/acme: described, user svc",
			},
		},
		"move_record: on the way": {
			before: func(w *world) {
				moves(w)
				w.records[older] = &stored{record: copyRecord(w.records[old].record), version: 4}
			}, step: plan.MoveRecord{From: old, Basis: basisOfConnected(), Before: older, BeforeBasis: basisOfConnected()},
			want: []string{
				"- corp/old: client oc-1 made@-1h0m0s",
				"- corp/old: consumer ck-A A created@-1h0m0s",
				"- corp/old: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/old: host keys HK",
				"- corp/old: link https://tfe.example/acme made@-1h0m0s",
				"- corp/older: client oc-1 made@-1h0m0s",
				"- corp/older: consumer ck-A A created@-1h0m0s",
				"- corp/older: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/older: host keys HK",
				"- corp/older: link https://tfe.example/acme made@-1h0m0s",
				"+ corp/acme: client oc-1 made@-1h0m0s",
				"+ corp/acme: consumer ck-A A created@-1h0m0s",
				"+ corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"+ corp/acme: described, user svc",
				"+ corp/acme: host keys HK",
				"+ corp/acme: link https://tfe.example/acme made@-1h0m0s",
				"+ corp/old: ended moved to=corp/acme at@0s",
				"+ corp/older: ended moved to=corp/old at@0s",
			},
		},
		"move_record: on the way, changed": {
			before: func(w *world) {
				moves(w)
				w.records[older] = &stored{record: copyRecord(w.records[old].record), version: 4}
			}, step: plan.MoveRecord{From: old, Basis: basisOfConnected(), Before: older, BeforeBasis: "other"}, status: Broken,
			err: []string{"the record at corp/older was changed after this was planned; plan again"},
			want: []string{
				"+ corp/acme: described, user svc",
			},
		},
		"move_record: on the way, leased": {
			before: func(w *world) {
				moves(w)
				w.leased[older] = vault.LeasedError{Path: older, Holder: "them"}
			}, step: plan.MoveRecord{From: old, Basis: basisOfConnected(), Before: older}, status: Leased,
			err: []string{"taking the lease of corp/older: corp/older is leased by them until 0001-01-01T00:00:00Z (wait for that run to end; if it died, its lease expires by itself)"},
			want: []string{
				"+ corp/acme: described, user svc",
			},
		},
		"break_lease": {before: func(w *world) { w.leased[recordPath] = vault.LeasedError{Path: recordPath, Holder: "dead"} }, step: plan.BreakLease{Holder: "dead"}},
		"break_lease: of another by now": {
			before: func(w *world) { w.leased[recordPath] = vault.LeasedError{Path: recordPath, Holder: "them"} }, step: plan.BreakLease{Holder: "dead"}, status: Leased,
			err: []string{`connection.team["acme"]: taking the lease: corp/acme is leased by them until 0001-01-01T00:00:00Z (wait for that run to end; if it died, its lease expires by itself)`},
		},
	}
}

func basisOfConnected() string {
	w := connected()
	return stepCase{}.connection(w).Basis
}
