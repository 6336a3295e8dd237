package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

// An applyOutput reports an apply as it goes: to people as text, to programs as a
// stream of JSON lines, or to both.
type applyOutput struct {
	app   *app
	whole bool // every connection, not one of each kind

	mu       sync.Mutex
	streams  []io.Writer
	file     *os.File // of --json-into
	failed   error    // to write the streams
	progress *progress
	left     map[string]int // steps not done yet, by address
	warned   *terminal.Repeated
}

func (a *app) applyOutput(o *outputFlags, fleet string, whole bool) (*applyOutput, error) {
	t := &applyOutput{app: a, whole: whole, progress: &progress{}, warned: terminal.NewRepeated()}
	if o.machine() {
		t.streams = append(t.streams, a.documents())
	}
	if o.into != "" {
		file, err := os.OpenFile(o.into, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		t.file = file
		t.streams = append(t.streams, file)
	}
	t.line(documents.BeginLine(fleet, time.Now()))
	return t, nil
}

// line writes a line to every stream.
func (t *applyOutput) line(line documents.StreamLine) {
	text, err := documents.Line(line)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = errors.Join(t.failed, err)
	for _, stream := range t.streams {
		if _, err := io.WriteString(stream, text); err != nil && t.failed == nil {
			t.failed = fmt.Errorf("writing JSON: %w", err)
		}
	}
}

// say prints text for a person.
func (t *applyOutput) say(text string) {
	if !t.app.output.machine() {
		_, _ = io.WriteString(t.app.stdout, text)
	}
}

func (t *applyOutput) options() terminal.Options {
	return terminal.Options{Style: t.app.style(t.app.stdout), Verbose: t.whole}
}

func (t *applyOutput) plan(p plan.Plan) {
	t.say(terminal.Plan(p, t.options()))
	if len(t.streams) > 0 {
		doc := documents.NewPlan(p)
		t.line(documents.StreamLine{Type: "plan", Time: time.Now(), Plan: &doc})
	}
}

// working begins to tell of events.
func (t *applyOutput) working(run *fleet.Run, p plan.Plan) {
	t.left = map[string]int{}
	total := 0
	for _, b := range p.Bitbuckets {
		if len(b.Blocks) == 0 {
			t.left["bitbucket."+b.Label] = len(b.Changes)
			total += len(b.Changes)
		}
	}
	for _, c := range p.Connections {
		if len(c.Blocks) == 0 {
			t.left[c.Address] = len(c.Changes)
			total += len(c.Changes)
		}
	}
	t.progress = t.app.progress("Applying", total, "steps", run.Systems.Figures)
}

// event tells of one event.
func (t *applyOutput) event(e apply.Event) {
	if len(t.streams) > 0 {
		t.line(documents.EventLine(e, time.Now()))
	}
	text := terminal.Event(e, t.app.style(t.app.stderr))
	if t.progress.live() {
		t.count(e)
		text = t.above(e, text)
	}
	if text != "" {
		_, _ = io.WriteString(t.app.stderr, text+"\n")
	}
}

// above returns what is worth a line above a bar, which stands for the steps:
// the ends of connections, failures, and of alike warnings the first.
func (t *applyOutput) above(e apply.Event, text string) string {
	switch e.Kind {
	case apply.Failed:
		return text
	case apply.Finished:
		if apply.Status(e.Text) != apply.Broken {
			return terminal.Ending(e, t.app.style(t.app.stderr))
		}
	case apply.Warning:
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.warned.First(e.Address, e.Text) {
			return text
		}
	case apply.StepDone, apply.Started:
	}
	return ""
}

// count moves the bar: by one for a step, by what will not be done any more for
// a connection that ended.
func (t *applyOutput) count(e apply.Event) {
	t.mu.Lock()
	n := 0
	switch e.Kind {
	case apply.StepDone:
		n = min(1, t.left[e.Address])
	case apply.Finished:
		n = t.left[e.Address]
	case apply.Started, apply.Failed, apply.Warning:
	}
	t.left[e.Address] -= n
	t.mu.Unlock()
	t.progress.Done(n)
}

// result shows how it ended.
func (t *applyOutput) result(r apply.Result) {
	t.progress.Close()
	_, _ = io.WriteString(t.app.stderr, t.warned.Rest(t.app.style(t.app.stderr)))
	t.say("\n" + strings.TrimLeft(terminal.Result(r, t.options()), "\n"))
}

// different shows what is not as wanted though everything was carried out.
func (t *applyOutput) different(p plan.Plan) {
	t.say("\nEverything was carried out, and this is still different:\n\n" + terminal.Plan(p, t.options()))
}

// summary ends the streams; left is the plan made afterwards, nil when there
// was none.
func (t *applyOutput) summary(r apply.Result, code int, left *plan.Plan) {
	if len(t.streams) == 0 {
		return
	}
	doc := documents.NewResult(r, code)
	if left != nil {
		summary := documents.NewSummary(left.Summary())
		doc.Left = &summary
	}
	t.line(documents.StreamLine{Type: "summary", Time: time.Now(), FormatVersion: documents.FormatVersion, Summary: &doc})
}

// end closes what is open, and tells the streams of an error that nobody was
// told of.
func (t *applyOutput) end(err error) error {
	t.progress.Close()
	if !told(err) {
		t.line(documents.StreamLine{Type: "error", Time: time.Now(), Error: err.Error()})
	}
	if t.file != nil {
		t.failed = errors.Join(t.failed, t.file.Close())
	}
	switch {
	case t.failed == nil:
		return err
	case err != nil && told(err): // its code stays, and what it leaves to be said is this
		return &exitError{code: exitCode(err), err: t.failed}
	}
	return errors.Join(err, t.failed)
}
