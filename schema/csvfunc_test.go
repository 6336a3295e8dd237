package schema_test

import (
	"os"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/schema"
)

// loadTable loads base.hcl beside a connection for each row of a table.
func loadTable(t *testing.T, table string) (organizations, shown string) {
	t.Helper()
	dir := t.TempDir()
	base, err := os.ReadFile("testdata/base.hcl")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "base.hcl", base)
	write(t, dir, "orgs.csv", []byte(table))
	write(t, dir, "fleet.hcl", []byte(`connection "rows" {
  for_each     = csvdecode(file("orgs.csv"))
  organization = each.value.org
  terraform    = terraform.hcp
  bitbucket    = bitbucket.corp
  service_user = "svc"
  grant {
    project = "INFRA"
  }
}
`))
	fleet, _, diags := schema.Load(dir, schema.Options{})
	if fleet == nil {
		return "", diags.Error()
	}
	var names []string
	for _, c := range fleet.Connections {
		if c.Block == "rows" {
			names = append(names, c.Organization)
		}
	}
	return strings.Join(names, " "), diags.Error()
}

// A table is read as spreadsheets write it, and what would silently be no table
// is an error or a warning with its place.
func TestTables(t *testing.T) {
	for name, c := range map[string]struct{ table, want, shown string }{
		"line feeds":            {"org,site\nacme-01,a\nacme-02,b\n", "acme-01 acme-02", ""},
		"carriage returns":      {"org,site\racme-01,a\racme-02,b\r", "acme-01 acme-02", ""},
		"both":                  {"org,site\r\nacme-01,a\r\nacme-02,b", "acme-01 acme-02", ""},
		"mixed":                 {"org\racme-01\nacme-02\r\nacme-03", "acme-01 acme-02 acme-03", ""},
		"a mark at the start":   {"\ufefforg\racme-01\r", "acme-01", ""},
		"empty rows at the end": {"org,site\nacme-01,a\n,\n , \n\n", "acme-01", ""},
		"a header alone":        {"org,site\n", "", "fleet.hcl:2,3-45: for_each has no elements"},
		"a header, empty rows":  {"org,site\r,\r,\r", "", "fleet.hcl:2,3-45: for_each has no elements"},
		"nothing":               {"", "", "missing header line"},
		"semicolons":            {"org;site\nacme-01;a\n", "", "separated by semicolons: save the table as comma-separated values"},
		"tabs":                  {"org\tsite\nacme-01\ta\n", "", "separated by tabs"},
		"a line for Excel":      {"sep=;\norg;site\nacme-01;a\n", "", `the table begins with "sep=;"`},
	} {
		have, shown := loadTable(t, c.table)
		if c.shown == "" && shown != "no diagnostics" || !strings.Contains(shown, c.shown) || have != c.want {
			t.Errorf("%s: organizations %q, want %q; shown: %s", name, have, c.want, shown)
		}
	}
}
