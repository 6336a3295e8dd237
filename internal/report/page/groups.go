package page

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/planview"
)

// A pageGroup is a plan that one or many connections have.
type pageGroup struct {
	ID, State, StateLabel, Title, Members string
	More                                  int
	Open                                  bool
	Lines                                 []pageLine
}

type pageLine struct {
	Sign, Class, Text, Place string
	Differs                  int
}

// openGroups is how many of the plans are unfolded at first.
const openGroups = 6

// pageGroups returns the plans and, by address, which is whose.
func pageGroups(g *planview.Grouper, p plan.Plan) ([]pageGroup, map[string]string) {
	var out []pageGroup
	links := map[string]string{}
	add := func(group pageGroup, addresses ...string) {
		group.ID = fmt.Sprintf("plan-%d", len(out)+1)
		group.Open = len(out) < openGroups
		for _, a := range addresses {
			links[a] = group.ID
		}
		out = append(out, group)
	}
	each := func(state plan.State) {
		for _, gr := range g.Groups(p.Connections, state, false) {
			if len(gr.Lines) == 0 {
				continue
			}
			var names []string
			for _, c := range gr.Members {
				names = append(names, c.Address)
			}
			group := pageGroup{
				State: string(state), StateLabel: state.String(), Title: names[0], More: len(names) - 1, Lines: pageLines(gr.Lines, gr.Variants),
			}
			if len(names) > 1 {
				group.Members = "Alike: " + planview.AddressesTo(names[1:], 40)
			}
			add(group, names...)
		}
	}
	for _, state := range []plan.State{plan.StateWaiting, plan.StateUnreadable, plan.StateRefused, plan.StateLeased} {
		each(state)
	}
	for _, b := range p.Bitbuckets {
		if lines := planview.Lines(b.Changes, b.Blocks, b.Notes, true); len(lines) > 0 {
			address := "bitbucket." + b.Label
			add(pageGroup{State: string(b.State()), StateLabel: b.State().String(), Title: address + ", for all its connections", Lines: pageLines(lines, nil)}, address)
		}
	}
	each(plan.StateChanges)
	each(plan.StateInSync)
	return out, links
}

func pageLines(lines []planview.Line, variants []int) []pageLine {
	var out []pageLine
	for i, e := range lines {
		line := pageLine{Sign: e.Sign, Class: signClass(e.Sign), Text: e.Text, Place: e.At.String()}
		if i < len(variants) && variants[i] > 1 {
			line.Differs = variants[i]
		}
		out = append(out, line)
	}
	return out
}

func signClass(sign string) string {
	switch sign {
	case "+":
		return "s-add"
	case "-", "x":
		return "s-remove"
	case "~", "w":
		return "s-change"
	case "!":
		return "s-person"
	}
	return "s-other"
}
