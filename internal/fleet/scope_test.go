package fleet_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/shard"
	"github.com/bbsync/bbsync/schema"
)

func configuration() *schema.Fleet {
	terraform := &schema.Terraform{Label: "hcp"}
	out := &schema.Fleet{Name: "main", Terraforms: []*schema.Terraform{terraform}}
	for _, c := range []schema.Connection{
		{Address: `connection.team["acme"]`, Block: "team", Organization: "acme"},
		{Address: "connection.single", Block: "single", Organization: "single"},
		{Address: `connection.team["initech"]`, Block: "team", Organization: "initech"},
	} {
		c.Terraform = terraform
		out.Connections = append(out.Connections, &c)
	}
	return out
}

func addresses(connections []*schema.Connection) string {
	var out []string
	for _, c := range connections {
		out = append(out, c.Organization)
	}
	return strings.Join(out, " ")
}

// TestScope holds which connections a scope is about, and which scopes are wrong.
func TestScope(t *testing.T) {
	one := shard.Shard{Index: 0, Of: 1}
	for name, c := range map[string]struct {
		scope fleet.Scope
		want  string // organizations
		err   string
	}{
		"all":                    {want: "acme single initech"},
		"one of a block":         {scope: fleet.Scope{Targets: []string{`connection.team["acme"]`}}, want: "acme"},
		"a block":                {scope: fleet.Scope{Targets: []string{"connection.team"}}, want: "acme initech"},
		"a block and one of it":  {scope: fleet.Scope{Targets: []string{"connection.team", `connection.team["acme"]`}}, want: "acme initech"},
		"in the files' order":    {scope: fleet.Scope{Targets: []string{`connection.team["initech"]`, "connection.single"}}, want: "single initech"},
		"the only shard":         {scope: fleet.Scope{Shard: one}, want: "acme single initech"},
		"destroy plans no other": {scope: fleet.Scope{Removal: fleet.Removal{Destroy: true}}},
		"no such connection":     {scope: fleet.Scope{Targets: []string{"connection.taem"}}, err: "no connection has the address connection.taem; bbsync validate lists"},
		"an organization":        {scope: fleet.Scope{Targets: []string{"ACME"}}, err: `did you mean 'connection.team["acme"]'?`},
		"quotes are lost":        {scope: fleet.Scope{Targets: []string{"connection.team[acme]"}}, err: `did you mean 'connection.team["acme"]'?`},
		"a prefix of a block":    {scope: fleet.Scope{Targets: []string{"connection.te"}}, err: "no connection has"},
		"nothing to adopt":       {scope: fleet.Scope{Adopt: []string{"connection.taem"}}, err: "--adopt: no connection has the address"},
		"prune and targets":      {scope: fleet.Scope{Targets: []string{"connection.team"}, Removal: fleet.Removal{Prune: true}}, err: "cannot be used with --target"},
		"prune and a shard":      {scope: fleet.Scope{Shard: one, Removal: fleet.Removal{Prune: true}}, err: "cannot be used on a shard"},
	} {
		t.Run(name, func(t *testing.T) {
			run, err := fleet.New(configuration(), c.scope, fleet.Env{})
			if refused, ok := errors.AsType[*fleet.Error](err); c.err != "" {
				if !ok || refused.Kind != fleet.Usage || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("have %v, want a usage error with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if have := addresses(run.Connections); have != c.want {
				t.Errorf("have %s, want %s", have, c.want)
			}
		})
	}
}

// TestShardsDivideTheTargets: each of the targets is in one shard, and nothing else
// is in any.
func TestShardsDivideTheTargets(t *testing.T) {
	var have []string
	for index := range 3 {
		scope := fleet.Scope{Targets: []string{"connection.team"}, Shard: shard.Shard{Index: index, Of: 3}}
		run, err := fleet.New(configuration(), scope, fleet.Env{})
		if err != nil {
			t.Fatal(err)
		}
		if addresses(run.Targeted) != "acme initech" {
			t.Errorf("shard %d: targeted %s", index, addresses(run.Targeted))
		}
		have = append(have, strings.Fields(addresses(run.Connections))...)
	}
	slices.Sort(have)
	if want := []string{"acme", "initech"}; !slices.Equal(have, want) {
		t.Errorf("have %v, want %v", have, want)
	}
}
