package httpx

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/bbsync/bbsync/internal/secret"
)

// Redacted stands for a secret that was removed from a string.
const Redacted = "(redacted)"

// A Redactor removes secrets from strings that a server or a library wrote, in
// every form in which an answer may repeat them: as they are, in JSON, URLs, HTML
// and base64, a part of them, and PEM blocks of any kind. The nil Redactor knows
// no secret and removes PEM blocks. It is safe for concurrent use.
type Redactor struct {
	mu      sync.Mutex
	secrets []string
	finder  *finder // of secrets; nil: not made since the last change
}

// NewRedactor returns a Redactor of these secrets.
func NewRedactor(secrets ...secret.Text) *Redactor {
	r := &Redactor{}
	r.Add(secrets...)
	return r
}

// Add adds secrets, such as a renewed token.
func (r *Redactor) Add(secrets ...secret.Text) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, text := range secrets {
		if s := strings.TrimSpace(text.Reveal()); len(s) >= minSecret && !slices.Contains(r.secrets, s) {
			r.secrets, r.finder = append(r.secrets, s), nil
		}
	}
}

// With returns a Redactor that knows these secrets, too, such as those of one
// request's body.
func (r *Redactor) With(secrets ...secret.Text) *Redactor {
	more := NewRedactor(secrets...)
	if r == nil {
		return more
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	more.secrets = append(more.secrets, r.secrets...)
	return more
}

// String returns s without secrets. Shorten a string afterwards, not before: the
// beginning of a secret is a secret.
func (r *Redactor) String(s string) string {
	s = pemBlock.ReplaceAllString(s, Redacted)
	if r == nil || s == "" {
		return s
	}
	return r.find().remove(s)
}

var pemBlock = regexp.MustCompile(`(?s)-----BEGIN[^-]{0,60}(-----)?.*?(-----END[^-]{0,60}-----|$)`)

func (r *Redactor) find() *finder {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finder == nil {
		r.finder = newFinder(r.secrets)
	}
	return r.finder
}

// Error returns err, or one with the same chain whose text has no secrets.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if clean := r.String(text); clean != text {
		return &redactedError{text: clean, err: err}
	}
	return err
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

// Unwrap returns the error that is not to be printed, for errors.Is and As.
func (e *redactedError) Unwrap() error { return e.err }

const (
	// minSecret is the length below which a secret is not removed: it would garble
	// every text, and protects nothing.
	minSecret = 4
	// partLength is the length from which on a part of a secret is removed.
	partLength = 12
)

// A finder finds secrets in strings.
type finder struct {
	whole []string            // longest first
	parts map[string]struct{} // all substrings of partLength bytes
}

func newFinder(secrets []string) *finder {
	f := &finder{parts: map[string]struct{}{}}
	for _, s := range secrets {
		for _, form := range forms(s) {
			f.whole = append(f.whole, form)
			for i := 0; i+partLength <= len(form) && len(s) >= partLength; i++ {
				f.parts[form[i:i+partLength]] = struct{}{}
			}
		}
	}
	slices.SortFunc(f.whole, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return f
}

func (f *finder) remove(s string) string {
	for _, form := range f.whole {
		s = strings.ReplaceAll(s, form, Redacted)
	}
	var b strings.Builder
	kept, end := 0, 0 // bytes before kept are written; bytes before end are a secret's
	for i := 0; i+partLength <= len(s); i++ {
		if _, found := f.parts[s[i:i+partLength]]; !found {
			continue
		}
		if i > end || end == 0 {
			b.WriteString(s[kept:i] + Redacted)
		}
		kept, end = i+partLength, i+partLength
	}
	if kept == 0 {
		return s
	}
	b.WriteString(s[kept:])
	return b.String()
}
