package main

import (
	"errors"
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
)

// A console is a stream of the process that everyone writes to: whole texts,
// one after the other, and above the bar while there is one.
type console struct {
	stream io.Writer

	mu   sync.Mutex
	bars *mpb.Progress
}

// Write writes all of a text before the next.
func (c *console) Write(text []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bars != nil {
		n, err := c.bars.Write(text)
		if !errors.Is(err, mpb.ErrDone) {
			return n, err
		}
	}
	return c.stream.Write(text)
}

// show keeps a bar below whatever is written; nil ends that.
func (c *console) show(bars *mpb.Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bars = bars
}
