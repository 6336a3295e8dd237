package cli

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// full is a disk that is.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestLostResult has a full disk behind standard output: who reads half a schema
// later must have been told.
func TestLostResult(t *testing.T) {
	dir, fleet := t.TempDir(), filepath.Join("testdata", "fleet")
	for args, want := range map[string]int{
		"schema plan":                         exitFailure,
		"schema":                              exitFailure,
		"version --json":                      exitFailure,
		"validate -C " + fleet:                exitFailure,
		"graph -C " + fleet:                   exitFailure,
		"apply --help":                        exitFailure,
		"plan --json -C " + dir:               exitConfig,
		"fmt --check -C " + fleet:             exitFailure,
		"audit verfy":                         exitUsage,
		"report --html x.html --runs no-such": exitUsage,
	} {
		var problems bytes.Buffer
		code := run(strings.Fields(args), strings.NewReader(""), full{}, &problems)
		told := strings.Contains(problems.String(), "printing the result: no space left on device")
		if code != want || told != (want != exitUsage) {
			t.Errorf("bbsync %s: exit code %d, want %d: %s", args, code, want, problems.String())
		}
	}
}

// TestLostStream has a full disk behind the stream of an apply that ends with a code
// of its own: the code stays, and that the stream was cut is said.
func TestLostStream(t *testing.T) {
	for code, want := range map[int]int{exitDone: exitFailure, exitWaiting: exitWaiting} {
		lost := &applyOutput{progress: &progress{}, failed: errors.New("no space left on device")}
		err := lost.end(exit(code))
		if told(err) || exitCode(err) != want || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("code %d: have %v, code %d", code, err, exitCode(err))
		}
	}
}
