package terraformd

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
)

// optional tells an attribute that is absent from one that is null.
type optional[T any] struct {
	set   bool
	value *T
}

// UnmarshalJSON is only called for an attribute that is present. An object within must
// be known whole, even where unknown attributes are ignored.
func (o *optional[T]) UnmarshalJSON(data []byte) error {
	o.set = true
	return decodeStrictly(data, &o.value, true)
}

// or returns the value, or otherwise when it is absent or null.
func (o optional[T]) or(otherwise T) T {
	if o.value == nil {
		return otherwise
	}
	return *o.value
}

// body is a JSON:API request about one resource.
type body[A any] struct {
	attributes    A
	settings      settings // the attributes among them that are kept as they are
	relationships map[string]json.RawMessage
}

// anyTokenType stands for the types that requests for API tokens are sent with: the
// documents have one in the singular, and go-tfe sends none.
const anyTokenType = "authentication-token(s)"

const bodyLimit = 1 << 20

// readBody decodes a request. An attribute that A does not have and that is no setting
// is refused (see Choices.IgnoreUnknownAttributes).
func readBody[A any](s *Server, r *http.Request, kind string, known defaults) (body[A], error) {
	var b body[A]
	var document struct {
		Data struct {
			ID            string                     `json:"id"`
			Type          string                     `json:"type"`
			Attributes    map[string]json.RawMessage `json:"attributes"`
			Relationships map[string]json.RawMessage `json:"relationships"`
		} `json:"data"`
	}
	if err := readDocument(r, &document); err != nil {
		return b, err
	}
	token := kind == anyTokenType && slices.Contains([]string{"", "authentication-token", "authentication-tokens"}, document.Data.Type)
	if document.Data.Type != kind && !token {
		return b, unprocessable("data.type must be " + kind)
	}
	b.relationships = document.Data.Relationships
	var err error
	if b.settings, err = known.take(document.Data.Attributes); err != nil {
		return b, err
	}
	return b, s.attributes(document.Data.Attributes, &b.attributes)
}

func readDocument(r *http.Request, document any) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != mediaType {
		return &problem{status: http.StatusUnsupportedMediaType, title: "unsupported media type", detail: "Content-Type must be " + mediaType}
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		return malformed("reading the body")
	}
	if err := json.Unmarshal(data, document); err != nil {
		return malformed("not a JSON:API document")
	}
	return nil
}

func (s *Server) attributes(have map[string]json.RawMessage, into any) error {
	data, err := json.Marshal(have)
	if err != nil {
		return malformed("attributes")
	}
	strict := !s.opts.Choices.IgnoreUnknownAttributes
	if err := decodeStrictly(data, into, strict); err != nil {
		return attributeProblem(have, into, strict)
	}
	return nil
}

func decodeStrictly(data []byte, into any, strict bool) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if strict {
		decoder.DisallowUnknownFields()
	}
	return decoder.Decode(into)
}

// attributeProblem finds the attribute at fault by trying them one by one;
// encoding/json does not name the one that a type's own UnmarshalJSON refuses.
func attributeProblem(have map[string]json.RawMessage, into any, strict bool) error {
	for _, name := range slices.Sorted(maps.Keys(have)) {
		quoted, _ := json.Marshal(name) // a string always encodes
		alone := func(value string) error {
			return decodeStrictly([]byte("{"+string(quoted)+":"+value+"}"), into, strict)
		}
		switch {
		case alone("null") != nil:
			return invalid(name, name+" is not an attribute of this resource")
		case alone(string(have[name])) != nil:
			return invalid(name, name+" has the wrong type or an attribute that is not known")
		}
	}
	return malformed("attributes")
}

// refs reads a to-many relationship. It reports whether it was given.
func (b body[A]) refs(name string) ([]ref, bool, error) {
	raw, ok := b.relationships[name]
	if !ok {
		return nil, false, nil
	}
	var relationship struct {
		Data []ref `json:"data"`
	}
	if err := json.Unmarshal(raw, &relationship); err != nil {
		return nil, false, malformed("relationships." + name)
	}
	return relationship.Data, true, nil
}

// ref reads a to-one relationship; nil with true means that it was given as null.
func (b body[A]) ref(name string) (*ref, bool, error) {
	raw, ok := b.relationships[name]
	if !ok {
		return nil, false, nil
	}
	var relationship struct {
		Data *ref `json:"data"`
	}
	if err := json.Unmarshal(raw, &relationship); err != nil {
		return nil, false, malformed("relationships." + name)
	}
	return relationship.Data, true, nil
}
