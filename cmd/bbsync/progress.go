package main

import (
	"fmt"
	"io"
	"sync"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/report"
)

// A progress tells of an apply as it goes, one whole line at a time.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	style report.Style
}

func newProgress(w io.Writer, style report.Style) *progress { return &progress{w: w, style: style} }

func (p *progress) event(e apply.Event) {
	line := report.Event(e, p.style)
	if line == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.w, line)
}

func (p *progress) close() {}
