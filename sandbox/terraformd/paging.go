package terraformd

import (
	"net/http"
	"net/url"
	"strconv"
)

const (
	defaultPageSize = 20
	maxPageSize     = 100
)

type pageLinks struct {
	Self  string  `json:"self"`
	First string  `json:"first"`
	Prev  *string `json:"prev"`
	Next  *string `json:"next"`
	Last  string  `json:"last"`
}

type pagination struct {
	CurrentPage int  `json:"current-page"`
	PageSize    int  `json:"page-size"`
	PrevPage    *int `json:"prev-page"`
	NextPage    *int `json:"next-page"`
	TotalPages  int  `json:"total-pages"`
	TotalCount  int  `json:"total-count"`
}

type pageMeta struct {
	Pagination pagination `json:"pagination"`
}

// pager cuts a page out of a list.
type pager struct {
	url          *url.URL
	base         string
	number, size int
	asked        bool // whether the request named a page at all
}

func (s *Server) pager(r *http.Request) pager {
	q := r.URL.Query()
	p := pager{url: r.URL, base: s.address(), number: 1, size: defaultPageSize}
	p.asked = q.Has("page[number]") || q.Has("page[size]")
	if n, err := strconv.Atoi(q.Get("page[number]")); err == nil && n > 0 {
		p.number = n
	}
	if n, err := strconv.Atoi(q.Get("page[size]")); err == nil && n > 0 {
		p.size = min(n, maxPageSize) // whether the real server clamps or refuses is not known
	}
	return p
}

// cut returns the items of the page and what to say of it.
func cut[T any](p pager, items []T) ([]T, *pageLinks, *pageMeta) {
	total := len(items)
	pages := max(1, (total+p.size-1)/p.size)
	from := min((p.number-1)*p.size, total)
	meta := pageMeta{Pagination: pagination{CurrentPage: p.number, PageSize: p.size, TotalPages: pages, TotalCount: total}}
	links := pageLinks{Self: p.link(p.number), First: p.link(1), Last: p.link(pages)}
	if p.number > 1 {
		meta.Pagination.PrevPage, links.Prev = new(p.number-1), new(p.link(p.number-1))
	}
	if p.number < pages {
		meta.Pagination.NextPage, links.Next = new(p.number+1), new(p.link(p.number+1))
	}
	return items[from:min(from+p.size, total)], &links, &meta
}

func (p pager) link(number int) string {
	q := p.url.Query()
	q.Set("page[number]", strconv.Itoa(number))
	q.Set("page[size]", strconv.Itoa(p.size))
	return p.base + p.url.Path + "?" + q.Encode()
}

// page renders the page that is asked for.
func page[T any](p pager, items []T, render func(T) resource) list {
	items, links, meta := cut(p, items)
	return list{Data: renderAll(items, render), Links: links, Meta: meta}
}

// pageOrAll renders everything, unpaged, when the request names no page: so it is
// documented for organizations, OAuth clients and OAuth tokens.
func pageOrAll[T any](p pager, items []T, render func(T) resource) list {
	if !p.asked {
		return list{Data: renderAll(items, render)}
	}
	return page(p, items, render)
}

func renderAll[T any](items []T, render func(T) resource) []resource {
	resources := make([]resource, len(items))
	for i, item := range items {
		resources[i] = render(item)
	}
	return resources
}
