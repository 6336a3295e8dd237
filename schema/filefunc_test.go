package schema_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/schema"
)

// evaluate loads base.hcl beside one local with the expression and returns the
// diagnostics as one string.
func evaluate(t *testing.T, dir, expression string) string {
	t.Helper()
	base, err := os.ReadFile("testdata/base.hcl")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "base.hcl", base)
	write(t, dir, "value.hcl", []byte("locals {\n  value = "+expression+"\n}\n"))
	_, _, diags := schema.Load(dir, schema.Options{})
	return diags.Error()
}

// TestFileStaysInside: file and fileexists read below the configuration folder
// and nowhere else, however the path is written, and never what the kernel shows.
func TestFileStaysInside(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "conf")
	for name, text := range map[string]string{"conf/in.txt": "in", "conf/sub/deep.txt": "in", "out.txt": "out-of-the-folder"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(outer, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, outer, name, []byte(text))
	}
	for link, target := range map[string]string{
		"out": "../out.txt", "outdir": "..", "in": "in.txt", "chain": "out", "environ": "/proc/self/environ", "..data": "sub",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"in.txt", "./in.txt", "sub/../in.txt", "in", "..data/deep.txt", "${path.module}/in.txt", dir + "/in.txt"} {
		if have := evaluate(t, dir, `file("`+path+`") == "in" && fileexists("`+path+`") ? 1 : file("wrong")`); strings.Contains(have, "wrong") || strings.Contains(have, "folder") {
			t.Errorf("%s: %s", path, have)
		}
	}
	for _, path := range []string{
		"../out.txt", outer + "/out.txt", "out", "chain", "outdir/out.txt", "sub/../../out.txt", "../conf/../out.txt",
		"/proc/self/environ", "environ", "/etc/hostname", "/dev/stdin", "/sys/kernel/mm", "../../../../../../../../proc/self/environ",
	} {
		for _, name := range []string{"file", "fileexists"} {
			have := evaluate(t, dir, name+`("`+path+`")`)
			if !strings.Contains(have, "below the configuration folder") || !strings.Contains(have, "value.hcl:2") {
				t.Errorf("%s(%q): %s", name, path, have)
			}
			if strings.Contains(have, "out-of-the-folder") {
				t.Errorf("%s(%q) shows the file", name, path)
			}
		}
	}
}

// TestFunctionsAreBounded: a short text cannot make a value that ends the process.
func TestFunctionsAreBounded(t *testing.T) {
	dir := t.TempDir()
	laughs := "a0: &a0 [x, x]\n"
	for i := range 30 {
		laughs += strings.ReplaceAll(strings.ReplaceAll("aN: &aN [*aM, *aM]\n", "N", strconv.Itoa(i+1)), "M", strconv.Itoa(i))
	}
	write(t, dir, "laughs.yaml", []byte(laughs))
	write(t, dir, "shared.yaml", []byte("base: &base {site: x}\norgs: [{<<: *base, org: a}, {<<: *base, org: b}]\n"))
	write(t, dir, "deep.json", []byte(strings.Repeat("[", 400_000)))
	write(t, dir, "dashes.yaml", []byte(strings.Repeat("- ", 400_000)))
	for expression, want := range map[string]string{
		`yamldecode(file("laughs.yaml"))`:                   "its aliases expand to more than",
		`jsondecode(file("deep.json"))`:                     "nested more than",
		`yamldecode(file("deep.json"))`:                     "nested more than",
		`yamldecode(file("dashes.yaml"))`:                   "nested more than",
		`format("%2000000000s", "x")`:                       "wider than",
		`formatlist("%.2000000000f", [1])`:                  "wider than",
		`setproduct(range(1000), range(1000), range(1000))`: "more than 2000000 elements",
	} {
		if have := evaluate(t, dir, expression); !strings.Contains(have, want) || !strings.Contains(have, "value.hcl:2") {
			t.Errorf("%s: %.300s", expression, have)
		}
	}
	for _, fine := range []string{`yamldecode(file("shared.yaml")).orgs[1].site`, `format("%-10s|%03d 100%%", "x", 5)`, `setproduct(["a"], ["b"], [])`} {
		if have := evaluate(t, dir, fine); strings.Contains(have, "value.hcl") && !strings.Contains(have, "value.hcl:2,1") {
			t.Errorf("%s: %s", fine, have)
		}
	}
}
