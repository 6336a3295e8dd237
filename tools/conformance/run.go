package main

import (
	"context"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

// The outcomes of a test.
const (
	passed  = "passed"
	failed  = "failed"
	skipped = "skipped"
)

// binary is a compiled test package.
type binary struct {
	path, folder string
	names        []string
	env          []string
}

type result struct {
	name, outcome string
	said          string // why it did not pass
}

// testTimeout ends a test that waits for what the sandbox does not do, as a run.
const testTimeout = 90 * time.Second

// run runs each test in a process of its own: some panic, and others wait.
func (b *binary) run(ctx context.Context, names []string) []result {
	results := make([]result, len(names))
	places := make(chan struct{}, 8*runtime.NumCPU())
	var running sync.WaitGroup
	for i, name := range names {
		places <- struct{}{}
		running.Go(func() {
			results[i] = b.runOne(ctx, name)
			<-places
		})
	}
	running.Wait()
	return results
}

func (b *binary) runOne(ctx context.Context, name string) result {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, b.path, "-test.run", "^"+name+"$", "-test.v") //nolint:gosec // just built
	command.Dir, command.Env = b.folder, b.env
	data, err := command.CombinedOutput()
	output := string(data)
	switch {
	case err != nil:
		return result{name, failed, reason(output)}
	case strings.Contains(output, "\n--- SKIP: "+name+" "), strings.HasPrefix(output, "--- SKIP"):
		return result{name, skipped, reason(output)}
	}
	return result{name, passed, ""}
}

var skippedHere = regexp.MustCompile(`(?m)^\s+\w+_test\.go:\d+: (.*)$`)

// reason is what a test printed, on one line.
func reason(output string) string {
	if found := skippedHere.FindStringSubmatch(output); found != nil && found[1] != "" {
		return found[1]
	}
	var said []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			said = append(said, line)
		}
	}
	text := strings.Join(said, " ")
	return text[:min(len(text), 300)]
}
