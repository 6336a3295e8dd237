package bitbucket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"

	"github.com/bbsync/bbsync/internal/httpx"
)

// page is Bitbucket's page of a list.
type page[T any] struct {
	Start         *int `json:"start"`
	IsLastPage    *bool
	NextPageStart *int
	Values        []T
}

// perPage is what is asked for; the server gives less where its own cap is lower.
const perPage = 1000

// pages reads a paged list and gives each value to each until it returns false.
// The next page begins where the server says, since filtered pages are short.
func pages[T any](ctx context.Context, c *Client, q call, each func(T) bool) error {
	ctx = httpx.WithListing(ctx, httpx.MaxListing)
	start := 0
	for range httpx.MaxPages {
		next := q
		next.query = maps.Clone(q.query)
		if next.query == nil {
			next.query = url.Values{}
		}
		next.query.Set("start", strconv.Itoa(start))
		next.query.Set("limit", strconv.Itoa(perPage))
		var p page[T]
		if err := c.do(ctx, next, func(a answer) error { return readPage(a, start, &p) }); err != nil {
			return err
		}
		for _, value := range p.Values {
			if !each(value) {
				return nil
			}
		}
		if *p.IsLastPage {
			return nil
		}
		start = *p.NextPageStart
	}
	return c.broken(q, answer{}, fmt.Errorf("more than %d pages", httpx.MaxPages))
}

// readPage reads one page and checks that it is the one that was asked for and
// leads on: a page that repeats would make a list endless, or wrong.
func readPage[T any](a answer, start int, result *page[T]) error {
	var p page[T]
	if err := decode(&p)(a); err != nil {
		return err
	}
	switch {
	case p.IsLastPage == nil || p.Values == nil:
		return errors.New("not a page of a list")
	case p.Start != nil && *p.Start != start:
		return fmt.Errorf("the page that begins at %d instead of %d", *p.Start, start)
	case !*p.IsLastPage && p.NextPageStart == nil:
		return errors.New("a page that is not the last but leads nowhere")
	case !*p.IsLastPage && *p.NextPageStart <= start:
		return fmt.Errorf("a page that begins at %d and leads back to %d", start, *p.NextPageStart)
	}
	*result = p
	return nil
}
