package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A Verdict is what a whole trail shows.
type Verdict struct {
	Entries int
	Torn    int    // places where a line was not finished, as a crash leaves it
	Open    bool   // the last of these is the trail's end: no entry vouches for it yet, so anybody may have written it
	Head    string // hash of the newest entry
	Found   bool   // the hash asked for is that of an entry
}

// A TamperedError error names the first line that is not as it was written.
type TamperedError struct {
	Line int // from 1
	Why  string
}

func (e *TamperedError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Why) }

// Verify reads a trail from its beginning. hash may name an entry that must be
// in it, such as a head noted elsewhere; "": none. The error is a *TamperedError for
// the first line that does not follow from those before it.
//
// A trail that was cut off at an entry's end is whole: only a head that was
// noted elsewhere tells.
func Verify(r io.Reader, hash string) (Verdict, error) {
	c := checker{Verdict: Verdict{Head: start}}
	in := bufio.NewReader(r)
	for {
		text, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return c.Verdict, fmt.Errorf("reading the audit trail: %w", err)
		}
		if len(text) == 0 {
			return c.Verdict, c.end()
		}
		if err := c.line(text); err != nil {
			return c.Verdict, err
		}
		c.Found = c.Found || hash != "" && c.Head == hash
	}
}

// A checker reads a trail line by line.
type checker struct {
	Verdict
	n       int    // of the line
	none    []byte // lines that are no entries, for the next entry to vouch for
	noneAt  int
	noneEnd bool // they may be what a crash has left at the trail's end
}

func (c *checker) line(text []byte) error {
	c.n++
	whole := bytes.HasSuffix(text, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\n"))
	have, err := parse(text)
	switch {
	case err != nil && hashed.Match(text):
		return &TamperedError{Line: c.n, Why: err.Error()}
	case err != nil && json.Valid(text):
		return &TamperedError{Line: c.n, Why: "it is a whole entry without a hash, which no crash leaves: it was added"}
	case err != nil && !begun(text):
		return &TamperedError{Line: c.n, Why: "it is no entry"}
	case err != nil && c.none == nil:
		c.none, c.noneAt, c.noneEnd = bytes.Clone(text), c.n, !whole
		return nil
	case err != nil:
		c.none, c.noneEnd = append(append(c.none, '\n'), text...), !whole
		return nil
	}
	return c.entry(have)
}

// entry takes an entry in that is whole itself.
func (c *checker) entry(have parsed) error {
	switch {
	case c.none != nil && have.Torn != digest(c.none):
		return &TamperedError{Line: c.noneAt, Why: "it is no entry, and the next one does not vouch for it"}
	case c.none == nil && have.Torn != "":
		return &TamperedError{Line: c.n, Why: "a line that was torn is missing before it"}
	case have.Prev != c.Head:
		return &TamperedError{Line: c.n, Why: "it does not follow the line before it: lines were removed, added or moved"}
	case have.Seq != c.Entries+1:
		return &TamperedError{Line: c.n, Why: fmt.Sprintf("it is entry %d, and %d comes here", have.Seq, c.Entries+1)}
	}
	if c.none != nil {
		c.Torn++
	}
	c.Entries, c.Head, c.none = have.Seq, have.hash, nil
	return nil
}

// end is called after the last line, which may be torn.
func (c *checker) end() error {
	if c.none == nil {
		return nil
	}
	if !c.noneEnd {
		return &TamperedError{Line: c.noneAt, Why: "it is no entry, and nothing after it says that it was torn"}
	}
	c.Torn++
	c.Open = true
	return nil
}
