// Package page presents a fleet as one HTML page that needs nothing else.
package page

import (
	"context"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/planview"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

//go:embed assets/page.css
var pageStyle string

//go:embed assets/page.js
var pageScript string

// cellSize is the class of the map's cells: a fleet of any size is to be seen
// at once.
func cellSize(connections int) string {
	switch {
	case connections >= 1500:
		return "dense tiny"
	case connections >= 400:
		return "dense"
	}
	return ""
}

// A pageData is what the page shows. All texts in it are escaped where they
// stand; Style and Script alone are our own.
type pageData struct {
	Fleet, Sum, When, Version string
	ScriptHash, Style, Script string
	Cells                     string // class of the map
	States                    []pageState
	Worlds                    []pageWorld
	Ages                      []pageAges
	History                   *pageHistory
	Heads                     []string
	Rows                      []pageRow
	Groups                    []pageGroup
}

type pageState struct {
	Name, Label, Sign string
	Count             int
}

// HTML returns a fleet as one HTML page that needs nothing else. now is when it
// was read, runs are what earlier looks saw.
func HTML(p plan.Plan, now time.Time, version string, runs ...drift.Report) (string, error) {
	sum := sha256.Sum256([]byte(pageScript))
	g := planview.NewGrouper()
	groups, links := pageGroups(g, p)
	rows := pageRows(p, now, links)
	out := pageData{
		Fleet: p.Fleet, When: now.UTC().Format("2006-01-02 15:04 MST"), Version: version,
		Sum:        strings.TrimSpace(terminal.Summary(p.Summary())),
		ScriptHash: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
		Cells:      cellSize(len(p.Connections)), States: pageStates(p.Summary()),
		Worlds: pageWorlds(p, links), Ages: pageAgesOf(p, now), History: pageHistoryOf(runs),
		Heads: []string{"State", "Organization", "Terraform", "Bitbucket", "Service user", "Repositories", "SSH key", "Consumer's pair", "To do"},
		Rows:  rows, Groups: groups,
	}
	plainStrings(reflect.ValueOf(&out).Elem())
	out.Style, out.Script = pageStyle, pageScript
	var b strings.Builder
	if err := htmlPage(out).Render(context.Background(), &b); err != nil {
		return "", fmt.Errorf("writing the page: %w", err)
	}
	return b.String(), nil
}

func pageStates(s plan.Summary) []pageState {
	var out []pageState
	for _, state := range plan.States() {
		if n := s.States[state]; n > 0 {
			out = append(out, pageState{string(state), planview.StateAfterNumber(state), stateSign(state), n})
		}
	}
	return out
}

// stateSign is one character for a state, for where colour may not be seen.
func stateSign(s plan.State) string {
	switch s {
	case plan.StateInSync:
		return "="
	case plan.StateChanges:
		return "~"
	case plan.StateWaiting:
		return "!"
	case plan.StateRefused:
		return "-"
	case plan.StateUnreadable:
		return "x"
	case plan.StateLeased:
		return ">"
	}
	return "?"
}
