package terminal

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/report/planview"
)

// Result shows how an apply ended: failures with their causes, what waits
// for a person with the link to open, the counts last.
func Result(r apply.Result, opts Options) string {
	w := &resultWriter{lineWriter: lineWriter{Style: opts.Style}, Grouper: planview.NewGrouper(), verbose: opts.Verbose}
	all := r.Outcomes()
	w.failures(all)
	if r.Halted != "" {
		w.line(0, 4, span{red, "halted"}, span{"", ": no further connection was begun: " + r.Halted})
	}
	w.later(all)
	w.waits(waitsOf(r))
	w.counts(r)
	return w.String()
}

// later says what stays because something else has to be done first.
func (w *resultWriter) later(all []apply.Outcome) {
	var addresses []string
	for _, o := range all {
		if o.Status == apply.Later {
			addresses = append(addresses, o.Address)
		}
	}
	if len(addresses) > 0 {
		w.line(0, 4, span{yellow, string(apply.Later)}, span{"", ": what these follow has not come to its end; run again then: " + planview.AddressList(addresses)})
	}
}

// waits returns what a person must do, in the order of the plan.
func waitsOf(r apply.Result) []apply.Wait {
	var out []apply.Wait
	for _, o := range r.Connections {
		if o.Wait != nil {
			out = append(out, *o.Wait)
		}
	}
	return out
}

type resultWriter struct {
	lineWriter
	*planview.Grouper
	verbose bool
}

// failures shows what did not end well, each cause once.
func (w *resultWriter) failures(all []apply.Outcome) {
	var order []string
	alike := map[string][]apply.Outcome{}
	for _, o := range all {
		switch o.Status {
		case apply.Broken, apply.Stale, apply.Blocked, apply.Leased:
		case apply.Applied, apply.Unchanged, apply.Waiting, apply.NotRun, apply.Later:
			continue
		}
		key := o.Address
		if !w.verbose {
			key = fmt.Sprintf("%s|%d|%s", o.Status, len(o.Done), w.Without(errorText(o), o.Address, keyOf(o.Address)))
		}
		if alike[key] == nil {
			order = append(order, key)
		}
		alike[key] = append(alike[key], o)
	}
	for _, key := range order {
		w.failure(alike[key][0], alike[key][1:])
	}
}

func (w *resultWriter) failure(o apply.Outcome, more []apply.Outcome) {
	text := errorText(o)
	if !strings.Contains(text, o.Address) {
		text = o.Address + ": " + text
	}
	w.line(0, 4, span{red, string(o.Status)}, span{"", ": " + text})
	if left := len(o.Left); o.Status == apply.Broken && left > 1 {
		w.line(4, 2, span{dim, fmt.Sprintf("%s done, %d not run; run again to go on", planview.Count(len(o.Done), "step"), left-1)})
	}
	if len(more) > 0 {
		w.line(4, 2, span{bold, fmt.Sprintf("and %d more, alike:", len(more))}, span{"", " " + planview.AddressList(outcomeAddresses(more))})
	}
}

func errorText(o apply.Outcome) string {
	if o.Err == nil {
		return "no cause is known"
	}
	return o.Err.Error()
}

func outcomeAddresses(outcomes []apply.Outcome) []string {
	var out []string
	for _, o := range outcomes {
		out = append(out, o.Address)
	}
	return out
}

// keyOf returns the instance's key in an address: acme of
// connection.team["acme"].
func keyOf(address string) string {
	_, key, _ := strings.Cut(address, "[")
	return strings.Trim(strings.TrimSuffix(key, "]"), `"`)
}

// fewWaits is how many links to open are shown of many.
const fewWaits = 10

// waits shows what a person must do: once where and as whom, then the links.
func (w *resultWriter) waits(waits []apply.Wait) {
	if len(waits) == 0 {
		return
	}
	w.blank()
	w.line(0, 2, span{bold + ";" + yellow, verb(len(waits)) + " for a person:"})
	type place struct{ bitbucket, user, why string }
	var order []place
	byPlace := map[place][]apply.Wait{}
	for _, x := range waits {
		key := place{x.Bitbucket, x.User, w.Without(x.Why, x.Address, x.Organization)}
		if byPlace[key] == nil {
			order = append(order, key)
		}
		byPlace[key] = append(byPlace[key], x)
	}
	for _, key := range order {
		w.waitsAt(byPlace[key])
	}
	w.blank()
}

func (w *resultWriter) waitsAt(waits []apply.Wait) {
	first := waits[0]
	if first.Why != "" {
		w.line(2, 2, span{"", first.Why})
	}
	w.line(2, 2, span{yellow, "!"}, span{"", fmt.Sprintf(" log in to %s as %s, open", first.Bitbucket, first.User)})
	for i, x := range waits {
		if i == fewWaits && len(waits) > fewWaits+1 && !w.verbose {
			w.line(6, 2, span{dim, fmt.Sprintf("... and %d more; --verbose, or --json, tells all", len(waits)-i)})
			break
		}
		w.line(6, 2, span{"", x.URL}, span{dim, "  " + x.Address})
	}
	w.line(4, 2, span{"", "and click Allow; then run bbsync apply again"})
}

func verb(n int) string {
	if n == 1 {
		return "1 connection waits"
	}
	return fmt.Sprintf("%d connections wait", n)
}

// counts tells how the connections ended, and the Bitbuckets that had steps of
// their own.
func (w *resultWriter) counts(r apply.Result) {
	steps, shared := 0, make([]apply.Outcome, 0, len(r.Bitbuckets))
	for _, o := range r.Outcomes() {
		steps += len(o.Done)
	}
	for _, o := range r.Bitbuckets {
		if o.Status != apply.Unchanged {
			shared = append(shared, o)
		}
	}
	spans := []span{{bold, planview.Count(steps, "step") + " done"}}
	if len(r.Connections) > 0 {
		spans = append(append(spans, span{"", ": "}), byStatus(r.Connections)...)
	}
	if len(shared) > 0 {
		spans = append(append(spans, span{"", "; Bitbuckets: "}), byStatus(shared)...)
	}
	w.line(0, 2, append(spans, span{"", "."})...)
}

// byStatus counts outcomes: "1 applied, 2 waiting".
func byStatus(outcomes []apply.Outcome) []span {
	n := map[apply.Status]int{}
	for _, o := range outcomes {
		n[o.Status]++
	}
	var spans []span
	for _, s := range apply.Statuses() {
		if n[s] == 0 {
			continue
		}
		if len(spans) > 0 {
			spans = append(spans, span{"", ", "})
		}
		spans = append(spans, span{"", fmt.Sprintf("%d ", n[s])}, span{statusCode(s), string(s)})
	}
	return spans
}

func statusCode(s apply.Status) string {
	switch s {
	case apply.Applied:
		return green
	case apply.Broken, apply.Blocked:
		return red
	case apply.Waiting, apply.Stale, apply.NotRun, apply.Leased, apply.Later:
		return yellow
	case apply.Unchanged:
	}
	return ""
}
