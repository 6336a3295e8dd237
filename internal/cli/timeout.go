package cli

import (
	"fmt"
	"os"
	"time"
)

// finishTime bounds the steps in flight after the timeout: a step that waits for a
// server's rate limit could take an hour.
const finishTime = time.Minute

// timeoutSignal is the interrupt that --timeout sends.
type timeoutSignal struct{}

// String implements os.Signal.
func (timeoutSignal) String() string { return "timeout" }

// Signal implements os.Signal.
func (timeoutSignal) Signal() {}

// startTimeout interrupts the run when --timeout has passed, and aborts it when
// the steps in flight take longer than finishTime.
func (a *app) startTimeout() {
	if a.timeout <= 0 {
		return
	}
	time.AfterFunc(a.timeout, func() {
		a.expired.Store(true)
		a.interrupt()
	})
	time.AfterFunc(a.timeout+finishTime, a.interrupt)
}

// interrupt does what an interrupt by the user does.
func (a *app) interrupt() {
	select {
	case a.signals <- os.Signal(timeoutSignal{}):
	default: // two are on their way, more do nothing
	}
}

// timedOut says in the error that the timeout ended the run, not the user. A run that
// finished all the same is no failure.
func (a *app) timedOut(err error) error {
	if err == nil || !a.expired.Load() {
		return err
	}
	if told(err) {
		return &exitError{code: exitFailure, err: fmt.Errorf("--timeout %s has passed: work is left undone; run again", a.timeout)}
	}
	return &exitError{code: exitFailure, err: fmt.Errorf("--timeout %s has passed: %w", a.timeout, err)}
}
