package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// event is a line of go test -json.
type event struct {
	Action  string
	Test    string
	Output  string
	Elapsed float64
}

// outcome is what became of one test or sub-test.
type outcome struct {
	name    string
	action  string // pass, fail, skip; empty: it did not end
	elapsed float64
	output  []string
}

type events struct {
	tests []*outcome // in the order in which they began
	lines []string
}

func parse(in io.Reader) (*events, error) {
	found, byName := &events{}, map[string]*outcome{}
	decoder := json.NewDecoder(in)
	for {
		var e event
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return found, fmt.Errorf("reading what go test says: %w", err)
		}
		if e.Action == "output" || e.Action == "build-output" {
			found.lines = append(found.lines, e.Output)
		}
		if e.Test == "" {
			continue
		}
		if byName[e.Test] == nil {
			byName[e.Test] = &outcome{name: e.Test}
			found.tests = append(found.tests, byName[e.Test])
		}
		byName[e.Test].add(e)
	}
}

func (o *outcome) add(e event) {
	switch e.Action {
	case "pass", "fail", "skip":
		o.action, o.elapsed = e.Action, e.Elapsed
	case "output":
		o.output = append(o.output, e.Output)
	}
}

// reason is what a test said before it was skipped or failed.
func (o *outcome) reason() string {
	var said []string
	for _, line := range o.output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			said = append(said, line)
		}
	}
	text := strings.Join(said, " ")
	if _, after, ok := strings.Cut(text, "_test.go:"); ok && o.action == "skip" {
		_, text, _ = strings.Cut(after, ":") // what follows file and line
	}
	if text = strings.TrimSpace(text); text == "" {
		return "says no reason"
	}
	return text
}

// sorted puts each test before its sub-tests.
func (es *events) sorted() []*outcome {
	place := map[string]int{}
	for i, o := range es.tests {
		if top, _, sub := strings.Cut(o.name, "/"); !sub {
			place[top] = i
		}
	}
	top := func(o *outcome) int {
		name, _, _ := strings.Cut(o.name, "/")
		return place[name]
	}
	sorted := slices.Clone(es.tests)
	slices.SortStableFunc(sorted, func(a, b *outcome) int { return top(a) - top(b) })
	return sorted
}

func (es *events) output() string { return strings.Join(es.lines, "") }

func (es *events) print(out io.Writer) { fmt.Fprint(out, es.output()) }

// report prints one row for each test, one for each sub-test that did not pass,
// and the counts.
func (es *events) report(out io.Writer, expected int) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	counts := map[string]int{}
	for _, o := range es.sorted() {
		whole := !strings.Contains(o.name, "/")
		if whole {
			counts[o.action]++
		}
		if whole || o.action != "pass" {
			fmt.Fprintf(table, "%s\t%s\t%.1fs\t%s\n", word(o), indent(o.name), o.elapsed, es.why(o))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	failed := counts["fail"] + counts[""]
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", counts["pass"], failed, counts["skip"])
	if counts["pass"] < expected {
		return fmt.Errorf("%d tests passed, %d were expected to", counts["pass"], expected)
	}
	if failed > 0 {
		return fmt.Errorf("%d tests failed", failed)
	}
	return nil
}

// why gives the reason of what did not pass. A test whose sub-test is at fault has
// none of its own.
func (es *events) why(o *outcome) string {
	below := slices.ContainsFunc(es.tests, func(other *outcome) bool {
		return other != o && strings.HasPrefix(other.name, o.name+"/") && other.action == o.action
	})
	if o.action == "pass" || below {
		return ""
	}
	return o.reason()
}

func word(o *outcome) string {
	switch o.action {
	case "pass":
		return "passed"
	case "fail":
		return "FAILED"
	case "skip":
		return "skipped"
	}
	return "no end"
}

func indent(name string) string {
	if _, sub, ok := strings.Cut(name, "/"); ok {
		return "  " + sub
	}
	return name
}
