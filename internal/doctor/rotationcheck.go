package doctor

import (
	"strings"
	"time"
)

// rotationChecks shows how old the keys are, when they are due, and which old keys
// are kept and why; nothing where nothing could be planned: other checks say why.
func (f *connectionFacts) rotationChecks(now time.Time) []Check {
	const name = "rotation"
	if len(f.planned.Ages) == 0 {
		return nil
	}
	var ages, overdue []string
	for _, a := range f.planned.Ages {
		ages = append(ages, a.String())
		if !a.Overdue.IsZero() && now.After(a.Overdue) {
			overdue = append(overdue, strings.TrimSpace(a.Key+" "+a.Fingerprint))
		}
	}
	found := strings.Join(ages, "; ")
	if len(overdue) > 0 {
		return []Check{warning(name, found, "overdue: "+strings.Join(overdue, ", "), "bbsync apply rotates it, whatever the maintenance window")}
	}
	return []Check{ok(name, "%s", found)}
}
