package schema

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"
)

// allTexts are all files that the tests and examples have.
func allTexts(tb testing.TB) [][]byte {
	tb.Helper()
	var out [][]byte
	for _, folder := range []string{"testdata", "../examples"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			src, err := os.ReadFile(path)
			switch filepath.Ext(path) {
			case ".hcl":
				out = append(out, src)
			case ".txtar":
				for _, f := range txtar.Parse(src).Files {
					out = append(out, f.Data)
				}
			}
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

// awkward are texts with a line that is a closing brace and ends no block of the
// file.
var awkward = []string{
	"a {\n  x = <<EOT\n}\nb {\n}\nEOT\n}\nc {\n}\n",
	"a {\n  x = <<-EOT\n}\nEOT\n}\n",
	"/*\n}\n*/\na {\n}\n",
	"a {\n  x = { y = [\n{\n}\n, 1] }\n}\nb {\n}\n",
	"a {\n  x = \"${{\n}\n}\"\n}\n",
	"a {\nb {\n}\nc {\n}\n}\nd {\n}\n",
	"a {\n}\nx = 1\nb {\n}\nx = 2\n",
	"a {\n}\n\uFEFFb {\n}\n",
	"\uFEFFa {\n}\nb {\n}\n",
	"a {\r\n}\r\nb {\r\n  x = 1\r\n}\r\n",
	"a {\n}\n}\nb {\n}\n",
	"a {\n}\nb {\n",
	"a {\n}\n\u0301b {\n}\n",
	"a {\n}\n# }\n}\n//\n}",
	"a {\n}\n}",
	"}\n}\n",
}

// TestParseInPieces holds parse to its word, wherever the text is cut.
func TestParseInPieces(t *testing.T) {
	texts := allTexts(t)
	for _, text := range awkward {
		texts = append(texts, []byte(text))
	}
	cut := 0
	for _, src := range texts {
		for _, size := range []int{1, 60, 300} {
			samePieces(t, src, size)
			if parsePieces(pieces(src, size), "main.hcl") != nil {
				cut++
			}
		}
	}
	if cut < 50 {
		t.Errorf("%d texts were parsed in pieces: what was compared was HCL with itself", cut)
	}
}

// FuzzParse holds parse to its word, whatever the text.
func FuzzParse(f *testing.F) {
	for _, text := range awkward {
		f.Add([]byte(text), 1)
	}
	for _, src := range allTexts(f) {
		f.Add(src, 100)
	}
	f.Fuzz(samePieces)
}

// samePieces parses the text in pieces and as a whole, and compares.
func samePieces(t *testing.T, src []byte, size int) {
	t.Helper()
	have, haveDiags := parse(src, "main.hcl", max(1, size))
	want, wantDiags := hclsyntax.ParseConfig(src, "main.hcl", hcl.InitialPos)
	if diff := cmp.Diff(said(wantDiags), said(haveDiags)); diff != "" {
		t.Errorf("%q\nin pieces of %d: diagnostics (-want +have):\n%s", src, size, diff)
	}
	if !reflect.DeepEqual(want.Body, have.Body) || !reflect.DeepEqual(want.Nav, have.Nav) || string(want.Bytes) != string(have.Bytes) {
		t.Errorf("%q\nin pieces of %d: another file\nwant %s\nhave %s", src, size, outline(want), outline(have))
	}
}

func said(diags hcl.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		out = append(out, d.Error(), fmt.Sprint(d.Subject), fmt.Sprint(d.Context))
	}
	return out
}

func outline(f *hcl.File) string {
	body, ok := f.Body.(*hclsyntax.Body)
	if !ok {
		return "no body"
	}
	var b strings.Builder
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		fmt.Fprintf(&b, " %T %s\n", n, n.Range())
		return nil
	})
	return fmt.Sprintf("%s %s\n%s", body.SrcRange, body.EndRange, b.String())
}
