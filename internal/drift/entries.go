package drift

import "github.com/bbsync/bbsync/internal/plan"

// Entry is a connection, or a Bitbucket for all of its connections.
type Entry struct {
	Address     string
	Where       string // the organization, the Bitbucket's URL
	State       plan.State
	Differences []Difference
	Blocks      []Block
}

// Entries returns the Bitbuckets and the connections.
func (r Report) Entries() []Entry {
	out := make([]Entry, 0, len(r.Bitbuckets)+len(r.Connections))
	for _, b := range r.Bitbuckets {
		out = append(out, Entry{"bitbucket." + b.Label, b.URL, b.State, b.Differences, b.Blocks})
	}
	for _, c := range r.Connections {
		out = append(out, Entry{c.Address, c.Organization, c.State, c.Differences, c.Blocks})
	}
	return out
}
