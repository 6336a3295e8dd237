package bitbucketd

import (
	"net/http"
	"strconv"
)

const (
	defaultLimit = 25
	maxLimit     = 1000
)

// page is a list's part.
type page[T any] struct {
	Size          int  `json:"size"`
	Limit         int  `json:"limit"`
	IsLastPage    bool `json:"isLastPage"`
	Values        []T  `json:"values"`
	Start         int  `json:"start"`
	NextPageStart *int `json:"nextPageStart,omitempty"`
}

// paged answers the part of all that the query's start and limit ask for.
func paged[T any](c *call, all []T) (reply, error) {
	start, err := c.number("start", 0)
	if err != nil {
		return reply{}, err
	}
	limit, err := c.number("limit", defaultLimit)
	if err != nil {
		return reply{}, err
	}
	if limit == 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	p := page[T]{Limit: limit, Start: start, Values: []T{}}
	// In short pages the items lie two apart and half a page is looked at, as if
	// the others had been filtered out: neither adding the limit nor adding the
	// size leads to the next page.
	step, window := 1, limit
	if c.opts.ShortPages {
		step, window = 2, max(1, limit/2)
	}
	for i, item := range all {
		if at := i * step; at >= start && at < start+window {
			p.Values = append(p.Values, item)
		}
	}
	p.Size = len(p.Values)
	p.IsLastPage = start+window > (len(all)-1)*step
	if !p.IsLastPage {
		next := start + window
		p.NextPageStart = &next
	}
	return reply{body: p}, nil
}

func (c *call) number(name string, missing int) (int, error) {
	text := c.query(name)
	if text == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, refuse(http.StatusBadRequest, argumentException, "%s must be a number, not %q", name, text)
	}
	return n, nil
}
