package page

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/planview"
)

// A pageWorld is one Bitbucket with the organizations that reach it and the
// repositories that they share.
type pageWorld struct {
	Label, URL        string
	State, StateLabel string
	Group             string
	Terraforms        []pageTerraform
	Repositories      []pageRepository
}

type pageTerraform struct {
	Label string
	Count string
	Says  string // to who cannot see the cells
	Cells []pageCell
}

type pageCell struct{ Row, State, Sign, Title string }

type pageRepository struct {
	Name, Permission string
	Count            int
}

func rowID(i int) string { return fmt.Sprintf("c-%d", i+1) }

func pageWorlds(p plan.Plan, links map[string]string) []pageWorld {
	var out []pageWorld
	for _, b := range p.Bitbuckets {
		out = append(out, pageWorld{
			Label: b.Label, URL: b.URL, State: string(b.State()), StateLabel: b.State().String(), Group: links["bitbucket."+b.Label],
			Terraforms: pageTerraforms(p, b.Label), Repositories: pageRepositories(p, b.Label),
		})
	}
	return out
}

func pageTerraforms(p plan.Plan, bitbucket string) []pageTerraform {
	var out []pageTerraform
	counts := map[string]map[plan.State]int{}
	index := map[string]int{}
	for i, c := range p.Connections {
		if c.Bitbucket != bitbucket {
			continue
		}
		at, ok := index[c.Terraform]
		if !ok {
			at = len(out)
			index[c.Terraform] = at
			out = append(out, pageTerraform{Label: c.Terraform})
			counts[c.Terraform] = map[plan.State]int{}
		}
		state := c.State()
		counts[c.Terraform][state]++
		out[at].Cells = append(out[at].Cells, pageCell{rowID(i), string(state), stateSign(state), c.Organization + ": " + state.String()})
	}
	for i := range out {
		out[i].Count = planview.Count(len(out[i].Cells), "organization")
		out[i].Says = out[i].Count
		for _, state := range plan.States() {
			if n := counts[out[i].Label][state]; n > 0 {
				out[i].Says += fmt.Sprintf(", %d %s", n, planview.StateAfterNumber(state))
			}
		}
	}
	return out
}

// pageRepositories returns what the connections of a Bitbucket share, the most
// shared first.
func pageRepositories(p plan.Plan, bitbucket string) []pageRepository {
	var out []pageRepository
	index := map[string]int{}
	for _, c := range p.Connections {
		if c.Bitbucket != bitbucket {
			continue
		}
		for _, g := range c.Needs {
			key := grantName(g) + "|" + g.Permission
			i, ok := index[key]
			if !ok {
				i = len(out)
				index[key] = i
				out = append(out, pageRepository{Name: grantName(g), Permission: g.Permission})
			}
			out[i].Count++
		}
	}
	slices.SortStableFunc(out, func(a, b pageRepository) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

func grantName(g plan.GrantPermission) string {
	if g.Repository == "" {
		return g.Project + " (project)"
	}
	return g.Project + "/" + g.Repository
}
