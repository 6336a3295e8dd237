package terminal

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/report/planview"
)

// Event shows one event of an apply as a line; "" when it needs none.
func Event(e apply.Event, s Style) string {
	switch e.Kind {
	case apply.StepDone:
		return eventLine(s, e, span{signCode(e.Step.Type().Symbol), e.Step.Type().Symbol}, e.Step.String())
	case apply.Failed:
		return eventLine(s, e, span{red, "x"}, fmt.Sprintf("%s: %v", e.Step, e.Err))
	case apply.Warning:
		return eventLine(s, e, span{yellow, "w"}, e.Text)
	case apply.Started, apply.Finished:
	}
	return ""
}

func eventLine(s Style, e apply.Event, sign span, text string) string {
	w := &lineWriter{Style: s}
	w.line(0, 4, span{dim, e.Address + ":"}, span{"", " "}, sign, span{"", " " + text})
	return strings.TrimSuffix(w.String(), "\n")
}

// Ending shows how a connection ended as a line, for where its steps had none.
func Ending(e apply.Event, s Style) string {
	status := apply.Status(e.Text)
	return fmt.Sprintf("%s %s", s.paint(dim, plaintext.Line(e.Address)+":"), s.paint(statusCode(status), string(status)))
}

// Error shows an error as the last lines of a failed run: one for each of several
// errors, each with its end. None begins with what the error says.
func (s Style) Error(err error) string {
	var b strings.Builder
	for _, line := range plaintext.ErrorLines(err) {
		b.WriteString(s.paint(red, "bbsync:") + " " + line + "\n")
	}
	return b.String()
}

// Repeated holds back what is said of many connections alike. It is not safe
// for concurrent use.
type Repeated struct {
	grouper *planview.Grouper
	order   []string
	said    map[string]*repetition
}

type repetition struct {
	first string
	more  int
}

// NewRepeated returns a Repeated that has heard nothing.
func NewRepeated() *Repeated {
	return &Repeated{grouper: planview.NewGrouper(), said: map[string]*repetition{}}
}

// First reports whether nothing alike was said before, of any connection.
func (r *Repeated) First(address, text string) bool {
	key := r.grouper.Without(text, address, keyOf(address))
	if have := r.said[key]; have != nil {
		have.more++
		return false
	}
	r.said[key] = &repetition{first: text}
	r.order = append(r.order, key)
	return true
}

// Rest says, a line each, how often what was held back was said.
func (r *Repeated) Rest(s Style) string {
	w := &lineWriter{Style: s}
	for _, key := range r.order {
		if have := r.said[key]; have.more > 0 {
			w.line(0, 4, span{yellow, "w"}, span{bold, fmt.Sprintf(" of %d more connections, alike: ", have.more)}, span{"", have.first})
		}
	}
	return w.String()
}
