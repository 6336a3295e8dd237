package planview

import (
	"fmt"
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/reporttest"
)

func TestShape(t *testing.T) {
	type pair struct {
		name string
		a, b plan.Connection
		want bool
	}
	own := reporttest.Connection("b")
	own.Bitbucket = "old"
	for _, x := range []pair{
		{"names of organizations", reporttest.Fresh("a"), reporttest.Fresh("terraform"), true},
		{"other values, marked", reporttest.Renamed("a", "X"), reporttest.Renamed("b", "Y"), true},
		{"request ids in errors", reporttest.Unreadable("a", "terraform: a: 500 (request 0f8fad5b-d9cb-469f-a165-70867728950e)"), reporttest.Unreadable("b", "terraform: b: 500 (request 7c9e6679-7425-40de-944b-e07fc1f90ae7)"), true},
		{"different errors", reporttest.Unreadable("a", "terraform: 401 Unauthorized"), reporttest.Unreadable("b", "vault: permission denied"), false},
		{"different steps", reporttest.Fresh("a"), reporttest.Waiting("b"), false},
		{"different bitbuckets", reporttest.Connection("a"), own, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			g := NewGrouper()
			if got := g.shape(x.a) == g.shape(x.b); got != x.want {
				t.Errorf("alike: %t\n%s\n%s", got, g.shape(x.a), g.shape(x.b))
			}
		})
	}
}

func TestAddressList(t *testing.T) {
	many := make([]string, 20)
	for i := range many {
		many[i] = fmt.Sprintf("connection.t[%q]", fmt.Sprint(i))
	}
	for _, x := range []struct {
		names []string
		want  string
	}{
		{[]string{"connection.a", "connection.b"}, "connection.a, connection.b"},
		{[]string{`connection.a["x"]`, `connection.a["y"]`, "connection.b"}, `connection.a["x"], ["y"], connection.b`},
		{many, `connection.t["0"], ["1"], ["2"], ["3"], ["4"], ["5"], ... ["19"] (--verbose shows all)`},
		{many[:7], `connection.t["0"], ["1"], ["2"], ["3"], ["4"], ["5"], ["6"]`},
	} {
		if got := AddressList(x.names); got != x.want {
			t.Errorf("got  %s\nwant %s", got, x.want)
		}
	}
}
