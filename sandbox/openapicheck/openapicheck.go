// Package openapicheck holds the sandbox's answers against a vendor's OpenAPI
// document. Where the document is known to be wrong, a named Defect mends it; what
// the document does not describe is not judged.
//
// Only tests import it. It does not check requests: the sandbox does that itself.
package openapicheck

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Defect is something that the document says and real servers do not do.
type Defect struct {
	Name string
	Why  string
	Mend func(*openapi3.T) error
}

// Document is a mended OpenAPI document. It is safe for concurrent use.
type Document struct {
	doc    *openapi3.T
	prefix string

	mu      sync.Mutex
	checked map[string]int
}

// New reads a document and mends it. Its paths begin at prefix.
func New(data []byte, prefix string, defects []Defect) (*Document, error) {
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	for _, d := range defects {
		if err := d.Mend(doc); err != nil {
			return nil, fmt.Errorf("openapi document: defect %q: %w", d.Name, err)
		}
	}
	return &Document{doc: doc, prefix: prefix, checked: map[string]int{}}, nil
}

// Checked returns how many answers were checked, by operation and status.
func (d *Document) Checked() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.checked)
}

// Operations returns all operations of the document, as "GET /path/{x}".
func (d *Document) Operations() []string {
	var list []string
	for path, item := range d.doc.Paths.Map() {
		for method := range item.Operations() {
			list = append(list, method+" "+path)
		}
	}
	return list
}

// Check returns an error if the answer is not what the document promises for the
// request, and nil if the document knows nothing of the request.
func (d *Document) Check(r *http.Request, status int, header http.Header, body []byte) error {
	path, item, params := d.find(r.URL.Path)
	if item == nil || item.GetOperation(r.Method) == nil || beforeResource(body) {
		return nil
	}
	d.mu.Lock()
	d.checked[fmt.Sprintf("%s %s %d", r.Method, path, status)]++
	d.mu.Unlock()
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r, PathParams: params,
			Route: &routers.Route{Spec: d.doc, Path: path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		},
		Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	if len(body) == 0 { // nothing to hold against a schema: only the status counts
		input.Options.ExcludeResponseBody = true
	}
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		short, _, _ := strings.Cut(err.Error(), "\n") // the rest repeats the schema
		return fmt.Errorf("%s %s answered %d: %s: %s", r.Method, path, status, short, body)
	}
	return nil
}

// beforeResource reports whether the answer was given before any resource was asked,
// of which the document says nothing: for a path that an older server does not have,
// Basic authentication switched off, or WebSudo.
func beforeResource(body []byte) bool {
	for _, text := range []string{"null for uri", "Basic Authentication has been disabled", "This resource requires WebSudo"} {
		if bytes.Contains(body, []byte(text)) {
			return true
		}
	}
	return false
}

// find returns the path of the document that fits best: with the fewest parameters.
func (d *Document) find(path string) (template string, item *openapi3.PathItem, params map[string]string) {
	rest, ok := strings.CutPrefix(path, d.prefix)
	if !ok {
		return "", nil, nil
	}
	for candidate, it := range d.doc.Paths.Map() {
		if have, ok := match(candidate, rest); ok && (item == nil || len(have) < len(params)) {
			template, item, params = candidate, it, have
		}
	}
	return template, item, params
}

func match(template, path string) (map[string]string, bool) {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	params := map[string]string{}
	for i := range want {
		switch {
		case strings.HasPrefix(want[i], "{"):
			params[strings.Trim(want[i], "{}")] = have[i]
		case want[i] != have[i] && !(want[i] == "latest" && have[i] == "1.0"): // the same resource
			return nil, false
		}
	}
	return params, true
}
