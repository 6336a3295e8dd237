package terraformd

import (
	"encoding/json"
	"net/http"
)

const mediaType = "application/vnd.api+json"

// resource is a JSON:API resource object. Attributes is a struct with JSON tags,
// one type for each kind of resource.
type resource struct {
	ID            string              `json:"id"`
	Type          string              `json:"type"`
	Attributes    any                 `json:"attributes,omitempty"`
	Relationships map[string]relation `json:"relationships,omitempty"`
	Links         map[string]string   `json:"links,omitempty"`
}

// ref names a resource.
type ref struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// relation is a relationship: to one (nil: none), or to many.
type relation struct {
	one   *ref
	many  []ref
	toOne bool
	links map[string]string
}

func toOne(kind, id string) relation {
	if id == "" {
		return relation{toOne: true}
	}
	return relation{toOne: true, one: &ref{ID: id, Type: kind}}
}

func toMany(kind string, ids ...string) relation {
	refs := make([]ref, len(ids))
	for i, id := range ids {
		refs[i] = ref{ID: id, Type: kind}
	}
	return relation{many: refs}
}

func (r relation) linked(related string) relation {
	r.links = map[string]string{"related": related}
	return r
}

// MarshalJSON writes data as null, an object, or an array that may be empty.
func (r relation) MarshalJSON() ([]byte, error) {
	if r.toOne {
		return json.Marshal(struct {
			Data  *ref              `json:"data"`
			Links map[string]string `json:"links,omitempty"`
		}{r.one, r.links})
	}
	return json.Marshal(struct {
		Data  []ref             `json:"data"`
		Links map[string]string `json:"links,omitempty"`
	}{r.many, r.links})
}

// one is a document of one resource.
type one struct {
	Data     resource   `json:"data"`
	Included []resource `json:"included,omitempty"`
}

// list is a document of many resources. Links and Meta are absent when the list
// is not paged.
type list struct {
	Data     []resource `json:"data"`
	Included []resource `json:"included,omitempty"`
	Links    *pageLinks `json:"links,omitempty"`
	Meta     *pageMeta  `json:"meta,omitempty"`
}

// writeJSON answers with a document. An error in writing means that the client
// is gone, which is no matter of the server's.
func writeJSON(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	writePlain(w, status, document)
}

// writePlain answers with JSON whose media type is already set.
func writePlain(w http.ResponseWriter, status int, document any) {
	data, err := json.Marshal(document)
	if err != nil {
		http.Error(w, "encoding the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
