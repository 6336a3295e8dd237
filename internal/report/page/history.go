package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/planview"
)

const (
	mostRuns    = 30 // shown of many
	mostOften   = 10
	runTimeForm = "2006-01-02 15:04"
)

// A pageHistory is the picture of what earlier looks at the fleet saw.
type pageHistory struct {
	Title, Says string
	Runs        []pageRun
	Often       []pageOften
}

type pageRun struct {
	When, Text string
	Parts      []pagePart // of those not in sync, by state
}

type pagePart struct {
	State   string
	Percent float64 // of the widest run
}

type pageOften struct{ Organization, Address, Text string }

// CheckRuns returns an error when reports of drift cannot be shown with the
// fleet. The names tell them apart.
func CheckRuns(fleet string, names []string, runs []drift.Report) error {
	for i, run := range runs {
		switch {
		case run.Fleet != fleet:
			return fmt.Errorf("%s is of fleet %s, and this is fleet %s", names[i], run.Fleet, fleet)
		case run.Shard != "":
			return fmt.Errorf("%s is of shard %s: put the shards of each run together with bbsync report merge --json", names[i], run.Shard)
		case run.Time.IsZero():
			return fmt.Errorf("%s does not say when it was made", names[i])
		}
	}
	return nil
}

// pageHistoryOf shows the last runs, the newest first; nil when there are none.
func pageHistoryOf(runs []drift.Report) *pageHistory {
	if len(runs) == 0 {
		return nil
	}
	runs = slices.SortedStableFunc(slices.Values(runs), func(a, b drift.Report) int { return b.Time.Compare(a.Time) })
	runs = runs[:min(len(runs), mostRuns)]
	widest := 1
	for _, run := range runs {
		widest = max(widest, outOfSync(run))
	}
	h := &pageHistory{
		Title: "Drift over the last " + planview.Count(len(runs), "run"),
		Says:  "Connections that were not in sync when bbsync drift looked, the newest first.",
		Often: oftenOut(runs),
	}
	for _, run := range runs {
		h.Runs = append(h.Runs, pageRunOf(run, widest))
	}
	return h
}

func outOfSync(run drift.Report) int {
	return run.Summary.Connections - run.Summary.States[plan.StateInSync]
}

func pageRunOf(run drift.Report, widest int) pageRun {
	out := pageRun{When: run.Time.UTC().Format(runTimeForm)}
	var texts []string
	for _, state := range plan.States() {
		n := run.Summary.States[state]
		if n == 0 || state == plan.StateInSync {
			continue
		}
		out.Parts = append(out.Parts, pagePart{string(state), 100 * float64(n) / float64(widest)})
		texts = append(texts, fmt.Sprintf("%d %s", n, planview.StateAfterNumber(state)))
	}
	if run.Summary.Shared > 0 {
		texts = append(texts, fmt.Sprintf("%d shared", run.Summary.Shared))
	}
	if len(run.Missing) > 0 {
		texts = append(texts, planview.Count(len(run.Missing), "shard")+" missing")
	}
	if out.Text = strings.Join(texts, ", "); out.Text == "" {
		out.Text = "in sync"
	}
	return out
}

// oftenOut returns the connections that were out of sync most often: more than
// once, as once is what drift is.
func oftenOut(runs []drift.Report) []pageOften {
	times := map[string]int{}
	organizations := map[string]string{}
	for _, run := range runs {
		for _, c := range run.Connections {
			if c.State != plan.StateInSync {
				times[c.Address]++
				organizations[c.Address] = c.Organization
			}
		}
	}
	addresses := make([]string, 0, len(times))
	for address, n := range times {
		if n > 1 {
			addresses = append(addresses, address)
		}
	}
	slices.SortFunc(addresses, func(a, b string) int { return cmp.Or(cmp.Compare(times[b], times[a]), cmp.Compare(a, b)) })
	var out []pageOften
	for _, address := range addresses[:min(len(addresses), mostOften)] {
		out = append(out, pageOften{organizations[address], address, fmt.Sprintf("%d of %s", times[address], planview.Count(len(runs), "run"))})
	}
	return out
}
