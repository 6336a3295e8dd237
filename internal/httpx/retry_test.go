package httpx_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
)

func TestBackoff(t *testing.T) {
	var waits []time.Duration
	b := httpx.Backoff{
		First: time.Second, Most: 5 * time.Second, Tries: 6,
		Jitter: func(d time.Duration) time.Duration { return d },
		Sleep:  func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil },
	}
	always := func(error) bool { return true }
	if err := b.Do(t.Context(), always, func() error { return io.EOF }); !errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
	want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}
	if !slices.Equal(waits, want) {
		t.Errorf("waited %v, want %v", waits, want)
	}
	tries := 0
	if err := b.Do(t.Context(), func(err error) bool { return !errors.Is(err, io.EOF) }, func() error { tries++; return io.EOF }); !errors.Is(err, io.EOF) || tries != 1 {
		t.Errorf("a final error was tried %d times: %v", tries, err)
	}
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		b := httpx.Backoff{First: time.Second, Most: 3 * time.Second, Patience: 20 * time.Second}
		if err := b.Do(t.Context(), func(error) bool { return true }, func() error { return io.EOF }); !errors.Is(err, io.EOF) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(began); took < 10*time.Second || took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/4)
		defer cancel()
		if err := b.Do(ctx, func(error) bool { return true }, func() error { return io.EOF }); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, io.EOF) {
			t.Errorf("a wait that was ended: %v", err)
		}
	})
}
