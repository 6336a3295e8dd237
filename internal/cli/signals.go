package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// interrupts returns a context that ends at the second interrupt (SIGINT, SIGTERM, or
// SIGHUP) and a channel that closes at the first, after which steps in flight are
// finished and none is started. inFlight says whether there are any.
func interrupts(stderr io.Writer, inFlight *atomic.Bool) (context.Context, <-chan struct{}, chan<- os.Signal, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	stop := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP)
	}
	// SIGPIPE is caught: when the reader of a stream ends, the write fails, and no step is
	// interrupted. Ignoring the signal would be inherited by browsers.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		defer cancel()
		select {
		case <-signals:
			what := "stopping"
			if inFlight.Load() {
				what = "finishing the steps in flight"
			}
			plaintext.Fprintf(stderr, "\nbbsync: %s; interrupt again to abort\n", what)
			close(stop)
		case <-done:
			return
		}
		select {
		case <-signals:
			plaintext.Fprintf(stderr, "bbsync: aborting\n")
		case <-done:
		}
	}()
	return ctx, stop, signals, func() { signal.Stop(signals); close(done) }
}

// untilStopped returns a context that ends at the first interrupt, for reading: nothing
// is in flight that must be finished.
func (a *app) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-a.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
