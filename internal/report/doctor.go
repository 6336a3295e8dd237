package report

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/doctor"
)

// DoctorFormats returns the formats that RenderDoctor knows.
func DoctorFormats() []Format { return []Format{Text, AsJSON} }

// DoctorOptions say how much of what was found is shown.
type DoctorOptions struct {
	Style
	Fleet   string
	Verbose bool // every check; else of many connections only what is not well
}

// few is how many connections are shown whole.
const few = 3

// RenderDoctor returns what was found in a format.
func RenderDoctor(r doctor.Report, format Format, opts DoctorOptions) (string, error) {
	switch format {
	case Text:
		return Doctor(r, opts), nil
	case AsJSON:
		return JSON(NewDoctorDocument(opts.Fleet, r))
	case Markdown, MarkdownBitbucket, SARIF, JUnit, GitHub, CodeInsights, HTML, DOT, Mermaid, SVG:
	}
	return "", fmt.Errorf("what the doctor found has no format %q", format)
}

// Doctor shows what was found: a row for each check, below one that is not well
// its cause and what to do, and the counts last.
func Doctor(r doctor.Report, opts DoctorOptions) string {
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
		w.line(0, 2, span{bold, count(well, "connection")}, span{"", ": "}, span{green, "well in every check"})
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
		w.line(2, 2, span{dim, "and " + count(hidden, "check") + " more: ok"})
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
		return fmt.Sprintf("well (%s)", count(len(s.Checks), "check"))
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
		count(connections, "connection"), connections-ill, ill,
		r.Count(doctor.OK), count(r.Count(doctor.Warning), "warning"), r.Count(doctor.Failed), r.Count(doctor.Unknown))
}

// A DoctorDocument is what was found, for machines.
type DoctorDocument struct {
	Header
	Fleet    string                `json:"fleet"`
	Summary  DoctorSummaryDocument `json:"summary"`
	Sections []SectionDocument     `json:"sections"`
}

// A DoctorSummaryDocument counts.
type DoctorSummaryDocument struct {
	Connections int            `json:"connections"`
	Failed      int            `json:"failed"` // connections with a failure, their own or of a system they use
	Checks      map[string]int `json:"checks"` // by status
}

// A SectionDocument is one system or connection.
type SectionDocument struct {
	Kind    string          `json:"kind"`
	Address string          `json:"address"`
	Status  string          `json:"status"` // the most serious of its checks
	Checks  []CheckDocument `json:"checks"`
}

// A CheckDocument is one check.
type CheckDocument struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Found  string `json:"found"`
	Cause  string `json:"cause,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

// NewDoctorDocument returns what was found as a document.
func NewDoctorDocument(fleet string, r doctor.Report) DoctorDocument {
	ill, connections := r.Ill()
	out := DoctorDocument{
		Header: header("doctor"), Fleet: fleet, Sections: []SectionDocument{},
		Summary: DoctorSummaryDocument{Connections: connections, Failed: ill, Checks: map[string]int{}},
	}
	for _, status := range []doctor.Status{doctor.OK, doctor.Warning, doctor.Failed, doctor.Unknown} {
		out.Summary.Checks[statusName(status)] = r.Count(status)
	}
	for _, s := range r.Sections {
		section := SectionDocument{Kind: string(s.Kind), Address: s.Name, Status: statusName(s.Worst()), Checks: []CheckDocument{}}
		for _, c := range s.Checks {
			section.Checks = append(section.Checks, CheckDocument{c.Name, statusName(c.Status), c.Found, c.Cause, c.Remedy})
		}
		out.Sections = append(out.Sections, section)
	}
	return out
}

// statusName is a status's name for machines.
func statusName(s doctor.Status) string {
	if s == doctor.Unknown {
		return "cannot_tell"
	}
	return string(s)
}
