package fleet

import "fmt"

// A Kind is why a run was refused before it changed anything.
type Kind int

// The kinds of Error.
const (
	Usage   Kind = iota + 1 // the scope contradicts itself or names nothing
	Refused                 // a safety rule
	Stale                   // the plan file is not of this run
)

// An Error refuses a run.
type Error struct {
	Kind Kind
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

func usage(format string, args ...any) error   { return refusal(Usage, format, args...) }
func refused(format string, args ...any) error { return refusal(Refused, format, args...) }
func stale(format string, args ...any) error   { return refusal(Stale, format, args...) }

func refusal(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}
