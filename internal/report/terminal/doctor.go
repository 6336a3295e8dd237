package terminal

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/doctor"
	"github.com/bbsync/bbsync/internal/report/planview"
)

// few is how many connections are shown whole.
const few = 3

// Doctor shows what was found: a row for each check, below one that is not well
// its cause and what to do, and the counts last.
func Doctor(r doctor.Report, opts Options) string {
	w := &lineWriter{Style: opts.Style}
	ill, connections := r.Ill()
	well := 0
	for _, s := range r.Sections {
		whole := opts.Verbose || s.Kind != doctor.Connection || connections <= few
		if !whole && s.Worst() == doctor.OK {
			well++
			continue
		}
		w.section(s, whole)
	}
	if well > 0 {
		w.line(0, 2, span{bold, planview.Count(well, "connection")}, span{"", ": "}, span{green, "well in every check"})
		w.blank()
	}
	w.line(0, 2, span{bold, doctorSummary(r, ill, connections)})
	w.line(0, 2, span{dim, "Names, ports, certificates, clocks and logins are as seen from this machine; only the rows that say so are Terraform's own view."})
	return w.String()
}

func (w *lineWriter) section(s doctor.Section, whole bool) {
	w.line(0, 2, span{bold, s.Name}, span{"", ": "}, span{checkCode(s.Worst()), worst(s)})
	hidden := 0
	for _, c := range s.Checks {
		if !whole && c.Status == doctor.OK {
			hidden++
			continue
		}
		w.check(c)
	}
	if hidden > 0 && hidden < len(s.Checks) {
		w.line(2, 2, span{dim, "and " + planview.Count(hidden, "check") + " more: ok"})
	}
	w.blank()
}

// widest are the longest status and the longest check's name.
const widest, widestName = len("cannot tell"), len("application-link")

func (w *lineWriter) check(c doctor.Check) {
	w.line(2, 2+widest+widestName,
		span{checkCode(c.Status), fmt.Sprintf("%-*s", widest, c.Status)},
		span{"", fmt.Sprintf("  %-*s  ", widestName, c.Name)}, span{"", c.Found})
	under := 2 + widest + 2 + widestName + 2
	if c.Cause != "" {
		w.line(under, 8, span{dim, "cause:  "}, span{"", c.Cause})
	}
	if c.Remedy != "" {
		w.line(under, 8, span{bold, "remedy: "}, span{"", c.Remedy})
	}
}

func worst(s doctor.Section) string {
	if s.Worst() == doctor.OK {
		return fmt.Sprintf("well (%s)", planview.Count(len(s.Checks), "check"))
	}
	return string(s.Worst())
}

func checkCode(s doctor.Status) string {
	switch s {
	case doctor.OK:
		return green
	case doctor.Warning:
		return yellow
	case doctor.Failed:
		return red
	case doctor.Unknown:
	}
	return cyan
}

func doctorSummary(r doctor.Report, ill, connections int) string {
	return fmt.Sprintf("%s: %d well, %d with failures. %d ok, %s, %d failed, %d cannot tell.",
		planview.Count(connections, "connection"), connections-ill, ill,
		r.Count(doctor.OK), planview.Count(r.Count(doctor.Warning), "warning"), r.Count(doctor.Failed), r.Count(doctor.Unknown))
}
