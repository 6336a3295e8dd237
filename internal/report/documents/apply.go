package documents

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plaintext"
)

// A StreamLine is one line of the event stream of an apply. Its Type says which
// of the other fields are there.
type StreamLine struct {
	Type string    `json:"type"` // begin, plan, started, step, failed, warning, finished, error, summary
	Time time.Time `json:"time"`

	FormatVersion string  `json:"format_version,omitempty"` // begin, summary
	Kind          string  `json:"kind,omitempty"`           // begin
	Fleet         string  `json:"fleet,omitempty"`          // begin
	Plan          *Plan   `json:"plan,omitempty"`           // plan
	Address       string  `json:"address,omitempty"`
	Step          *Step   `json:"step,omitempty"`
	Text          string  `json:"text,omitempty"`
	Status        string  `json:"status,omitempty"` // finished
	Error         string  `json:"error,omitempty"`
	Seconds       float64 `json:"seconds,omitempty"`
	Summary       *Result `json:"summary,omitempty"` // the last line
}

// A Result is how an apply ended.
type Result struct {
	ExitCode int            `json:"exit_code"`
	Steps    int            `json:"steps"` // done
	Statuses map[string]int `json:"statuses"`
	Outcomes []Outcome      `json:"outcomes"`
	Left     *Summary       `json:"left,omitempty"` // of a plan made afterwards
}

// An Outcome is how one connection, or one Bitbucket, ended.
type Outcome struct {
	Address string      `json:"address"`
	Status  string      `json:"status"`
	Done    []Step      `json:"done"`
	Left    []Step      `json:"left"`
	Error   string      `json:"error,omitempty"`
	Wait    *apply.Wait `json:"wait,omitempty"`
}

// StatusName is a status' name for machines.
func StatusName(s apply.Status) string {
	if s == apply.NotRun {
		return "not_run"
	}
	return string(s)
}

// NewResult returns how an apply ended.
func NewResult(r apply.Result, exitCode int) Result {
	out := Result{ExitCode: exitCode, Statuses: map[string]int{}, Outcomes: []Outcome{}}
	for _, s := range apply.Statuses() {
		out.Statuses[StatusName(s)] = 0
	}
	for _, o := range r.Outcomes() {
		d := Outcome{Address: o.Address, Status: StatusName(o.Status), Wait: o.Wait, Done: []Step{}, Left: []Step{}}
		if o.Err != nil {
			d.Error = o.Err.Error()
		}
		for _, s := range o.Done {
			d.Done = append(d.Done, NewStep(s))
		}
		for _, s := range o.Left {
			d.Left = append(d.Left, NewStep(s))
		}
		out.Steps += len(o.Done)
		out.Statuses[d.Status]++
		out.Outcomes = append(out.Outcomes, d)
	}
	return out
}

// EventLine returns one event of an apply as a line of the stream.
func EventLine(e apply.Event, now time.Time) StreamLine {
	out := StreamLine{Time: now, Address: e.Address, Text: e.Text, Seconds: e.Took.Seconds()}
	if e.Step != nil {
		step := NewStep(e.Step)
		out.Step = &step
	}
	if e.Err != nil {
		out.Error = e.Err.Error()
	}
	switch e.Kind {
	case apply.Started:
		out.Type = "started"
	case apply.StepDone:
		out.Type = "step"
	case apply.Failed:
		out.Type = "failed"
	case apply.Warning:
		out.Type = "warning"
	case apply.Finished:
		out.Type, out.Text, out.Status = "finished", "", StatusName(apply.Status(e.Text))
	}
	return out
}

// BeginLine is the stream's first line.
func BeginLine(fleet string, now time.Time) StreamLine {
	return StreamLine{Type: "begin", Time: now, FormatVersion: FormatVersion, Kind: "apply", Fleet: fleet}
}

// Line returns a line of a stream as text, with its newline.
func Line(line StreamLine) (string, error) {
	text, err := json.Marshal(line)
	if err != nil {
		return "", fmt.Errorf("encoding an event: %w", err)
	}
	return string(plaintext.JSON(text)) + "\n", nil
}
