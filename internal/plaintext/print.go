package plaintext

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Sprintf is fmt.Sprintf with every string, error and Stringer among the
// arguments as one harmless line. Line breaks and colours of the format stay: the
// format is the caller's own.
func Sprintf(format string, args ...any) string {
	lines := make([]any, len(args))
	for i, arg := range args {
		lines[i] = line(arg)
	}
	return fmt.Sprintf(format, lines...)
}

// Fprintf writes what Sprintf returns, in one call.
func Fprintf(w io.Writer, format string, args ...any) {
	_, _ = io.WriteString(w, Sprintf(format, args...)) // a stream's owner keeps its errors
}

func line(arg any) any {
	switch x := arg.(type) {
	case nil:
		return nil
	case error:
		return strings.Join(ErrorLines(x), "; ")
	case fmt.Stringer:
		return Line(x.String())
	}
	if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
		return Line(v.String())
	}
	return arg
}

// ErrorLines returns an error as harmless lines: one for each of several errors
// that were joined, else one. A line break inside a message never ends a line.
func ErrorLines(err error) []string {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var texts, lines []string
		for _, one := range several.Unwrap() {
			texts = append(texts, one.Error())
			lines = append(lines, ErrorLines(one)...)
		}
		if strings.Join(texts, "\n") == err.Error() {
			return lines
		}
	}
	return []string{Line(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))}
}
