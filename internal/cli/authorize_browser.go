package cli

import (
	"bufio"
	"context"
	"errors"
	"os/exec"
	"strings"

	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/drive"
)

// waitDriven drives a browser through what waits. What the person skipped, or
// was stopped at, keeps waiting for the next run.
func (a *app) waitDriven(ctx context.Context, watch *authorize.Watch, f *authorizeFlags) error {
	browser, err := drive.Find(f.browser, exec.LookPath)
	if err != nil {
		return err
	}
	opts := drive.Options{Browser: browser, Env: childEnv(a.environ()), Tell: a.aside}
	if isTerminal(a.stdin) {
		opts.Ask = a.asker()
	}
	a.showAccounts(watch.Requests())
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	walked := make(chan error, 1)
	go func() {
		walked <- drive.Run(waiting, watch, opts)
		cancel() // the walk is over, however it ended
	}()
	err = a.waitLine(waiting, watch)
	cancel()
	switch end := <-walked; {
	case errors.Is(end, drive.ErrStopped):
		a.aside(end.Error())
	case end != nil && !errors.Is(end, context.Canceled) && !errors.Is(end, context.DeadlineExceeded):
		return end
	}
	return err
}

// aside prints a line above the one that lives.
func (a *app) aside(text string) {
	if isTerminal(a.stderr) {
		a.clearLine()
	}
	a.tellf("%s\n", text)
}

// asker asks at the terminal what to do about a page. The lines are read in one
// place, so that an answer that came too late is not taken for the next one's.
func (a *app) asker() func(context.Context, string) drive.Decision {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(a.stdin); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return func(ctx context.Context, problem string) drive.Decision {
		for late := true; late; {
			select {
			case _, late = <-lines: // at the end of the input none comes any more
			default:
				late = false
			}
		}
		a.aside(problem)
		a.aside("Nothing was clicked. Go on by hand in the window, or: Enter opens the link again, s and Enter skips it, q and Enter stops.")
		select {
		case <-ctx.Done():
			return drive.Skip
		case line, more := <-lines:
			switch answer := strings.ToLower(strings.TrimSpace(line)); {
			case !more, answer == "q":
				return drive.Stop
			case answer == "s":
				return drive.Skip
			}
			return drive.Again
		}
	}
}
