package httpx

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/bbsync/bbsync/internal/secret"
)

type secretsKey struct{}

// WithSecrets returns a context whose requests send secrets of their own, in their
// bodies: an answer that repeats them is redacted. secrets is called only then.
func WithSecrets(ctx context.Context, secrets func() []secret.Text) context.Context {
	return context.WithValue(ctx, secretsKey{}, secrets)
}

// redactor returns what removes the secrets of one request.
func (t *Transport) redactor(ctx context.Context) *Redactor {
	secrets, ok := ctx.Value(secretsKey{}).(func() []secret.Text)
	if !ok {
		return t.options.Redact
	}
	return t.options.Redact.With(secrets()...)
}

// redact removes the secrets of a request from an answer that may be quoted: one
// that is no success, or a web page. Other successes stay as they are; they are
// what was asked for.
func (t *Transport) redact(ctx context.Context, resp *http.Response) {
	body, ok := resp.Body.(*whole)
	if !ok || resp.StatusCode < http.StatusMultipleChoices && !isHTML(resp.Header, body.bytes) {
		return
	}
	r := t.redactor(ctx)
	clean := r.body(body.bytes)
	resp.Body, resp.ContentLength = newWhole(clean), int64(len(clean))
	for name, values := range resp.Header {
		if name == "Set-Cookie" { // the client's own, for its next request; no error quotes it
			continue
		}
		for i, value := range values {
			values[i] = r.String(value)
		}
	}
}

// body removes secrets from a body. In JSON it does so string by string, as
// decoders see them: a document stays one.
func (r *Redactor) body(body []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var document any
	if decoder.Decode(&document) != nil || decoder.More() {
		return []byte(r.String(string(body)))
	}
	clean, err := json.Marshal(r.value(document))
	if err != nil { // what was decoded marshals
		return nil
	}
	return clean
}

// value removes secrets from the strings of a decoded JSON document.
func (r *Redactor) value(v any) any {
	switch v := v.(type) {
	case string:
		return r.String(v)
	case []any:
		for i := range v {
			v[i] = r.value(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, value := range v {
			clean[r.String(name)] = r.value(value)
		}
		return clean
	}
	return v
}
