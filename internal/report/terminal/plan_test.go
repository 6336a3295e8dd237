package terminal

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/reporttest"
)

func TestPlanText(t *testing.T) {
	reporttest.Golden(t, "plan.txt", Plan(reporttest.Mixed(), Options{}))
	reporttest.Golden(t, "plan-72.txt", Plan(reporttest.Mixed(), Options{Style: Style{Width: 72}}))
}

// A list of organizations that came out empty must not look like a fleet in sync.
func TestPlanOfNothing(t *testing.T) {
	if have := Plan(plan.Plan{}, Options{}); !strings.Contains(have, "describe no connection") {
		t.Errorf("have %q", have)
	}
}

func TestPlanKeepsToTheWidth(t *testing.T) {
	for _, width := range []int{40, 72, 100} {
		for line := range strings.Lines(Plan(reporttest.Mixed(), Options{Style: Style{Width: width}, Verbose: true})) {
			line = strings.TrimSuffix(line, "\n")
			// One word longer than the line stays whole, after a sign or alone.
			if runewidth.StringWidth(line) > width && len(strings.Fields(line)) > 2 {
				t.Errorf("width %d: %q has %d columns", width, line, runewidth.StringWidth(line))
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("width %d: %q ends with a space", width, line)
			}
		}
	}
}

// Colour only repeats what is said: without it the text is the same.
func TestColourAddsNothing(t *testing.T) {
	for _, width := range []int{0, 72} {
		plain := Plan(reporttest.Mixed(), Options{Style: Style{Width: width}})
		coloured := Plan(reporttest.Mixed(), Options{Style: Style{Width: width, Color: true}})
		stripped := strings.Builder{}
		for i := 0; i < len(coloured); i++ {
			if coloured[i] == 0x1b {
				i += strings.IndexByte(coloured[i:], 'm')
				continue
			}
			stripped.WriteByte(coloured[i])
		}
		if diff := cmp.Diff(plain, stripped.String()); diff != "" {
			t.Errorf("width %d (-plain +coloured):\n%s", width, diff)
		}
	}
}

func TestPlanOfFiveHundredFitsOneScreen(t *testing.T) {
	var p plan.Plan
	for i := range 500 {
		p.Connections = append(p.Connections, reporttest.Fresh(fmt.Sprintf("acme-%03d", i)))
	}
	text := Plan(p, Options{Style: Style{Width: 80}})
	if lines := strings.Count(text, "\n"); lines > 24 {
		t.Errorf("%d lines:\n%s", lines, text)
	}
	if !strings.Contains(text, "500 connections: the same 5 steps") {
		t.Errorf("not said that they are alike:\n%s", text)
	}
}
