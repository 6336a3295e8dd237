package limit

import "time"

// Figures say what a Limiter did.
type Figures struct {
	Requests  int64         // let through
	Waits     int64         // of those, made to wait
	Waited    time.Duration // by them together
	Throttled int64         // refused by the server (429)
	Rate      Rate          // what the server allows, as far as known
	Guessed   bool          // Rate was derived from refusals
}

// Figures returns the figures up to now.
func (l *Limiter) Figures() Figures {
	if l == nil {
		return Figures{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.figures
	f.Rate, f.Guessed = l.rate, l.guessed
	return f
}

// meter knows the rate of the last few seconds, to guess a limit from when a
// server refuses requests without ever telling what it allows.
type meter struct {
	slots [meterSlots]int
	last  int64 // unix second of the newest slot
	first int64
}

const meterSlots = 8

func (m *meter) add(now time.Time) {
	m.advance(now.Unix())
	m.slots[m.last%meterSlots]++
}

func (m *meter) advance(second int64) {
	if m.first == 0 {
		m.first, m.last = second, second
	}
	if second-m.last >= meterSlots {
		m.slots, m.last = [meterSlots]int{}, second
		m.first = second
	}
	for m.last < second {
		m.last++
		m.slots[m.last%meterSlots] = 0
	}
}

func (m *meter) rate(now time.Time) float64 {
	m.advance(now.Unix())
	sum := 0
	for _, n := range m.slots {
		sum += n
	}
	return float64(sum) / float64(min(m.last-m.first+1, meterSlots))
}
