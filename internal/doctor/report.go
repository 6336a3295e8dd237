package doctor

import "slices"

// A Report is what was found, in the order it is read: what connections share
// first, then the connections in the order of the files.
type Report struct {
	Sections []Section
}

// Kind says what a Section is about.
type Kind string

// The kinds of Section.
const (
	Vault      Kind = "vault"
	Terraform  Kind = "terraform"
	Bitbucket  Kind = "bitbucket"
	Connection Kind = "connection"
)

// A Section is one system, or one connection.
type Section struct {
	Kind   Kind
	Name   string // address in the files
	Needs  []string
	Checks []Check
}

// Status is how a check ended.
type Status string

// The ends of a check. Unknown says that the question could not be put, or that
// the system cannot answer it: no sign of health, and none of illness.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Failed  Status = "failed"
	Unknown Status = "cannot tell"
)

// A Check is one thing that was looked at.
type Check struct {
	Name   string // one word, the same in every run and release
	Status Status
	Found  string
	Cause  string // why it is so, as far as can be told; "" when OK
	Remedy string // what to do; "" when OK
}

// Worst returns the section's most serious status: Failed, Warning, Unknown, OK.
func (s Section) Worst() Status {
	for _, status := range []Status{Failed, Warning, Unknown} {
		for _, c := range s.Checks {
			if c.Status == status {
				return status
			}
		}
	}
	return OK
}

// Count returns how many checks ended so.
func (r Report) Count(status Status) int {
	n := 0
	for _, s := range r.Sections {
		for _, c := range s.Checks {
			if c.Status == status {
				n++
			}
		}
	}
	return n
}

// unread reports whether a connection could not be read, so that nothing is known
// of it.
func (s Section) unread() bool {
	return slices.ContainsFunc(s.Checks, func(c Check) bool { return c.Name == planName && c.Status == Unknown })
}

// Ill returns how many connections there are, and how many of them could not be
// read or have a failed check: one of their own, or of a system they use.
func (r Report) Ill() (ill, connections int) {
	failed := map[string]bool{}
	for _, s := range r.Sections {
		failed[s.Name] = s.Worst() == Failed
	}
	for _, s := range r.Sections {
		if s.Kind != Connection {
			continue
		}
		connections++
		bad := failed[s.Name] || s.unread()
		for _, need := range s.Needs {
			bad = bad || failed[need]
		}
		if bad {
			ill++
		}
	}
	return ill, connections
}
