package main

import (
	"fmt"
	"io"
	"sync"
)

// results is standard output. It remembers that something could not be written:
// a verb whose result is lost has not done what it was asked to, whoever wrote it.
type results struct {
	stream io.Writer

	mu     sync.Mutex
	failed error // the first one
}

// Write writes to the stream.
func (r *results) Write(text []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.stream.Write(text)
	if r.failed == nil {
		r.failed = err
	}
	return n, err
}

// ended returns what the process ends with: err, or when that says nothing and a
// result was lost, this. A code that tells of trouble stays.
func (r *results) ended(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil || !told(err) {
		return err
	}
	lost := fmt.Errorf("printing the result: %w", r.failed)
	if code := exitCode(err); code != exitDone && code != exitPending {
		return &exitError{code: code, err: lost}
	}
	return lost
}
