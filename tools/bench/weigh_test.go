package main

import "testing"

func TestCodeAndItsPackage(t *testing.T) {
	for _, c := range []struct {
		line, want string
		size       int64
	}{
		{"  4f2a00       2048 T github.com/hashicorp/hcl/v2/hclsyntax.(*parser).ParseBody", "github.com/hashicorp/hcl/v2/hclsyntax", 2048},
		{"  4f2a00         16 t main.main.func1", "main", 16},
		{"  4f2a00         64 T net/http.(*Client).Do", "net/http", 64},
		{"  4f2a00         64 T slices.SortFunc[go.shape.[]github.com/bbsync/bbsync/internal/plan.Step]", "slices", 64},
		{"  4f2a00         64 T gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.v3", 64},
		{"  4f2a00         64 T type:.eq.github.com/hashicorp/go-tfe.Run", "github.com/hashicorp/go-tfe", 64},
		{"  4f2a00   33554432 D crypto/internal/fips140/drbg.memory", "", 0},
		{"  4f2a00      11000 T runtime.text", "", 0},
		{"                   U malloc", "", 0},
	} {
		name, size := codeOf(c.line)
		if size != c.size || size > 0 && packageOf(name) != c.want {
			t.Errorf("%s: %d bytes of %q", c.line, size, packageOf(name))
		}
	}
}
