package apply

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestPatience counts the looks at leases that never end: they are bounded by the
// patience of the whole run, however many leases it meets.
func TestPatience(t *testing.T) {
	for name, c := range map[string]struct {
		patience *Patience
		most     time.Duration
	}{
		"none":      {nil, 0},
		"no wait":   {NewPatience(0), 0},
		"some time": {NewPatience(time.Minute), time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				for range 2 { // leases
					for c.patience.pause(t.Context(), nil, time.Hour) {
					}
				}
				if waited := time.Since(began); waited != c.most {
					t.Errorf("waited %v, want %v", waited, c.most)
				}
			})
		})
	}
}

// TestPatienceIsInterrupted stops a wait, as the first interrupt does.
func TestPatienceIsInterrupted(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	if NewPatience(time.Hour).pause(context.Background(), stop, time.Hour) {
		t.Error("goes on waiting after it was stopped")
	}
}

// TestPausesBetweenLooks bounds how often a lease is read while it is waited for.
func TestPausesBetweenLooks(t *testing.T) {
	for free, want := range map[time.Duration]int{0: 20, time.Second: 1, time.Hour: 1} {
		synctest.Test(t, func(t *testing.T) {
			p, looks := NewPatience(time.Second), 0
			for p.pause(t.Context(), nil, free) {
				looks++
			}
			if looks != want {
				t.Errorf("%s: %d looks, want %d", free, looks, want)
			}
		})
	}
	if most := (*Patience)(nil).Most(); most != 0 {
		t.Error(most)
	}
}
