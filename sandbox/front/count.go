package front

import (
	"maps"
	"sync"
)

// Counts says how many requests were made since the last reset. The keys of
// Routes are "GET /rest/api/{version}/users".
type Counts struct {
	Total  int            `json:"total"`
	Routes map[string]int `json:"routes"`
}

type counter struct {
	mu     sync.Mutex
	total  int
	routes map[string]int
}

func (c *counter) add(route string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.routes == nil {
		c.routes = map[string]int{}
	}
	c.total++
	c.routes[route]++
}

// Counts returns what was counted so far. A request is
// counted when its answer begins, or when it ends without one.
func (f *Front) Counts() Counts {
	f.counts.mu.Lock()
	defer f.counts.mu.Unlock()
	routes := maps.Clone(f.counts.routes)
	if routes == nil {
		routes = map[string]int{}
	}
	return Counts{Total: f.counts.total, Routes: routes}
}

// ResetCounts begins counting again.
func (f *Front) ResetCounts() {
	f.counts.mu.Lock()
	defer f.counts.mu.Unlock()
	f.counts.total, f.counts.routes = 0, nil
}
