package cli

import (
	"errors"
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// A console is a stream of the process that everyone writes to: whole texts,
// one after the other, and above the bar while there is one. What other systems
// wrote into them moves no cursor.
type console struct {
	stream io.Writer

	mu   sync.Mutex
	text *plaintext.Writer
	bars *mpb.Progress
}

// newConsole returns a console on a stream; styled says whether bbsync uses
// colours on it.
func newConsole(stream io.Writer, styled func() bool) *console {
	c := &console{stream: stream}
	c.text = &plaintext.Writer{Stream: writerFunc(c.write), Styled: styled}
	return c
}

type writerFunc func([]byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(text []byte) (int, error) { return f(text) }

// Write writes all of a text before the next.
func (c *console) Write(text []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(text)
}

func (c *console) write(text []byte) (int, error) {
	if c.bars != nil {
		n, err := c.bars.Write(text)
		if !errors.Is(err, mpb.ErrDone) {
			return n, err
		}
	}
	return c.stream.Write(text)
}

// clearLine empties the line that the cursor is in.
func (c *console) clearLine() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.stream, "\r\x1b[K")
}

// show keeps a bar below whatever is written; nil ends that.
func (c *console) show(bars *mpb.Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bars = bars
}
