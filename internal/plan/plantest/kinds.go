package plantest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// ConnectionKinds returns the kinds of the steps of a connection.
func ConnectionKinds(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../plan/step_*.go")
	if err != nil {
		t.Fatal(err)
	}
	return kinds(t, slices.DeleteFunc(files, func(f string) bool { return f == shared })...)
}

// SharedKinds returns the kinds of the steps of a Bitbucket.
func SharedKinds(t *testing.T) []string {
	t.Helper()
	return kinds(t, shared)
}

const shared = "../plan/step_shared.go"

func kinds(t *testing.T, files ...string) []string {
	t.Helper()
	var out []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\) Type\(\) StepType +\{ return StepType\{"([^"]*)"`).FindAllStringSubmatch(string(source), -1) {
			out = append(out, m[1])
		}
	}
	return out
}
