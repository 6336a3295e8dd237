package httpx

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

type boundKey struct{}

// WithMaxBody returns a context whose requests may have a success of up to n bytes.
func WithMaxBody(ctx context.Context, n int64) context.Context {
	return context.WithValue(ctx, boundKey{}, n)
}

// A listing bounds what the pages of one listing have together: a server that
// never comes to a last page must not fill the memory.
type listing struct {
	most int64
	left atomic.Int64
}

const (
	// MaxPages is how many requests one listing may take.
	MaxPages = 10_000
	// MaxListing is what the answers of one listing may have together, in bytes: a
	// hundred thousand workspaces of Terraform.
	MaxListing = 512 << 20
)

type listingKey struct{}

// WithListing returns a context whose requests are one listing, and have answers of
// up to most bytes together.
func WithListing(ctx context.Context, most int64) context.Context {
	l := &listing{most: most}
	l.left.Store(most)
	return context.WithValue(ctx, listingKey{}, l)
}

// count takes an answer off what its listing may still have.
func count(ctx context.Context, bytes int) error {
	if l, ok := ctx.Value(listingKey{}).(*listing); ok && l.left.Add(-int64(bytes)) < 0 {
		return &TooLargeError{What: "the list", Max: l.most}
	}
	return nil
}

func (t *Transport) bound(ctx context.Context, status int) int64 {
	if status >= http.StatusMultipleChoices {
		return MaxRefusal
	}
	if n, ok := ctx.Value(boundKey{}).(int64); ok {
		return n
	}
	return t.options.MaxBody
}

// A TooLargeError says that an answer, or a list, is longer than what is read.
type TooLargeError struct {
	What string
	Max  int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is longer than %d MiB", e.What, e.Max>>20)
}

// readWhole reads the body of resp, so that a deadline covers it. A success that
// is longer than its bound is an error; a refusal is cut.
func (t *Transport) readWhole(ctx context.Context, resp *http.Response) error {
	most := t.bound(ctx, resp.StatusCode)
	body, err := t.readAll(resp, most)
	_ = resp.Body.Close()
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if int64(len(body)) > most {
		if resp.StatusCode < http.StatusMultipleChoices {
			return &TooLargeError{What: "the answer", Max: most}
		}
		body = body[:most]
	}
	resp.Body = newWhole(body)
	return count(ctx, len(body))
}

const (
	usualBody = 16 << 10 // holds a record of two key pairs
	maxReused = 64 << 10 // of a buffer
)

// readAll reads at most one byte more than most. Servers rarely announce the length,
// so the body is read into a reused buffer and copied: a new buffer for each body
// would be much too large for most.
func (t *Transport) readAll(resp *http.Response, most int64) ([]byte, error) {
	buffer, ok := t.buffers.Get().(*bytes.Buffer)
	if !ok {
		buffer = bytes.NewBuffer(make([]byte, 0, usualBody))
	}
	if n := resp.ContentLength; n > 0 && n <= most {
		buffer.Grow(int(n) + bytes.MinRead) // ReadFrom grows a buffer that has less than MinRead left
	}
	_, err := buffer.ReadFrom(io.LimitReader(resp.Body, most+1))
	if buffer.Cap() > maxReused {
		return buffer.Bytes(), err
	}
	body := bytes.Clone(buffer.Bytes())
	clear(buffer.Bytes()) // secrets among others
	buffer.Reset()
	t.buffers.Put(buffer)
	return body, err
}

// whole is a body that has been read already.
type whole struct {
	*bytes.Reader
	bytes []byte
}

func newWhole(body []byte) *whole { return &whole{Reader: bytes.NewReader(body), bytes: body} }

// Close implements io.Closer.
func (*whole) Close() error { return nil }

// Bytes returns the body of an answer of a Transport without copying it. Other
// bodies it reads, and closes.
func Bytes(body io.ReadCloser) ([]byte, error) {
	if w, ok := body.(*whole); ok {
		return w.bytes, nil
	}
	all, err := io.ReadAll(body)
	_ = body.Close()
	return all, err
}
