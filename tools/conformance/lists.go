package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

//go:embed pass.txt
var passText string

//go:embed outside.txt
var outsideText string

// lists are the tests by what is expected of them.
type lists struct {
	pass    []string
	outside []string
	reasons map[string]string // why a test is outside the sandbox's purpose
}

// readLists reads both lists. A line that begins with # gives the reason for the tests
// below it.
func readLists() (*lists, error) {
	l := &lists{pass: strings.Fields(passText), reasons: map[string]string{}}
	reason := ""
	for line := range strings.Lines(outsideText) {
		line = strings.TrimSpace(line)
		if text, found := strings.CutPrefix(line, "#"); found {
			reason = strings.TrimSpace(text)
		} else if line != "" {
			l.outside = append(l.outside, line)
			l.reasons[line] = reason
		}
	}
	for _, name := range l.pass {
		if l.reasons[name] != "" {
			return nil, fmt.Errorf("%s is in pass.txt and in outside.txt", name)
		}
	}
	return l, nil
}

// complete reports the tests that are in neither list, and the listed ones that are gone.
func (l *lists) complete(names []string) error {
	known := map[string]bool{}
	for _, name := range slices.Concat(l.pass, l.outside) {
		known[name] = true
	}
	var unknown []string
	for _, name := range names {
		if !known[name] {
			unknown = append(unknown, name)
		}
		delete(known, name)
	}
	switch gone := slices.Sorted(maps.Keys(known)); {
	case len(unknown) > 0:
		return fmt.Errorf("in neither pass.txt nor outside.txt: %s", strings.Join(unknown, " "))
	case len(gone) > 0:
		return fmt.Errorf("listed and not among the tests any more: %s", strings.Join(gone, " "))
	}
	return nil
}

// report prints the tests that did not do what is expected of them, and the counts.
func (l *lists) report(out io.Writer, results []result) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	counts, wrong := map[string]int{}, 0
	for _, r := range results {
		reason, outside := l.reasons[r.name]
		counts[r.outcome]++
		switch {
		case outside && r.outcome == passed:
			fmt.Fprintf(table, "%s\t%s\tmove it to pass.txt\n", r.outcome, r.name)
		case outside:
			fmt.Fprintf(table, "%s\t%s\t%s\n", r.outcome, r.name, cmp.Or(reason, r.said))
		case r.outcome != passed:
			wrong++
			fmt.Fprintf(table, "%s\t%s\t%s\n", strings.ToUpper(r.outcome), r.name, r.said)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", counts[passed], counts[failed], counts[skipped])
	if wrong > 0 {
		return fmt.Errorf("%d tests of pass.txt did not pass", wrong)
	}
	return nil
}
