// Package laws_test holds what bbsync promises against the three systems: a
// real Vault and the sandbox's Terraform and Bitbucket. States are drawn at
// random, people edit behind bbsync's back, servers misbehave and processes are
// killed; the laws hold at the end and, where they say so, after every write.
//
//	go test -v ./internal/laws                       a first look
//	go test -v ./internal/laws -laws.times=20        more drawn cases
//	go test -v ./internal/laws -laws.every           crashes and races at every request
//	go test -v ./internal/laws -run NAME -rapid.seed=N
//
// Each law prints how many cases it ran and which faults it met.
package laws_test

import (
	"context"
	"flag"
	"io"
	"log"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/sandbox/person"
	"github.com/bbsync/bbsync/sandbox/terraformd"
	"github.com/bbsync/bbsync/schema"
)

var (
	times = flag.Int("laws.times", 1, "how many times the cases of a first look")
	every = flag.Bool("laws.every", false, "crash at every request, not once for each state that the systems are in, and lose every race in every way")
)

// Where the records are in Vault.
const (
	mount  = "secret"
	folder = "bbsync/"
)

// A bed is a world to try bbsync in, which can be put back to how it was.
type bed struct {
	t      *testing.T
	vault  *vaulttest.Server
	world  *sandbox.World
	fronts map[string]*front.Front // of the three systems: what bbsync talks to
	dir    string                  // of the configuration
	env    map[string]string
	fleet  *schema.Fleet
	paths  []string // of the records that the files, as they are or were, ask for

	mu      sync.Mutex
	watcher func(what string) // after each write to Terraform or Bitbucket
}

// A kind is how a bed is made.
type kind struct {
	orgs      int
	second    string // version of another Bitbucket beside the first; "": none
	terraform terraformd.Choices
	bitbucket bitbucketd.Options
}

func newBed(t *testing.T, k kind) *bed {
	t.Helper()
	b := &bed{t: t, vault: vaulttest.Start(t), dir: t.TempDir()}
	opts := sandbox.Options{
		Orgs: k.orgs, Bitbuckets: []string{"9.4.0"}, Bitbucket: k.bitbucket,
		Vault:     sandbox.ExternalVault{Address: b.vault.Address, Token: b.vault.RootToken},
		Terraform: terraformd.Options{Choices: k.terraform, OnWrite: b.written},
	}
	if k.second != "" {
		opts.Bitbuckets = append(opts.Bitbuckets, k.second)
	}
	var err error
	if b.world, err = sandbox.Start(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.world.Close(); err != nil {
			t.Error(err)
		}
	})
	b.fronts = map[string]*front.Front{
		"vault": b.vaultFront(), "terraform": b.world.Fronts["terraform"], "bitbucket": b.world.Fronts["bitbucket-9.4.0"],
	}
	if k.second != "" {
		b.fronts["second bitbucket"] = b.world.Fronts["bitbucket-"+k.second]
	}
	for _, server := range b.world.Bitbuckets {
		server.OnWrite(b.written)
	}
	b.configure(k.orgs)
	return b
}

// vaultFront is a door before the real Vault, where requests can go wrong.
func (b *bed) vaultFront() *front.Front {
	target, err := url.Parse(b.vault.Address)
	if err != nil {
		b.t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorLog: log.New(io.Discard, "", 0), // a client that is killed or gives up is no news here
	}
	f := front.New(proxy, front.Options{Name: "vault"})
	server := httptest.NewServer(f)
	b.t.Cleanup(server.Close)
	b.env = map[string]string{"VAULT_ADDR": server.URL, "VAULT_TOKEN": b.vault.RootToken, "HOME": b.t.TempDir()}
	return f
}

