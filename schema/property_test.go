package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/schema"
)

// A wanted is what a random connection should load as.
type wanted struct {
	Organization, Bitbucket, User, Name, Link string
	RotateAfter                               time.Duration
	Bits                                      int
	Protect                                   bool
	Grants                                    []string
}

// draw makes up a connection and writes it down, in one of several ways.
func draw(t *rapid.T, i int) (wanted, string) {
	w := wanted{
		Organization: fmt.Sprintf("%s-%d", rapid.StringMatching(`[A-Za-z0-9_-]{1,20}`).Draw(t, "organization"), i),
		Bitbucket:    rapid.SampledFrom([]string{"corp", "lab"}).Draw(t, "bitbucket"),
		User:         rapid.StringMatching(`[a-z][a-z0-9.-]{0,12}`).Draw(t, "user"),
		Name:         rapid.StringMatching(`[ -~]{1,30}`).Draw(t, "name") + fmt.Sprint(i),
		RotateAfter:  time.Duration(rapid.IntRange(2, 1000).Draw(t, "days")) * 24 * time.Hour,
		Bits:         rapid.SampledFrom([]int{2048, 3072, 4096}).Draw(t, "bits"),
		Protect:      rapid.Bool().Draw(t, "protect"),
	}
	w.Link = "https://app.terraform.io/app/" + strings.ToLower(w.Organization)
	repos := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9][a-z0-9._-]{0,10}`), 0, 4, rapid.ID).Draw(t, "repositories")
	var listed []string
	for _, r := range repos {
		w.Grants = append(w.Grants, "INFRA/"+r)
		listed = append(listed, fmt.Sprintf("%q", spell(t, r)))
	}
	days := fmt.Sprintf("%dd", w.RotateAfter/(24*time.Hour))
	if rapid.Bool().Draw(t, "in hours") {
		days = w.RotateAfter.String()
	}
	return w, fmt.Sprintf(`
connection "c%d" {
terraform=terraform.hcp
  organization   =   %q
     bitbucket = bitbucket.%s
  service_user = %q
  name = %s
  protect = %v
  ssh_key {
  bits = "%d"
      rotate_after = %q
  }
  grant {
    project = %q
    repositories = [%s]
  }
}
`, i, w.Organization, w.Bitbucket, w.User, quote(w.Name), w.Protect, w.Bits, days, spell(t, "infra"), strings.Join(listed, ", "))
}

// spell writes a word in some case.
func spell(t *rapid.T, s string) string {
	if rapid.Bool().Draw(t, "upper case") {
		return strings.ToUpper(s)
	}
	return s
}

func quote(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(fmt.Sprintf("%q", s))
}

// TestPrintLoad writes random fleets down and loads them, and again formatted.
func TestPrintLoad(t *testing.T) {
	base, err := os.ReadFile("testdata/base.hcl")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		var want []wanted
		text := strings.Builder{}
		text.Write(base)
		for i := range rapid.IntRange(0, 6).Draw(rt, "connections") {
			w, block := draw(rt, i)
			want = append(want, w)
			text.WriteString(block)
		}
		if diff := cmp.Diff(want, loaded(rt, dir, []byte(text.String()))); diff != "" {
			rt.Fatalf("%s\n%s", diff, text.String())
		}
		formatted, diags := schema.Format([]byte(text.String()), "main.hcl")
		if diags.HasErrors() {
			rt.Fatal(diags)
		}
		if diff := cmp.Diff(want, loaded(rt, dir, formatted)); diff != "" {
			rt.Fatalf("formatted: %s\n%s", diff, formatted)
		}
	})
}

func loaded(t *rapid.T, dir string, src []byte) []wanted {
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), src, 0o600); err != nil {
		t.Fatal(err)
	}
	fleet, _, diags := schema.Load(dir, schema.Options{})
	if fleet == nil {
		t.Fatalf("%v\n%s", diags, src)
	}
	var out []wanted
	for _, c := range fleet.Connections {
		w := wanted{
			Organization: c.Organization, Bitbucket: c.Bitbucket.Label, User: c.ServiceUser, Name: c.Name, Link: c.Link.URL,
			RotateAfter: c.SSHKey.RotateAfter, Bits: c.SSHKey.Bits, Protect: c.Protect,
		}
		for _, g := range c.Grants {
			w.Grants = append(w.Grants, g.Project+"/"+g.Repository)
		}
		out = append(out, w)
	}
	return out
}
