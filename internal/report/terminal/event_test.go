package terminal

import (
	"errors"
	"testing"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/reporttest"
)

func TestEvent(t *testing.T) {
	address := reporttest.Connection("acme").Address
	for _, x := range []struct {
		event apply.Event
		want  string
	}{
		{apply.Event{Address: address, Kind: apply.StepDone, Step: plan.ProveConsumer{}}, address + ": ? bitbucket: prove the consumer with a request token"},
		{apply.Event{Address: address, Kind: apply.Failed, Step: plan.ProveConsumer{}, Err: errors.New("401\x1b[31m")}, address + ": x bitbucket: prove the consumer with a request token: 401\\x1b[31m"},
		{apply.Event{Address: address, Kind: apply.Warning, Text: "learned"}, address + ": w learned"},
		{apply.Event{Address: address, Kind: apply.Started}, ""},
	} {
		if got := Event(x.event, Style{}); got != x.want {
			t.Errorf("got  %q\nwant %q", got, x.want)
		}
	}
}

func TestRepeated(t *testing.T) {
	r := NewRepeated()
	if !r.First(reporttest.Connection("a").Address, "learned the key of a, SHA256:abc") || r.First(reporttest.Connection("b").Address, "learned the key of b, SHA256:xyz") || !r.First(reporttest.Connection("a").Address, "else") {
		t.Error("not held back as it should")
	}
	if got := r.Rest(Style{}); got != "w of 1 more connections, alike: learned the key of a, SHA256:abc\n" {
		t.Errorf("%q", got)
	}
}
