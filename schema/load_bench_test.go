package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/schema"
)

// fleetOf writes a configuration of n connections, one for_each over a CSV with
// two Bitbuckets, grants and rotation, and returns its folder.
func fleetOf(tb testing.TB, n int) string {
	tb.Helper()
	base, err := os.ReadFile("testdata/base.hcl")
	if err != nil {
		tb.Fatal(err)
	}
	var csv strings.Builder
	csv.WriteString("org,site,project,repos,rotate\n")
	for i := range n {
		fmt.Fprintf(&csv, "acme-%05d,%s,TEAM_%d,vpc dns apps,%dd\n", i, []string{"corp", "lab"}[i%2], i, 30+i%60)
	}
	dir := tb.TempDir()
	for name, text := range map[string]string{"base.hcl": string(base), "orgs.csv": csv.String(), "main.hcl": `
connection "team" {
  for_each     = csvdecode(file("orgs.csv"))
  terraform    = terraform.hcp
  organization = each.value.org
  bitbucket    = bitbucket[each.value.site]
  service_user = "svc-terraform"
  name         = "Bitbucket (${each.value.site})"
  ssh_key {
    rotate_after = each.value.rotate
    overlap      = "24h"
  }
  application_link {
    name = "Terraform (${each.value.org})"
  }
  grant {
    project      = each.value.project
    repositories = split(" ", each.value.repos)
  }
  maintenance {
    schedule  = "0 2 * * SAT"
    duration  = "4h"
    time_zone = "Europe/Berlin"
  }
}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// BenchmarkLoad shows that time per connection does not grow with the fleet.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := fleetOf(b, n)
			b.ReportAllocs()
			for b.Loop() {
				fleet, _, diags := schema.Load(dir, schema.Options{})
				if diags.HasErrors() || len(fleet.Connections) != n {
					b.Fatal(diags)
				}
			}
			perSecond := float64(n) * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(perSecond, "connections/s")
		})
	}
}

// BenchmarkLoadBlocks is the same with a block for each connection.
func BenchmarkLoadBlocks(b *testing.B) {
	base, err := os.ReadFile("testdata/base.hcl")
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := strings.Builder{}
			text.Write(base)
			for i := range n {
				fmt.Fprintf(&text, `
connection "team_%05d" {
  terraform    = terraform.hcp
  organization = "acme-%05d"
  bitbucket    = bitbucket.corp
  service_user = "svc-terraform"
  ssh_key {
    rotate_after = "90d"
  }
  grant {
    project      = "INFRA"
    repositories = ["vpc", "dns"]
  }
}
`, i, i)
			}
			dir := b.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text.String()), 0o600); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				fleet, _, diags := schema.Load(dir, schema.Options{})
				if diags.HasErrors() || len(fleet.Connections) != n {
					b.Fatal(diags)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "connections/s")
		})
	}
}
