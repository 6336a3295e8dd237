package report

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/apply"
)

// Event shows one event of an apply as a line; "" when it needs none.
func Event(e apply.Event, s Style) string {
	who := s.paint(dim, Safe(e.Address)+":")
	switch e.Kind {
	case apply.StepDone:
		return fmt.Sprintf("%s %s %s", who, s.symbol(e.Step.Symbol()), Safe(e.Step.String()))
	case apply.Failed:
		return fmt.Sprintf("%s %s %s: %s", who, s.paint(red, "x"), Safe(e.Step.String()), Safe(e.Err.Error()))
	case apply.Warning:
		return fmt.Sprintf("%s %s %s", who, s.paint(yellow, "w"), Safe(e.Text))
	case apply.Started, apply.Finished:
	}
	return ""
}

// Ending shows how a connection ended as a line, for where its steps had none.
func Ending(e apply.Event, s Style) string {
	status := apply.Status(e.Text)
	return fmt.Sprintf("%s %s", s.paint(dim, Safe(e.Address)+":"), s.paint(statusCode(status), string(status)))
}

// Error shows an error as the last line of a failed run.
func (s Style) Error(err error) string {
	return s.paint(red, "bbsync:") + " " + Safe(err.Error())
}
