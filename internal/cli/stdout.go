package cli

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// results is standard output. It remembers that something could not be written:
// a command whose output could not be written has failed.
type results struct {
	stream io.Writer

	mu     sync.Mutex
	text   *plaintext.Writer
	failed error // the first one
}

// newResults returns results on a stream; styled says whether bbsync uses colours
// on it.
func newResults(stream io.Writer, styled func() bool) *results {
	return &results{stream: stream, text: &plaintext.Writer{Stream: stream, Styled: styled}}
}

// Write writes text for people.
func (r *results) Write(text []byte) (int, error) { return r.to(r.text, text) }

// documents returns where documents for programs go, each of which is escaped as
// its own format wants it.
func (r *results) documents() io.Writer {
	return writerFunc(func(text []byte) (int, error) { return r.to(r.stream, text) })
}

func (r *results) to(w io.Writer, text []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := w.Write(text)
	if r.failed == nil {
		r.failed = err
	}
	return n, err
}

// ended returns the error that the process ends with: err, or the lost output when
// err prints nothing. An exit code that reports a problem stays.
func (r *results) ended(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil || !told(err) && !errors.Is(err, r.failed) {
		return err
	}
	lost := fmt.Errorf("printing the result: %w", r.failed)
	if code := exitCode(err); code != exitDone && code != exitPending {
		return &exitError{code: code, err: lost}
	}
	return lost
}