const files = `
variable "terraform" {}
variable "bitbucket" {}
variable "ca" {}
variable "orgs" { type = list(string) }
bbsync { fleet = "laws" }
vault { mount = "secret" }
terraform "hcp" {
  address = var.terraform
  ca_file = var.ca
  token { vault = "secret/platform/hcp#token" }
}
bitbucket "new" {
  url     = var.bitbucket
  ca_file = var.ca
  admin {
    username = "admin"
    password { vault = "secret/platform/bitbucket#admin" }
  }
}
connection "team" {
  for_each     = toset(var.orgs)
  terraform    = terraform.hcp
  organization = each.value
  bitbucket    = bitbucket.new
  service_user = "svc-terraform"
  name         = "Bitbucket"
  ssh_key { bits = 2048 }
  consumer { bits = 2048 }
  grant {
    project      = "INFRA"
    repositories = ["vpc", "dns"]
    permission   = "REPO_ADMIN"
  }
}
`

func (b *bed) configure(orgs int) {
	b.t.Helper()
	b.env["BBSYNC_VAR_terraform"] = b.world.Facts.Terraform.Address
	b.env["BBSYNC_VAR_bitbucket"] = b.world.Facts.Bitbuckets[0].URL
	if len(b.world.Facts.Bitbuckets) > 1 {
		b.env["BBSYNC_VAR_second"] = b.world.Facts.Bitbuckets[1].URL
	}
	b.env["BBSYNC_VAR_ca"] = b.world.Facts.CAFile
	b.describe(b.t, orgs, files)
}

// describe makes text the files, which ask for the first n organizations.
func (b *bed) describe(t rapid.TB, n int, text string) {
	t.Helper()
	b.must(t, os.WriteFile(filepath.Join(b.dir, "main.hcl"), []byte(text), 0o600))
	b.asksFor(n)
	b.fleet = b.load(t)
	for _, c := range b.fleet.Connections {
		if !slices.Contains(b.paths, c.Record) {
			b.paths = append(b.paths, c.Record)
		}
	}
}

// asksFor makes the files ask for the first n organizations.
func (b *bed) asksFor(n int) {
	names := make([]string, n)
	for i := range names {
		names[i] = `"` + sandbox.OrgName(i+1) + `"`
	}
	b.env["BBSYNC_VAR_orgs"] = "[" + strings.Join(names, ", ") + "]"
}

func (b *bed) load(t rapid.TB) *schema.Fleet {
	t.Helper()
	fleet, _, diags := schema.Load(b.dir, schema.Options{Env: schema.VarsFromEnv(b.environ())})
	if diags.HasErrors() {
		t.Fatalf("%v", diags)
	}
	return fleet
}

func (b *bed) environ() []string {
	var out []string
	for name, value := range b.env {
		out = append(out, name+"="+value)
	}
	return out
}

func (b *bed) written(what string) {
	b.mu.Lock()
	watch := b.watcher
	b.mu.Unlock()
	if watch != nil {
		watch(what)
	}
}

// watch has w called after each write to Terraform and Bitbucket; nil ends that.
func (b *bed) watch(w func(what string)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watcher = w
}

func (b *bed) clearFaults() {
	for _, f := range b.fronts {
		f.ClearFaults()
	}
}

// start opens the systems as a process would.
func (b *bed) start(ctx context.Context, scope fleet.Scope, now func() time.Time) (*fleet.Run, error) {
	env := systems.Env{Getenv: func(name string) string { return b.env[name] }, Home: b.env["HOME"], Dir: b.dir, UserAgent: "laws"}
	run, err := fleet.New(b.fleet, scope, fleet.Env{Systems: env, Now: now})
	if err != nil {
		return nil, err
	}
	return run, run.Open(ctx)
}

// applyRun plans and carries out, as bbsync apply does. lease is how long its leases
// last; 0: the default.
func applyRun(ctx context.Context, run *fleet.Run, lease time.Duration) (plan.Plan, apply.Result, error) {
	planned, err := run.Plan(ctx)
	if err != nil {
		return planned, apply.Result{}, err
	}
	return planned, run.Apply(ctx, fleet.Everything(planned), apply.Options{Holder: "laws", Lease: lease}), nil
}

// someone is a person without yesterday's cookies.
func (b *bed) someone(t rapid.TB) *person.Person {
	t.Helper()
	who, err := person.New(b.world.Facts)
	if err != nil {
		t.Fatal(err)
	}
	return who
}
