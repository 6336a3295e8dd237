package names_test

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNamesAreComparedHere looks through the product for fields that hold a name,
// and are compared or used as a map key other than by this package.
func TestNamesAreComparedHere(t *testing.T) {
	allowed := maps.Clone(allowedComparisons)
	for file, source := range product(t) {
		for _, found := range comparisons(t, source) {
			at := file + ": " + found
			if allowedComparisons[at] == "" {
				t.Errorf("%s: compare it with package names, or say in allowedComparisons why not", at)
			}
			delete(allowed, at)
		}
	}
	for at := range allowed {
		t.Errorf("%s is allowed, and is nowhere", at)
	}
}

// TestComparisonsAreFound holds that the search finds what it must.
func TestComparisonsAreFound(t *testing.T) {
	const source = `package x
func f() {
	_ = a.Organization == b.Organization
	_ = a.Organization != "acme"
	_ = a.Terraform.Address == address
	_ = about.Bitbucket != url
	_ = seen[c.ServiceUser]
	_ = seen[key{c.Label, c.Organization}]
	_ = slices.Contains(all, c.Repository)
	_ = slices.Index(all, c.Project)
	_ = strings.EqualFold(a.Username, b)
	_ = strings.ToLower(a.URL) == b
	switch a.User {
	}
	seen[c.LinkURL] = true
	_ = a.Organization == "" && a.User != nil && c.Address == d.Address && names.SameUser(a.User, b.User) && seen[names.UserKey(a.User)]
}`
	if found := comparisons(t, []byte(source)); len(found) != 12 {
		t.Errorf("%d found: %s", len(found), strings.Join(found, "\n"))
	}
}

// allowedComparisons are those that are right, with the reason.
var allowedComparisons = map[string]string{
	"internal/plan/connection.go: have.Link.URL == want.Link.URL":     "asks for another spelling of one URL",
	"internal/plan/renamed.go: c.Organization != g.want.Organization": "asks for another spelling of one name",
	"internal/live/bitbucket.go: index.byURL[l.URL]":                  "Bitbucket takes two spellings for two links; byKey is the index without them",
	"internal/adopt/write.go: m.Link.URL":                             "asks whether the default has this very spelling",
	"internal/adopt/found.go: u.DisplayName == token.User":            "a display name is no username",
	"internal/adopt/match.go: unknown[m.User]":                        "a pointer",
	"internal/doctor/connection.go: answer[tfe.Organization]":         "a type",
}

// nameFields are the fields that hold names.
var nameFields = []string{
	"Organization", "ServiceUser", "User", "UserName", "Username", "TokenUser", "Project", "Repository",
	"URL", "LinkURL", "BitbucketURL", "TerraformURL", "HTTPURL", "APIURL", "RPCURL", "DisplayURL",
}

// product returns the sources of what is shipped. The sandbox has rules of its
// own, as the systems that it stands for.
func product(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	root := "../.."
	for _, folder := range []string{"cmd", "internal", "schema"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			name, _ := filepath.Rel(root, path)
			switch {
			case err != nil:
				return err
			case d.IsDir() && (name == "sandbox" || name == "internal/names" || name == "internal/bench" || d.Name() == "testdata"):
				return filepath.SkipDir
			case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(name, "_templ.go"):
				out[name] = read(t, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 100 {
		t.Fatalf("only %d files were found", len(out))
	}
	return out
}

// comparisons returns the expressions of a file that compare a name.
func comparisons(t *testing.T, source []byte) []string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		if compares(n) {
			if s, ok := n.(*ast.SwitchStmt); ok {
				n = s.Tag
			}
			var text bytes.Buffer
			if err := format.Node(&text, files, n); err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(out, text.String()) {
				out = append(out, text.String())
			}
		}
		return true
	})
	return out
}

func compares(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		return (n.Op == token.EQL || n.Op == token.NEQ) && !isNothing(n.X) && !isNothing(n.Y) && (isName(n.X) || isName(n.Y))
	case *ast.IndexExpr:
		return isName(n.Index)
	case *ast.SwitchStmt:
		return n.Tag != nil && isName(n.Tag)
	case *ast.CallExpr:
		called, ok := n.Fun.(*ast.SelectorExpr)
		return ok && slices.Contains([]string{"Contains", "Index", "EqualFold"}, called.Sel.Name) && slices.ContainsFunc(n.Args, isName)
	}
	return false
}

// isName reports whether an expression is a field that holds a name, one in another
// case, or a key that is made of one.
func isName(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return slices.Contains(nameFields, e.Sel.Name) || isAddress(e)
	case *ast.CompositeLit:
		return slices.ContainsFunc(e.Elts, func(e ast.Expr) bool {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				e = kv.Value
			}
			return isName(e)
		})
	case *ast.CallExpr:
		called, ok := e.Fun.(*ast.SelectorExpr)
		return ok && slices.Contains([]string{"ToLower", "ToUpper"}, called.Sel.Name) && slices.ContainsFunc(e.Args, isName)
	}
	return false
}

// isAddress recognizes fields that hold a server's URL by what they are fields of.
func isAddress(e *ast.SelectorExpr) bool {
	var of string
	switch x := e.X.(type) {
	case *ast.SelectorExpr:
		of = x.Sel.Name
	case *ast.Ident:
		of = x.Name
	}
	return of == "Terraform" && e.Sel.Name == "Address" || strings.EqualFold(of, "about") && (e.Sel.Name == "Terraform" || e.Sel.Name == "Bitbucket")
}

// isNothing reports whether an expression is "" or nil.
func isNothing(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value == `""`
	case *ast.Ident:
		return e.Name == "nil"
	}
	return false
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return source
}
