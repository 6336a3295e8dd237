package report

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/apply"
)

// Result shows how an apply ended: failures with their causes, what waits for a
// person with the link to open, the counts last.
func Result(r apply.Result, style Style) string {
	w := &resultWriter{Style: style}
	all := append(append([]apply.Outcome{}, r.Bitbuckets...), r.Connections...)
	for _, o := range all {
		if o.Status == apply.Broken || o.Status == apply.Stale || o.Status == apply.Blocked {
			w.failure(o)
		}
	}
	w.waits(Waits(r))
	w.counts(all)
	return w.String()
}

// Waits returns what a person must do, in the order of the plan.
func Waits(r apply.Result) []apply.Wait {
	var out []apply.Wait
	for _, o := range r.Connections {
		if o.Wait != nil {
			out = append(out, *o.Wait)
		}
	}
	return out
}

type resultWriter struct {
	strings.Builder
	Style
}

func (w *resultWriter) failure(o apply.Outcome) {
	fmt.Fprintf(w, "%s: %s\n", w.paint(red, string(o.Status)), Safe(fmt.Sprint(o.Err)))
	if left := len(o.Left); o.Status == apply.Broken && left > 1 {
		fmt.Fprintf(w, "    %s done, %d not run; run again to go on\n", count(len(o.Done), "step"), left-1)
	}
}

func (w *resultWriter) waits(waits []apply.Wait) {
	if len(waits) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", w.paint(bold+";"+yellow, fmt.Sprintf("%s for a person:", verb(len(waits)))))
	for _, x := range waits {
		fmt.Fprintf(w, "  %s %s\n", w.paint(yellow, "!"), Safe(x.Address))
		if x.Why != "" {
			fmt.Fprintf(w, "      %s\n", Safe(x.Why))
		}
		fmt.Fprintf(w, "      log in to %s as %s, open\n      %s\n      and click Allow; then run bbsync apply again\n", Safe(x.Bitbucket), Safe(x.User), Safe(x.URL))
	}
	w.WriteByte('\n')
}

func verb(n int) string {
	if n == 1 {
		return "1 connection waits"
	}
	return fmt.Sprintf("%d connections wait", n)
}

func (w *resultWriter) counts(outcomes []apply.Outcome) {
	byStatus := map[apply.Status]int{}
	steps := 0
	for _, o := range outcomes {
		byStatus[o.Status]++
		steps += len(o.Done)
	}
	var parts []string
	for _, s := range []apply.Status{apply.Applied, apply.Waiting, apply.Broken, apply.Blocked, apply.Stale, apply.NotRun, apply.Unchanged} {
		if n := byStatus[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	fmt.Fprintf(w, "%s done: %s.\n", count(steps, "step"), strings.Join(parts, ", "))
}
