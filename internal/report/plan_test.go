package report

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"

	"github.com/bbsync/bbsync/internal/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a text with a file of testdata; -update rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), go test ./internal/report -update rewrites it:\n%s", name, diff)
	}
}

func TestPlanText(t *testing.T) {
	golden(t, "plan.txt", Plan(mixed(), PlanOptions{}))
	golden(t, "plan-72.txt", Plan(mixed(), PlanOptions{Style: Style{Width: 72}}))
}

// A list of organizations that came out empty must not look like a fleet in sync.
func TestPlanOfNothing(t *testing.T) {
	if have := Plan(plan.Plan{}, PlanOptions{}); !strings.Contains(have, "describe no connection") {
		t.Errorf("have %q", have)
	}
}

func TestPlanKeepsToTheWidth(t *testing.T) {
	for _, width := range []int{40, 72, 100} {
		for line := range strings.Lines(Plan(mixed(), PlanOptions{Style: Style{Width: width}, Verbose: true})) {
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
		plain := Plan(mixed(), PlanOptions{Style: Style{Width: width}})
		coloured := Plan(mixed(), PlanOptions{Style: Style{Width: width, Color: true}})
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
		p.Connections = append(p.Connections, fresh(fmt.Sprintf("acme-%03d", i)))
	}
	text := Plan(p, PlanOptions{Style: Style{Width: 80}})
	if lines := strings.Count(text, "\n"); lines > 24 {
		t.Errorf("%d lines:\n%s", lines, text)
	}
	if !strings.Contains(text, "500 connections: the same 5 steps") {
		t.Errorf("not said that they are alike:\n%s", text)
	}
}

func TestAlike(t *testing.T) {
	type pair struct {
		name string
		a, b plan.Connection
		want bool
	}
	own := connection("b")
	own.Bitbucket = "old"
	for _, x := range []pair{
		{"names of organizations", fresh("a"), fresh("terraform"), true},
		{"other values, marked", renamed("a", "X"), renamed("b", "Y"), true},
		{"request ids in errors", unreadable("a", "terraform: a: 500 (request 0f8fad5b-d9cb-469f-a165-70867728950e)"), unreadable("b", "terraform: b: 500 (request 7c9e6679-7425-40de-944b-e07fc1f90ae7)"), true},
		{"different errors", unreadable("a", "terraform: 401 Unauthorized"), unreadable("b", "vault: permission denied"), false},
		{"different steps", fresh("a"), waiting("b"), false},
		{"different bitbuckets", connection("a"), own, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			g := newGrouper()
			if got := g.shape(x.a) == g.shape(x.b); got != x.want {
				t.Errorf("alike: %t\n%s\n%s", got, g.shape(x.a), g.shape(x.b))
			}
		})
	}
}

func TestAddressList(t *testing.T) {
	many := make([]string, 20)
	for i := range many {
		many[i] = fmt.Sprintf("connection.t[%q]", fmt.Sprint(i))
	}
	for _, x := range []struct {
		names []string
		want  string
	}{
		{[]string{"connection.a", "connection.b"}, "connection.a, connection.b"},
		{[]string{`connection.a["x"]`, `connection.a["y"]`, "connection.b"}, `connection.a["x"], ["y"], connection.b`},
		{many, `connection.t["0"], ["1"], ["2"], ["3"], ["4"], ["5"], ... ["19"] (--verbose shows all)`},
		{many[:7], `connection.t["0"], ["1"], ["2"], ["3"], ["4"], ["5"], ["6"]`},
	} {
		if got := addressList(x.names); got != x.want {
			t.Errorf("got  %s\nwant %s", got, x.want)
		}
	}
}
