package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

// loginRow is a version of Bitbucket and a way to log in to it.
type loginRow struct {
	version string
	login   string // as the table says it
	opts    func(*sandbox.Options)
	admin   string // of the block admin
	oauth   bool   // bbsync login goes before
	doctor  string // what doctor says of the login
}

const (
	byPassword = `password { vault = "secret/platform/bitbucket#admin" }`
	byCode     = byPassword + "\n    totp { vault = \"secret/platform/bitbucket#totp\" }"
)

func loginRows() []loginRow {
	basic := func(version string) loginRow {
		return loginRow{version: version, login: "Basic authentication", admin: byPassword, doctor: "Basic authentication"}
	}
	session := func(version, login string) loginRow {
		off := func(o *sandbox.Options) { o.Bitbucket.Basic = bitbucketd.Off }
		return loginRow{version: version, login: login, opts: off, admin: byPassword, doctor: "a session"}
	}
	code := func(version string) loginRow {
		both := func(o *sandbox.Options) { // without WebSudo and with codes that count again, or each command would wait for new codes
			o.Bitbucket.Basic, o.SecondFactor, o.Bitbucket.CodesCountAgain, o.Bitbucket.WebSudo = bitbucketd.Off, true, true, bitbucketd.Off
		}
		return loginRow{version: version, login: "session, two-step verification, WebSudo off", opts: both, admin: byCode, doctor: "a session"}
	}
	oauth := func(version string) loginRow {
		return loginRow{version: version, login: "OAuth 1.0a", admin: byPassword, oauth: true, doctor: "OAuth 1.0a"}
	}
	return []loginRow{
		basic("4.9.1"), basic("5.3.0"), basic("7.21.0"), session("7.21.0", "session of the login form"), basic("8.19.0"), oauth("8.19.0"),
		basic("9.4.0"), session("9.4.0", "session"), code("9.4.0"),
		session("10.2.0", "session"), oauth("10.2.0"), session("10.4.2", "session"), code("10.4.2"), oauth("10.4.2"),
	}
}

// TestVersionsAndLogins connects an organization on each version of Bitbucket by each
// login, from nothing to a clone, and prints what the login cost: the requests of one
// steady plan that a plan by Basic authentication does not send.
func TestVersionsAndLogins(t *testing.T) {
	rows := loginRows()
	costs := make([]string, len(rows))
	t.Run("rows", func(t *testing.T) {
		for i, row := range rows {
			t.Run(strings.ReplaceAll(row.version+" "+row.login, " ", "-"), func(t *testing.T) {
				t.Parallel()
				costs[i] = row.connect(t)
			})
		}
	})
	var table bytes.Buffer
	out := tabwriter.NewWriter(&table, 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "Bitbucket\tlogin\trequests of the login in a plan")
	for i, row := range rows {
		fmt.Fprintf(out, "%s\t%s\t%s\n", row.version, row.login, costs[i])
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
}

// heard is the access log of a sandbox.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (h *heard) Write(data []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(data)
}

// logins lists the requests to Bitbucket that belong to a login, by what they were for,
// since the last call.
func (h *heard) logins() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []string
	for line := range strings.Lines(h.text.String()) {
		f := strings.Fields(line) // time, server, method, path, status, duration
		if len(f) != 6 || !strings.HasPrefix(f[1], "bitbucket") {
			continue
		}
		path, _, _ := strings.Cut(f[3], "?")
		of := []string{"/rest/tsv/", "/login", "/j_atl_", "/websudo", "/rest/authconfig/", "/logout"}
		if slices.ContainsFunc(of, func(p string) bool { return strings.Contains(path, p) }) || f[4] == "401" || f[4] == "403" {
			found = append(found, f[2]+" "+path+" "+f[4])
		}
	}
	h.text.Reset()
	if len(found) == 0 {
		return "0"
	}
	return fmt.Sprintf("%d: %s", len(found), strings.Join(found, ", "))
}

func (row loginRow) connect(t *testing.T) (cost string) {
	log := &heard{}
	vault := vaulttest.Start(t)
	opts := sandbox.Options{Orgs: 1, Bitbuckets: []string{row.version}, Log: log}
	opts.Vault = sandbox.ExternalVault{Address: vault.Address, Token: vault.RootToken}
	if row.opts != nil {
		row.opts(&opts)
	}
	world, err := sandbox.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	folder := t.TempDir()
	run := func(code int, args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "bbsync", args...)
		command.Dir, command.Env = folder, append(append(os.Environ(), world.Facts.Environment()...), "NO_COLOR=1")
		output, err := command.CombinedOutput()
		if command.ProcessState == nil || command.ProcessState.ExitCode() != code {
			t.Fatalf("bbsync %s: %v, want exit code %d\n%s", strings.Join(args, " "), err, code, output)
		}
		return string(output)
	}
	row.configure(t, folder, row.admin)
	if row.oauth {
		row.allow(t, folder, world)
		row.configure(t, folder, "oauth = true")
	}
	run(4, "apply", "--auto-approve")
	run(0, "sandbox", "approve")
	run(0, "apply", "--auto-approve")
	if report := run(0, "doctor", "--prove"); !strings.Contains(report, row.doctor) || !strings.Contains(report, "clone") {
		t.Errorf("doctor: %s", report)
	}
	log.logins()
	run(0, "plan")
	return log.logins()
}

// configure writes the fleet's one file.
func (row loginRow) configure(t *testing.T, folder, admin string) {
	t.Helper()
	text := `
variable "terraform_address" {}
variable "bitbucket_url" {}
variable "ca_file" {}
bbsync { fleet = "test" }
terraform "hcp" {
  address = var.terraform_address
  ca_file = var.ca_file
  token { vault = "secret/platform/hcp#token" }
}
bitbucket "b" {
  url     = var.bitbucket_url
  ca_file = var.ca_file
  admin {
    username = "admin"
    ` + admin + `
  }
}
connection "team" {
  for_each     = toset(["acme-01"])
  terraform    = terraform.hcp
  organization = each.value
  bitbucket    = bitbucket.b
  service_user = "svc-terraform"
  grant { repositories = ["INFRA/vpc"] }
}
`
	if err := os.WriteFile(filepath.Join(folder, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// allow is bbsync login with the administrator's click: the code is typed.
func (row loginRow) allow(t *testing.T, folder string, world *sandbox.World) {
	t.Helper()
	script := `mkfifo code
bbsync login b --no-open <code >page 2>&1 &
exec 3>code
until url=$(grep -o 'https://[^ ]*oauth_token=[^ ]*' page); do sleep 0.1; kill -0 $! || exit; done
bbsync sandbox approve --as admin "$url" | sed -n 's/.*, code \(.*\))$/\1/p' >&3
exec 3>&-
wait $!`
	command := exec.CommandContext(t.Context(), "sh", "-c", script)
	command.Dir, command.Env = folder, append(os.Environ(), world.Facts.Environment()...)
	command.WaitDelay = time.Minute
	if output, err := command.CombinedOutput(); err != nil {
		page, _ := os.ReadFile(filepath.Join(folder, "page"))
		t.Fatalf("bbsync login: %v\n%s%s", err, output, page)
	}
}
