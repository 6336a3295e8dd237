package plaintext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                         "plain",
		"two  spaces stay":              "two  spaces stay",
		"a\n::warning::b":               "a ::warning::b",
		"a \r\n\t b":                    "a b",
		"\x1b[31mred\x07":               `\x1b[31mred\x07`,
		"csi \u009b2J":                  `csi \x9b2J`,
		"line\u2028sep\u2029end":        `line\u2028sep\u2029end`,
		"\u202ebidi \u2066x\u2069":      `\u202ebidi \u2066x\u2069`,
		"zero\u200bwidth\ufeff\u3164":   `zero\u200bwidth\ufeff\u3164`,
		"tag\U000e0041":                 `tag\U000e0041`,
		"bad \xff utf-8":                `bad \xff utf-8`,
		"Zürich → 東京 🙂":                 "Zürich → 東京 🙂",
		"x ##[error]y ##vso[task]z":     `x \x23#[error]y \x23#vso[task]z`,
		"###[x] ##teamcity[b] # ## ##a": `#\x23#[x] \x23#teamcity[b] # ## ##a`,
	} {
		if have := Line(in); have != want {
			t.Errorf("Line(%q) = %q, want %q", in, have, want)
		}
	}
}

// isHarmless reports whether a line holds nothing that is obeyed.
func isHarmless(line string) bool {
	return utf8.ValidString(line) && strings.IndexFunc(line, unsafe) < 0 && disarm(line) == line
}

func TestLineProperties(t *testing.T) {
	err := quick.Check(func(s string, b []byte) bool {
		for _, in := range []string{s, string(b), s + "\n##[" + string(b)} {
			out := Line(in)
			if !isHarmless(out) || Line(out) != out {
				return false
			}
			var text bytes.Buffer
			if _, err := (&Writer{Stream: &text}).Write([]byte("x " + out + "\n")); err != nil || text.String() != "x "+out+"\n" {
				return false
			}
		}
		return true
	}, &quick.Config{MaxCount: 2000})
	if err != nil {
		t.Error(err)
	}
}

func TestSprintf(t *testing.T) {
	type name string
	have := Sprintf("a\n%s %v %d %v|%s %v", "b\nc", errors.New("d\ne"), 3, nil, name("f\x1bg"), errors.Join(errors.New("h"), errors.New("i")))
	if want := "a\nb c d; e 3 <nil>|f\\x1bg h; i"; have != want {
		t.Errorf("got %q, want %q", have, want)
	}
}

func TestErrorLines(t *testing.T) {
	one, two := errors.New("one\n::error::x"), errors.New("two")
	for _, c := range []struct {
		err  error
		want []string
	}{
		{one, []string{"one; ::error::x"}},
		{errors.Join(one, two), []string{"one; ::error::x", "two"}},
		{errors.Join(errors.Join(two, one)), []string{"two", "one; ::error::x"}},
		{fmt.Errorf("both: %w", errors.Join(two, two)), []string{"both: two; two"}},
		{fmt.Errorf("%w and %w", two, two), []string{"two and two"}},
	} {
		if have := ErrorLines(c.err); strings.Join(have, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q: got %q, want %q", c.err, have, c.want)
		}
	}
}

func TestJSONKeepsValues(t *testing.T) {
	err := quick.Check(func(values map[string]string) bool {
		values["x"] = "\u009b \u202e \U000e0041 ##[error] \u2028\x7f"
		text, err := json.MarshalIndent(values, "", "\t")
		if err != nil {
			return false
		}
		safe := JSON(text)
		var back map[string]string
		if err := json.Unmarshal(safe, &back); err != nil || len(back) != len(values) {
			return false
		}
		for k, v := range values {
			if back[strings.ToValidUTF8(k, "\ufffd")] != strings.ToValidUTF8(v, "\ufffd") {
				return true // two keys that differ by invalid bytes alone
			}
		}
		for line := range strings.Lines(string(safe)) {
			if !isHarmless(strings.Trim(line, "\t\n")) {
				return false
			}
		}
		return true
	}, nil)
	if err != nil {
		t.Error(err)
	}
}

func TestWriter(t *testing.T) {
	styled := func() bool { return true }
	for _, c := range []struct {
		styled func() bool
		in     []string
		want   string
	}{
		{nil, []string{"text\tand\n  ::error::x\n"}, "text\tand\n  \\x3a:error::x\n"},
		{nil, []string{"a ::error::x\n"}, "a ::error::x\n"},
		{nil, []string{"a\r\x1b[2K\x1b[31mb\n"}, `a\x0d\x1b[2K\x1b[31mb` + "\n"},
		{styled, []string{"\x1b[1;33mb\x1b[0m\x1b[2K\x1b[8mhidden\x1b[7m\x1b[38;5;1m\n"}, "\x1b[1;33mb\x1b[0m" + `\x1b[2K\x1b[8mhidden\x1b[7m\x1b[38;5;1m` + "\n"},
		{nil, []string{"z\xc3", "\xbcrich\n"}, "zürich\n"},
		{nil, []string{"x ##[error]y"}, `x \x23#[error]y`},
		{styled, []string{"\x1b[31m::error::x"}, "\x1b[31m\\x3a:error::x"},
	} {
		var out bytes.Buffer
		w := &Writer{Stream: &out, Styled: c.styled}
		for _, text := range c.in {
			if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
				t.Errorf("%q: %d, %v", text, n, err)
			}
		}
		if out.String() != c.want {
			t.Errorf("%q: got %q, want %q", c.in, out.String(), c.want)
		}
	}
}
