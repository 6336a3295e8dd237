package pipelines

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/planview"
	"github.com/bbsync/bbsync/internal/sourcepos"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string       `xml:"name,attr"`
	Class     string       `xml:"classname,attr"`
	File      string       `xml:"file,attr,omitempty"`
	Line      int          `xml:"line,attr,omitempty"`
	Failure   *junitReason `xml:"failure"`
	Error     *junitReason `xml:"error"`
	Skipped   *junitReason `xml:"skipped"`
	SystemOut string       `xml:"system-out,omitempty"`
}

type junitReason struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit returns a plan as a test report: one case per connection, and one per
// Bitbucket, passed when it is in sync.
func JUnit(p plan.Plan) (string, error) {
	fleet := plaintext.Line(p.Fleet)
	out := junitSuites{Name: "bbsync " + fleet}
	shared := junitSuite{Name: "bitbuckets"}
	for _, b := range p.Bitbuckets {
		shared.add(junitCase{Name: plaintext.Line("bitbucket." + b.Label), Class: "bbsync." + fleet + ".bitbuckets"}, b.State(), planview.Lines(b.Changes, b.Blocks, b.Notes, true))
	}
	connections := junitSuite{Name: "connections"}
	for _, c := range p.Connections {
		at := sourcepos.Of(c.At)
		connections.add(junitCase{Name: plaintext.Line(c.Address), Class: "bbsync." + fleet + "." + plaintext.Line(c.Bitbucket), File: plaintext.Line(at.File), Line: at.Line},
			c.State(), planview.Lines(c.Changes, c.Blocks, c.Notes, true))
	}
	for _, s := range []junitSuite{shared, connections} {
		out.Tests, out.Failures, out.Errors, out.Skipped = out.Tests+s.Tests, out.Failures+s.Failures, out.Errors+s.Errors, out.Skipped+s.Skipped
		out.Suites = append(out.Suites, s)
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encoding a test report: %w", err)
	}
	return xml.Header + string(text) + "\n", nil
}

// add judges a case by its state: what another apply is at is neither right nor
// wrong.
func (s *junitSuite) add(c junitCase, state plan.State, lines []planview.Line) {
	var text strings.Builder
	for _, e := range lines {
		text.WriteString(e.String() + "\n")
	}
	reason := &junitReason{Message: state.String(), Type: string(state), Text: text.String()}
	s.Tests++
	switch state {
	case plan.StateInSync:
		c.SystemOut = text.String()
	case plan.StateUnreadable:
		c.Error = reason
		s.Errors++
	case plan.StateLeased:
		c.Skipped = reason
		s.Skipped++
	case plan.StateChanges, plan.StateWaiting, plan.StateRefused:
		c.Failure = reason
		s.Failures++
	}
	s.Cases = append(s.Cases, c)
}
