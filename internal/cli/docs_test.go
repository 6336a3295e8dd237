package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/exitcode"
)

// TestProcedureNamesTests insists that every test named in docs/procedure.md is
// there, and that every line of it names one.
func TestProcedureNamesTests(t *testing.T) {
	rows := 0
	for line := range strings.SplitSeq(read(t, "../../docs/procedure.md"), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.Contains(line, "---") || strings.HasPrefix(line, "| **") || strings.HasPrefix(line, "| the page says") {
			continue
		}
		rows++
		namesTests(t, cells[3])
	}
	if rows < 30 {
		t.Errorf("only %d rows were read", rows)
	}
}

// TestSecurityNamesTests insists on the same for docs/security.md: in its tables
// that end in a column of tests, no row claims what no test shows.
func TestSecurityNamesTests(t *testing.T) {
	rows, shown := 0, false
	for line := range strings.SplitSeq(read(t, "../../docs/security.md"), "\n") {
		cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
		switch {
		case len(cells) < 2:
			shown = false
		case strings.TrimSpace(cells[len(cells)-1]) == "shown by":
			shown = true
		case shown && !strings.Contains(line, "---"):
			rows++
			namesTests(t, cells[len(cells)-1])
		}
	}
	if rows < 25 {
		t.Errorf("only %d rows were read", rows)
	}
}

// namesTests insists that a cell names tests of Go or scripts, and that they are
// there.
func namesTests(t *testing.T, cell string) {
	t.Helper()
	tests := goTests(t)
	named := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1)
	if len(named) == 0 {
		t.Errorf("no test is named: %s", cell)
	}
	for _, n := range named {
		_, err := os.Stat(filepath.Join("testdata/script", n[1]))
		if script := strings.HasSuffix(n[1], ".txtar"); script && err != nil || !script && !tests[n[1]] {
			t.Errorf("there is no %s", n[1])
		}
	}
}

// TestDoctorNamesChecks insists that docs/doctor.md knows every check.
func TestDoctorNamesChecks(t *testing.T) {
	text := read(t, "../../docs/doctor.md")
	files, err := filepath.Glob("../../internal/doctor/*.go")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`(?:const name = |name: |[^a-z](?:ok|failed|warning|unknown|failure|doubt)\()"([a-z-]+)"`)
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range name.FindAllStringSubmatch(read(t, file), -1) {
			found++
			if !strings.Contains(text, "`"+m[1]+"`") {
				t.Errorf("docs/doctor.md does not know %s (%s)", m[1], filepath.Base(file))
			}
		}
	}
	if found < 35 {
		t.Errorf("only %d names were found", found)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// goTests returns the names of all tests of the module.
func goTests(t *testing.T) map[string]bool {
	t.Helper()
	found, test := map[string]bool{}, regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range test.FindAllStringSubmatch(read(t, path), -1) {
				found[m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestReadmeHasTheExitCodes insists that the table of exit codes in the README is
// the one of the help text.
func TestReadmeHasTheExitCodes(t *testing.T) {
	text := read(t, "../../README.md")
	for _, m := range exitcode.Meanings() {
		if row := regexp.MustCompile(fmt.Sprintf(`(?m)^\| %d \| %s`, m.Code, regexp.QuoteMeta(strings.SplitN(m.Text, " (", 2)[0]))); !row.MatchString(text) {
			t.Errorf("README.md has no row %q", row)
		}
	}
}

// TestArchitectureNamesPackages insists that docs/architecture.md has every package of
// the program, and none that is not there.
func TestArchitectureNamesPackages(t *testing.T) {
	page := read(t, "../../docs/architecture.md")
	forTests := regexp.MustCompile(`/(goaway|plantest|reporttest|schematest|vaulttest)$`)
	there := map[string]bool{"schema": true, "sandbox": true, "cmd/bbsync": true}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		there["internal"+strings.TrimPrefix(filepath.Dir(path), "..")] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range there {
		if !strings.Contains(page, "`"+name+"`") && !forTests.MatchString(name) {
			t.Errorf("docs/architecture.md does not have %s", name)
		}
	}
	for _, found := range regexp.MustCompile("`(internal/[a-z/]+)`").FindAllStringSubmatch(page, -1) {
		if _, err := os.Stat("../../" + found[1]); err != nil {
			t.Errorf("docs/architecture.md: %v", err)
		}
	}
}
