package limit_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/bbsync/bbsync/internal/limit"
)

// run sends n requests from workers at once, in fake time, and returns how long
// it took. server is asked at each.
func run(t *testing.T, l *limit.Limiter, workers, n int, server func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range n / workers {
				for {
					if err := l.Wait(t.Context()); err != nil {
						t.Error(err)
						return
					}
					if server == nil || server() {
						break
					}
				}
				time.Sleep(50 * time.Millisecond) // latency
			}
		})
	}
	wg.Wait()
	return time.Since(begin)
}

func TestRunsCloseToTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Options{Rate: limit.Rate{PerSecond: 30}})
		bucket, refused := rate.NewLimiter(30, 3), 0
		took := run(t, l, 20, 3000, func() bool {
			if !bucket.Allow() {
				refused++
			}
			return true
		})
		ideal := 100 * time.Second
		if took > ideal*105/100 {
			t.Errorf("3000 requests at 30/s took %s, more than 1.05 × %s", took, ideal)
		}
		if took < ideal {
			t.Errorf("3000 requests at 30/s took %s: faster than the limit", took)
		}
		if refused > 0 {
			t.Errorf("the server refused %d requests", refused)
		}
		f := l.Figures()
		if f.Requests != 3000 || f.Waits == 0 || f.Waited == 0 || f.Throttled != 0 || f.Rate.PerSecond != 30 {
			t.Errorf("figures: %+v", f)
		}
	})
}

func TestUnknownLimitIsGuessedFromRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Options{})
		bucket := rate.NewLimiter(5, 60) // Bitbucket's default: capacity 60, fill rate 5
		took := run(t, l, 40, 1200, func() bool {
			if bucket.Allow() {
				return true
			}
			l.Pause(time.Second)
			return false
		})
		ideal := 1200 * time.Second / 5
		if took > 2*ideal {
			t.Errorf("1200 requests took %s; a server of 5/s could do it in %s", took, ideal)
		}
		f := l.Figures()
		if !f.Guessed || f.Throttled == 0 || f.Throttled > 200 {
			t.Errorf("figures: %+v", f)
		}
	})
}

func TestGuessGrowsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Options{})
		for range 10 {
			l.Pause(time.Second)
			time.Sleep(2 * time.Second)
		}
		if rate := l.Figures().Rate.PerSecond; rate != 1 {
			t.Errorf("after ten refusals %v/s", rate)
		}
		for range 60 { // ten minutes of a request each ten seconds
			if err := l.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		if rate := l.Figures().Rate.PerSecond; rate < 100 {
			t.Errorf("ten minutes later %v/s", rate)
		}
	})
}

func TestPauseHoldsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Options{Rate: limit.Rate{PerSecond: 1}})
		begin := time.Now()
		if err := l.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		second := make(chan time.Duration)
		go func() { // takes a place before the refusal, must not use it during the pause
			if err := l.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			second <- time.Since(begin)
		}()
		synctest.Wait()
		l.Pause(30 * time.Second)
		l.Pause(30 * time.Second) // the same overrun, seen by another request
		if got := <-second; got < 30*time.Second {
			t.Errorf("a request went after %s, during the pause", got)
		}
		if f := l.Figures(); f.Throttled != 2 {
			t.Errorf("figures: %+v", f)
		}
	})
}

func TestRecoversAfterRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Options{Rate: limit.Rate{PerSecond: 10}})
		for range 20 {
			l.Pause(time.Second)
			time.Sleep(2 * time.Second)
		}
		slow := run(t, l, 5, 50, nil)
		time.Sleep(20 * time.Minute)
		fast := run(t, l, 5, 50, nil)
		if slow < 2*fast || fast > 6*time.Second {
			t.Errorf("50 requests took %s after refusals and %s later", slow, fast)
		}
	})
}

// TestLongPausesAreTold hears of a pause of an hour once, however many requests
// were refused, and of short ones never.
func TestLongPausesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []time.Duration
		l := limit.New(limit.Options{OnPause: func(d time.Duration) { told = append(told, d) }})
		for _, d := range []time.Duration{time.Second, time.Minute, time.Minute, time.Hour, time.Hour - time.Second} {
			l.Pause(d)
			if d == time.Second {
				time.Sleep(time.Minute)
			}
		}
		if !slices.Equal(told, []time.Duration{time.Minute, time.Hour}) {
			t.Errorf("told of %v", told)
		}
	})
}

func TestWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Options{Rate: limit.Rate{PerSecond: 1}})
		l.Pause(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a wait past the deadline: %v", err)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("a wait that cannot be in time took %s", took)
		}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if err := l.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a wait that was cancelled: %v", err)
		}
	})
}

func TestNil(t *testing.T) {
	var l *limit.Limiter
	l.Pause(time.Hour)
	l.SetLimit(limit.Rate{PerSecond: 1})
	if err := l.Wait(t.Context()); err != nil || l.Figures() != (limit.Figures{}) {
		t.Error("the nil Limiter does something")
	}
	if l.Transport(http.DefaultTransport, nil) != http.DefaultTransport {
		t.Error("the nil Limiter wraps the transport")
	}
}

func TestFixedIgnoresTheServer(t *testing.T) {
	l := limit.New(limit.Options{Rate: limit.Rate{PerSecond: 7}, Fixed: true})
	l.SetLimit(limit.Rate{PerSecond: 1000})
	if got := l.Figures().Rate.PerSecond; got != 7 {
		t.Errorf("the rate is %v", got)
	}
}

// A server answers without a network.
type server func(*http.Request) (status int, header http.Header)

func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	status, header := s(r)
	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: r}, nil
}

func TestTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Options{})
		client := &http.Client{Transport: l.Transport(server(func(r *http.Request) (int, http.Header) {
			header := http.Header{"X-Ratelimit-Limit": {"500"}}
			if r.URL.Path != "/no" {
				return http.StatusOK, header
			}
			header.Set("Retry-After", "0.05")
			return http.StatusTooManyRequests, header
		}), func(h http.Header) limit.Advice {
			return limit.Advice{
				Rate:       limit.Rate{PerSecond: limit.Number(h.Get("X-RateLimit-Limit"))},
				RetryAfter: limit.Seconds(h.Get("Retry-After")),
			}
		})}
		for _, path := range []string{"/", "/no", "/"} {
			answer, err := client.Get("http://server.example" + path)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
		}
		f := l.Figures()
		if f.Requests != 3 || f.Throttled != 1 || f.Rate.PerSecond != 500 || f.Guessed || f.Waited < 50*time.Millisecond {
			t.Errorf("figures: %+v", f)
		}
	})
}

func TestSeconds(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, " 0.25 ": 250 * time.Millisecond, "-1": 0, "NaN": 0, "Inf": 0,
		"soon": 0, "1e99": time.Hour, "0": 0, "Mon, 02 Jan 2006 15:04:05 GMT": 0,
	} {
		if got := limit.Seconds(value); got != want {
			t.Errorf("Seconds(%q) = %s, want %s", value, got, want)
		}
	}
}

func FuzzSeconds(f *testing.F) {
	f.Add("5")
	f.Add("Mon, 02 Jan 2006 15:04:05 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		if d := limit.Seconds(value); d < 0 || d > time.Hour {
			t.Errorf("Seconds(%q) = %s", value, d)
		}
	})
}
