package record

import (
	"errors"
	"slices"
	"strings"
)

// Moving is what one wave moves from one OAuth token to another.
type Moving struct {
	From, To   string // ids of the tokens
	Workspaces []MovingWorkspace
}

// A MovingWorkspace is a workspace as it was before it was moved.
type MovingWorkspace struct {
	ID, Name string
	Version  string // id of its newest configuration version, "" for none: another one was fetched with the other token
}

func (m *Moving) clone() *Moving {
	have := clone(m)
	if have != nil {
		have.Workspaces = slices.Clone(m.Workspaces)
	}
	return have
}

func (m *Moving) storable() error {
	if m == nil {
		return nil
	}
	for _, w := range m.Workspaces {
		if strings.ContainsAny(w.ID+w.Version+w.Name, "\t\n") {
			return errors.New("a workspace's name or id has more than one line, or a tab")
		}
	}
	return nil
}

// putMoving stores a line for each workspace, its fields separated by tabs.
func (f Fields) putMoving(m *Moving) {
	if m == nil {
		return
	}
	lines := make([]string, len(m.Workspaces))
	for i, w := range m.Workspaces {
		lines[i] = strings.Join([]string{w.ID, w.Version, w.Name}, "\t")
	}
	f.put("moving_from", m.From)
	f.put("moving_to", m.To)
	f.put("moving_workspaces", strings.Join(lines, "\n"))
}

func (r *reader) moving() *Moving {
	before := r.taken
	m := &Moving{From: r.text("moving_from"), To: r.text("moving_to")}
	if lines := r.text("moving_workspaces"); lines != "" {
		for line := range strings.SplitSeq(lines, "\n") {
			fields := strings.Split(line, "\t")
			if len(fields) != 3 {
				r.fail("moving_workspaces", "a list of workspaces")
				return nil
			}
			m.Workspaces = append(m.Workspaces, MovingWorkspace{ID: fields[0], Version: fields[1], Name: fields[2]})
		}
	}
	if r.taken == before {
		return nil
	}
	return m
}
