package drift

import (
	"cmp"
	"slices"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/sourcepos"
)

// differences lists the reasons of all steps. A step without a reason follows
// from another; steps that have no reason at all between them are told as they
// are, so that nothing is changed without a difference.
func differences[S plan.AnyStep](changes []plan.ChangeOf[S]) []Difference {
	var out []Difference
	for _, c := range changes {
		for _, r := range c.Because {
			d := Difference{Kind: c.Step.Type().Object, What: r.What + on(c.Step), Live: r.Live, Want: r.Want, At: sourcepos.Of(r.At)}
			if !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, c := range changes {
		out = append(out, Difference{Kind: c.Step.Type().Object, What: c.Step.String(), Live: "not done", Want: "done"})
	}
	return out
}

// on names what a difference is about where its text leaves that to the step.
func on(step plan.AnyStep) string {
	var project, repository string
	switch s := step.(type) {
	case plan.GrantPermission:
		project, repository = s.Project, s.Repository
	case plan.EnableHook:
		project, repository = s.Project, s.Repository
	default:
		return ""
	}
	if repository == "" {
		return " on " + project
	}
	return " on " + project + "/" + repository
}

// inOrder sorts what a Bitbucket's connections share: shards find it in another
// order than one process.
func inOrder(differences []Difference) []Difference {
	slices.SortFunc(differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.What, b.What), cmp.Compare(a.Want, b.Want),
			cmp.Compare(a.Live, b.Live), cmp.Compare(a.At.File, b.At.File), cmp.Compare(a.At.Line, b.At.Line))
	})
	return differences
}
