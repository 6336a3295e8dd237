package documents

import "github.com/bbsync/bbsync/internal/doctor"

// A Doctor is what was found, for machines.
type Doctor struct {
	Header
	Fleet    string        `json:"fleet"`
	Summary  DoctorSummary `json:"summary"`
	Sections []Section     `json:"sections"`
}

// A DoctorSummary counts.
type DoctorSummary struct {
	Connections int            `json:"connections"`
	Failed      int            `json:"failed"` // connections with a failure, their own or of a system they use
	Checks      map[string]int `json:"checks"` // by status
}

// A Section is one system or connection.
type Section struct {
	Kind    string  `json:"kind"`
	Address string  `json:"address"`
	Status  string  `json:"status"` // the most serious of its checks
	Checks  []Check `json:"checks"`
}

// A Check is one check.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Found  string `json:"found"`
	Cause  string `json:"cause,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

// NewDoctor returns what was found as a document.
func NewDoctor(fleet string, r doctor.Report) Doctor {
	ill, connections := r.Ill()
	out := Doctor{
		Header: header("doctor"), Fleet: fleet, Sections: []Section{},
		Summary: DoctorSummary{Connections: connections, Failed: ill, Checks: map[string]int{}},
	}
	for _, status := range []doctor.Status{doctor.OK, doctor.Warning, doctor.Failed, doctor.Unknown} {
		out.Summary.Checks[statusName(status)] = r.Count(status)
	}
	for _, s := range r.Sections {
		section := Section{Kind: string(s.Kind), Address: s.Name, Status: statusName(s.Worst()), Checks: []Check{}}
		for _, c := range s.Checks {
			section.Checks = append(section.Checks, Check{c.Name, statusName(c.Status), c.Found, c.Cause, c.Remedy})
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
