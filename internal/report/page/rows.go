package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/planview"
	"github.com/bbsync/bbsync/internal/sourcepos"
)

// A pageRow is one connection in the table.
type pageRow struct {
	ID, State, StateLabel, Sign                                   string
	Organization, Terraform, Bitbucket, ServiceUser, Repositories string
	Rank, Steps                                                   int
	Keys                                                          []pageKey
	Next, Group, Place                                            string
}

// A pageKey is the age of one key of a connection.
type pageKey struct {
	Known   bool
	Days    int // -1 for none
	Percent int
	Text    string
	Late    string
}

// mostNamed is how many repositories a row names.
const mostNamed = 3

func pageRows(p plan.Plan, now time.Time, links map[string]string) []pageRow {
	oldest := oldestDays(p, now)
	var out []pageRow
	for i, c := range p.Connections {
		state := c.State()
		row := pageRow{
			ID: rowID(i), State: string(state), StateLabel: state.String(), Sign: stateSign(state), Rank: slices.Index(plan.States(), state),
			Organization: c.Organization, Terraform: c.Terraform, Bitbucket: c.Bitbucket, ServiceUser: c.ServiceUser,
			Repositories: repositoriesText(c.Needs), Steps: len(c.Changes), Next: next(c), Group: links[c.Address], Place: sourcepos.Of(c.At).String(),
		}
		for _, key := range keyKinds() {
			row.Keys = append(row.Keys, pageKeyOf(c.Ages, key, now, oldest))
		}
		out = append(out, row)
	}
	return out
}

func next(c plan.Connection) string {
	switch {
	case len(c.Blocks) > 0:
		return c.Blocks[0].Text
	case len(c.Changes) > 0:
		return fmt.Sprintf("%s: %s", planview.Count(len(c.Changes), "step"), c.Changes[0].Step.String())
	case len(c.Notes) > 0:
		return c.Notes[0].Text
	}
	return "nothing"
}

func repositoriesText(grants []plan.GrantPermission) string {
	var names []string
	for _, g := range grants {
		names = append(names, grantName(g))
	}
	if more := len(names) - mostNamed; more > 1 {
		names = append(names[:mostNamed], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// keyKinds are the kinds of keys that have an age.
func keyKinds() []string { return []string{plan.ServiceKey, plan.ConsumerPair} }

// ageOf returns the age of a connection's key in use.
func ageOf(ages []plan.Age, key string) (plan.Age, bool) {
	for _, a := range ages {
		if a.Key == key && a.Role == plan.Current && !a.Created.IsZero() {
			return a, true
		}
	}
	return plan.Age{}, false
}

func days(from, to time.Time) int { return max(int(to.Sub(from).Hours()/24), 0) }

func oldestDays(p plan.Plan, now time.Time) int {
	oldest := 1
	for _, c := range p.Connections {
		for _, a := range c.Ages {
			if !a.Created.IsZero() {
				oldest = max(oldest, days(a.Created, now))
			}
		}
	}
	return oldest
}

func pageKeyOf(ages []plan.Age, key string, now time.Time, oldest int) pageKey {
	a, ok := ageOf(ages, key)
	if !ok {
		return pageKey{Days: -1}
	}
	n := days(a.Created, now)
	out := pageKey{Known: true, Days: n, Percent: 100 * n / oldest, Text: planview.Count(n, "day")}
	if isDue(a, now) {
		out.Late = "due"
	}
	return out
}

func isDue(a plan.Age, now time.Time) bool { return !a.Due.IsZero() && !now.Before(a.Due) }

// A pageAges is the picture of one kind of key's ages.
type pageAges struct {
	Key, Says string
	Bars      []pageBar
}

type pageBar struct {
	Label               string
	Count, Due, Percent int
}

// pageAgesOf counts keys by age; nothing when none is known.
func pageAgesOf(p plan.Plan, now time.Time) []pageAges {
	var out []pageAges
	for _, key := range keyKinds() {
		bars := []pageBar{{Label: "under 30 days"}, {Label: "30 to 90"}, {Label: "90 to 180"}, {Label: "180 to 365"}, {Label: "over a year"}}
		limits := []int{30, 90, 180, 365}
		known, due := 0, 0
		for _, c := range p.Connections {
			a, ok := ageOf(c.Ages, key)
			if !ok {
				continue
			}
			known++
			i := 0
			for i < len(limits) && days(a.Created, now) >= limits[i] {
				i++
			}
			bars[i].Count++
			if isDue(a, now) {
				bars[i].Due++
				due++
			}
		}
		if known == 0 {
			continue
		}
		for i := range bars {
			bars[i].Percent = 100 * bars[i].Count / known
		}
		says := fmt.Sprintf("%d of %s; %d due to be replaced.", known, planview.Count(len(p.Connections), "connection"), due)
		out = append(out, pageAges{Key: keyHead(key), Says: says, Bars: bars})
	}
	return out
}

// keyHead is a kind of key as a heading.
func keyHead(key string) string {
	if key == plan.ConsumerPair {
		return "Consumer's pair"
	}
	return "SSH key"
}
