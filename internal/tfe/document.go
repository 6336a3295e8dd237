package tfe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/bbsync/bbsync/internal/httpx"
)

// pageSize is the largest that the API takes.
const pageSize = 100

// A resource is one JSON:API object, its attributes not yet read.
type resource struct {
	ID            string              `json:"id"`
	Type          string              `json:"type"`
	Attributes    json.RawMessage     `json:"attributes"`
	Relationships map[string]relation `json:"relationships"`
	Links         struct {
		AuthToken string `json:"auth-token"` // of an account: the token of the request
	} `json:"links"`
}

// A relation points to one object or to many.
type relation struct {
	Data json.RawMessage `json:"data"`
}

type pointer struct {
	ID string `json:"id"`
}

// ids lists what is pointed to.
func (r relation) ids() []string {
	var many []pointer
	if httpx.Unmarshal(r.Data, &many) != nil {
		var one *pointer
		if httpx.Unmarshal(r.Data, &one) != nil || one == nil || one.ID == "" {
			return nil
		}
		return []string{one.ID}
	}
	var ids []string
	for _, p := range many {
		ids = append(ids, p.ID)
	}
	return ids
}

func (r relation) id() string {
	if ids := r.ids(); len(ids) == 1 {
		return ids[0]
	}
	return ""
}

type list struct {
	Data     *[]resource `json:"data"`
	Included []resource  `json:"included"`
	Meta     struct {
		Pagination struct {
			CurrentPage int `json:"current-page"`
			TotalPages  int `json:"total-pages"`
			NextPage    int `json:"next-page"`
		} `json:"pagination"`
	} `json:"meta"`
}

type one struct {
	Data     *resource  `json:"data"`
	Included []resource `json:"included"`
}

// maxGrowth is how many pages a list may become longer while it is read.
const maxGrowth = 20

// pages reads all pages. It stops when there are no more, and with an error when
// the server repeats itself, says there are more than it has, or never comes to
// an end.
func (c *Client) pages(ctx context.Context, req request, path string, query url.Values) (all, included []resource, err error) {
	if query == nil {
		query = url.Values{}
	}
	query.Set("page[size]", strconv.Itoa(pageSize))
	ctx = httpx.WithListing(ctx, httpx.MaxListing)
	seen, most := map[string]bool{}, 0
	for number := 1; ; number++ {
		if number > 1 {
			query.Set("page[number]", strconv.Itoa(number))
		}
		var page list
		if err := c.get(ctx, req, path, query, &page); err != nil {
			return nil, nil, err
		}
		if page.Data == nil {
			return nil, nil, noData(req)
		}
		added := false
		for _, r := range *page.Data {
			if !seen[r.ID] {
				seen[r.ID], added = true, true
				all = append(all, r)
			}
		}
		included = append(included, page.Included...)
		p := page.Meta.Pagination
		repeated := p.CurrentPage > 0 && p.CurrentPage != number || !added && number > 1
		if repeated || !added && p.TotalPages > number {
			return nil, nil, broken(req, fmt.Errorf("page %d of %d came as page %d, or with nothing new", number, p.TotalPages, p.CurrentPage))
		}
		if p.TotalPages <= number {
			return all, included, nil
		}
		if number == 1 {
			most = min(p.TotalPages, httpx.MaxPages) + maxGrowth
		}
		if p.TotalPages > most {
			return nil, nil, broken(req, fmt.Errorf("page %d says that there are %d pages, more than the %d that are read", number, p.TotalPages, most))
		}
	}
}

func noData(req request) error {
	return broken(req, errors.New("the answer has no data"))
}
