package vault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Moving is what one wave moves from one OAuth token to another.
type Moving struct {
	From, To   string // ids of the tokens
	Workspaces []MovingWorkspace
}

// A MovingWorkspace is one as it was before it was moved.
type MovingWorkspace struct {
	ID, Name string
	Version  string // id of its newest configuration version, "" for none: another one is a fetch with the other token
}

func (m *Moving) clone() *Moving {
	if m == nil {
		return nil
	}
	have := *m
	have.Workspaces = slices.Clone(m.Workspaces)
	return &have
}

// putMoving stores a line for each workspace, its fields with tabs between them.
func (d document) putMoving(m *Moving) error {
	if m == nil {
		return nil
	}
	lines := make([]string, len(m.Workspaces))
	for i, w := range m.Workspaces {
		fields := []string{w.ID, w.Version, w.Name}
		if slices.ContainsFunc(fields, func(field string) bool { return strings.ContainsAny(field, "\t\n") }) {
			return errors.New("a workspace's name or id has more than one line, or a tab")
		}
		lines[i] = strings.Join(fields, "\t")
	}
	d.put("moving_from", m.From)
	d.put("moving_to", m.To)
	d.put("moving_workspaces", strings.Join(lines, "\n"))
	return nil
}

func (r *reader) moving() *Moving {
	m := Moving{From: r.text("moving_from"), To: r.text("moving_to")}
	lines := r.text("moving_workspaces")
	if lines != "" {
		for line := range strings.SplitSeq(lines, "\n") {
			fields := strings.Split(line, "\t")
			if len(fields) != 3 {
				if r.err == nil {
					r.err = fmt.Errorf("%w: field %q is not a list of workspaces", ErrNotRecord, "moving_workspaces")
				}
				return nil
			}
			m.Workspaces = append(m.Workspaces, MovingWorkspace{ID: fields[0], Version: fields[1], Name: fields[2]})
		}
	}
	if m.From == "" && m.To == "" && len(m.Workspaces) == 0 {
		return nil
	}
	return &m
}
