package httpx

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

type boundKey struct{}

// WithMaxBody returns a context whose requests may have a success of up to n bytes.
func WithMaxBody(ctx context.Context, n int64) context.Context {
	return context.WithValue(ctx, boundKey{}, n)
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

// A TooLargeError says that an answer is longer than what is read.
type TooLargeError struct{ Max int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the answer is longer than %d MiB", e.Max>>20)
}

// readWhole reads the body of resp, so that a deadline covers it. A success that
// is longer than most is an error; a refusal is cut.
func readWhole(resp *http.Response, most int64) error {
	body, err := readAll(resp, most)
	_ = resp.Body.Close()
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if int64(len(body)) > most {
		if resp.StatusCode < http.StatusMultipleChoices {
			return &TooLargeError{Max: most}
		}
		body = body[:most]
	}
	resp.Body = newWhole(body)
	return nil
}

// usualBody is the size of most answers: they are read into one buffer that
// never grows.
const usualBody = 4 << 10

// readAll reads at most one byte more than most.
func readAll(resp *http.Response, most int64) ([]byte, error) {
	size := int64(usualBody)
	if n := resp.ContentLength; n >= 0 && n <= most {
		size = n
	}
	body := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // ReadFrom grows a buffer that has less than MinRead left
	_, err := body.ReadFrom(io.LimitReader(resp.Body, most+1))
	return body.Bytes(), err
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
