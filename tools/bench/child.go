package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// A usage is what one finished process took, by the system's own account.
type usage struct {
	Wall, CPU time.Duration
	Memory    int64 // bytes at the peak
}

// A command is a process to measure.
type command struct {
	args  []string
	dir   string
	env   []string
	exits []int // allowed besides 0
}

// once runs the command.
func (c command) once(ctx context.Context) (usage, error) {
	var out bytes.Buffer
	process := exec.CommandContext(ctx, c.args[0], c.args[1:]...) //nolint:gosec // what the caller measures
	process.Dir, process.Env, process.Stdout, process.Stderr = c.dir, c.env, &out, &out
	began := time.Now()
	err := process.Run()
	wall := time.Since(began)
	var exited *exec.ExitError
	if err != nil && !(errors.As(err, &exited) && slices.Contains(c.exits, exited.ExitCode())) {
		text := out.Bytes()
		return usage{}, fmt.Errorf("%v: %w\n%s", c.args, err, text[max(0, len(text)-2000):])
	}
	u := usage{Wall: wall, CPU: process.ProcessState.UserTime() + process.ProcessState.SystemTime()}
	if r, ok := process.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.Memory = r.Maxrss
		if runtime.GOOS != "darwin" {
			u.Memory *= 1024
		}
	}
	return u, nil
}

// least runs the command several times and returns the least of each figure;
// of memory the most.
func (c command) least(ctx context.Context, runs int) (usage, error) {
	var least usage
	for i := range runs {
		u, err := c.once(ctx)
		if err != nil {
			return usage{}, err
		}
		if i == 0 {
			least = u
			continue
		}
		least = usage{Wall: min(least.Wall, u.Wall), CPU: min(least.CPU, u.CPU), Memory: max(least.Memory, u.Memory)}
	}
	return least, nil
}

func (u usage) String() string {
	return fmt.Sprintf("%.2f s wall, %.2f s CPU, %d MB", u.Wall.Seconds(), u.CPU.Seconds(), u.Memory>>20)
}
