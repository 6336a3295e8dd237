package front

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// Kind says what goes wrong.
type Kind string

// The kinds of faults.
const (
	// Refuse resets the connection before anything is read or done. (A listening
	// server cannot refuse the connection itself. NB Go's http.Transport repeats
	// an idempotent request by itself when a reused connection dies this way: give
	// such a fault Times: 2, or disable keep-alives, to have it seen.)
	Refuse Kind = "refuse"
	// ResetBody does the work, sends half of the answer and resets the connection.
	ResetBody Kind = "reset-body"
	// LoseAnswer does the work and closes the connection without an answer.
	LoseAnswer Kind = "lose-answer"
	// Hang does the work and never answers: the client's own deadline ends it.
	Hang Kind = "hang"
	// Status does not do the work and answers Fault.Status, with Fault.RetryAfter
	// and Fault.Body where given.
	Status Kind = "status"
	// HTML does not do the work and answers a proxy's HTML page with Fault.Status (zero: 200).
	HTML Kind = "html"
	// BadRateHeaders does the work and sends malformed rate limit headers with the answer.
	BadRateHeaders Kind = "bad-rate-headers"
	// Truncate does the work and sends the first half of the body as if it were whole.
	Truncate Kind = "truncate"
	// Stale answers what the same request (method and URL) was answered before,
	// without doing the work; passes where there was no earlier one since the order.
	Stale Kind = "stale"
	// Repeat is Stale whatever the query: the page before, once more.
	Repeat Kind = "repeat"
	// DropAccount removes the Authorization header, as a misconfigured proxy does, and passes the request on.
	DropAccount Kind = "drop-account"
	// Delay waits for Fault.Delay and goes on.
	Delay Kind = "delay"
	// Call calls Fault.Before, does the work, calls Fault.After, answers.
	Call Kind = "call"
)

// Fault is one order to misbehave. Method and Path choose requests; of those the
// Nth and the Times-1 following ones are hit.
type Fault struct {
	Kind   Kind   `json:"kind"`
	Method string `json:"method,omitempty"` // "": any
	Path   string `json:"path,omitempty"`   // regular expression, searched in the path; "": any
	Nth    int    `json:"nth,omitempty"`    // zero: 1
	Times  int    `json:"times,omitempty"`  // zero: 1; -1: from the Nth on for ever

	Status     int           `json:"status,omitempty"`
	RetryAfter string        `json:"retryAfter,omitempty"`
	Body       string        `json:"body,omitempty"`
	Delay      time.Duration `json:"delay,omitempty"` // in JSON: nanoseconds, or a text such as "250ms"

	Before func(*http.Request) `json:"-"`
	After  func(*http.Request) `json:"-"`
}

// UnmarshalJSON accepts a delay as text.
func (f *Fault) UnmarshalJSON(data []byte) error {
	type plain Fault
	aux := struct {
		*plain
		Delay json.RawMessage `json:"delay"`
	}{plain: (*plain)(f)}
	if err := json.Unmarshal(data, &aux); err != nil {
		return err
	}
	if aux.Delay == nil {
		return nil
	}
	var text string
	if err := json.Unmarshal(aux.Delay, &text); err != nil {
		return json.Unmarshal(aux.Delay, &f.Delay)
	}
	d, err := time.ParseDuration(text)
	f.Delay = d
	return err
}

// Ordered is a fault with what became of it.
type Ordered struct {
	Fault Fault `json:"fault"`
	Seen  int   `json:"seen"`  // requests that matched
	Fired int   `json:"fired"` // of those, hit
}

// order is a fault in force.
type order struct {
	Fault
	seen     int
	fired    int
	path     *regexp.Regexp
	answered map[string]*answer // for Stale and Repeat
}

type orders struct {
	mu   sync.Mutex
	list []*order
}

// Order adds faults to those in force. Where several hit one request, delays and
// calls all happen, and of the others the first.
func (f *Front) Order(faults ...Fault) error {
	added := make([]*order, 0, len(faults))
	for _, fault := range faults {
		o, err := newOrder(fault)
		if err != nil {
			return err
		}
		added = append(added, o)
	}
	f.faults.mu.Lock()
	defer f.faults.mu.Unlock()
	f.faults.list = append(f.faults.list, added...)
	return nil
}

func newOrder(fault Fault) (*order, error) {
	switch fault.Kind {
	case Status:
		if fault.Status < 200 || fault.Status > 599 {
			return nil, fmt.Errorf("fault %q: status %d is none", fault.Kind, fault.Status)
		}
	case Refuse, ResetBody, LoseAnswer, Hang, HTML, BadRateHeaders, Truncate, Stale, Repeat, Delay, Call, DropAccount:
	default:
		return nil, fmt.Errorf("fault %q: no such kind", fault.Kind)
	}
	path, err := regexp.Compile(fault.Path)
	if err != nil {
		return nil, fmt.Errorf("fault %q: path: %w", fault.Kind, err)
	}
	if fault.Nth == 0 {
		fault.Nth = 1
	}
	if fault.Times == 0 {
		fault.Times = 1
	}
	return &order{Fault: fault, path: path, answered: map[string]*answer{}}, nil
}

// Faults returns the faults in force, in their order.
func (f *Front) Faults() []Ordered {
	f.faults.mu.Lock()
	defer f.faults.mu.Unlock()
	list := make([]Ordered, 0, len(f.faults.list))
	for _, o := range f.faults.list {
		list = append(list, Ordered{Fault: o.Fault, Seen: o.seen, Fired: o.fired})
	}
	return list
}

// ClearFaults lifts all faults.
func (f *Front) ClearFaults() {
	f.faults.mu.Lock()
	defer f.faults.mu.Unlock()
	f.faults.list = nil
}

// match counts the request in each fault that it matches, and returns those that
// hit it and those that want to remember its answer.
func (os *orders) match(r *http.Request) (hit, remember []*order) {
	os.mu.Lock()
	defer os.mu.Unlock()
	for _, o := range os.list {
		if o.Method != "" && o.Method != r.Method || !o.path.MatchString(r.URL.Path) {
			continue
		}
		o.seen++
		if o.seen >= o.Nth && (o.Times < 0 || o.seen < o.Nth+o.Times) {
			o.fired++
			hit = append(hit, o)
		} else if o.Kind == Stale || o.Kind == Repeat {
			remember = append(remember, o)
		}
	}
	return hit, remember
}
