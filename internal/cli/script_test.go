package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/openapicheck"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bbsync": func() { os.Exit(overheard()) }})
}

// TestScripts runs the real binary, each script in a sandbox of its own with a
// real Vault. A script begins with what a user saw or wants to see.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Files:               []string{file},
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
				UpdateScripts:       os.Getenv("UPDATE") != "",
				Setup:               func(e *testscript.Env) error { return setUp(t, e) },
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"fits": fits, "exits": exits, "sandbox": startSandbox, "connect": connect, "lease": lease, "claim": claim, "shards": shards, "receiver": receiver, "bring": bring, "lifetime": lifetime,
					"terminal": startTerminal, "seen": waitSeen, "type": typeLine, "interrupt": interruptProgram, "finish": finish,
				},
			})
		})
	}
}

// setUp gives the script a clean environment; the command sandbox starts one.
func setUp(t *testing.T, e *testscript.Env) error {
	heard := t.TempDir()
	e.Values[testKey{}] = t
	e.Values[heardKey{}] = heard
	e.Values[leaseKey{}] = &heldLease{}
	e.Values[worldKey{}] = new(*sandbox.World)
	atTerminal(e)
	e.Values[receiverKey{}] = &received{}
	e.Vars = append(e.Vars, "BBSYNC_TEST_HEARD="+heard, "NO_COLOR=1")
	fleet, err := filepath.Abs("testdata/fleet")
	if err != nil {
		return err
	}
	rotation, err := filepath.Abs("testdata/rotation")
	if err != nil {
		return err
	}
	e.Vars = append(e.Vars, "FLEET="+fleet, "ROTATION="+rotation)
	return nil
}

type (
	testKey  struct{}
	heardKey struct{}
)

// bitbucketContract is the vendor's OpenAPI document, read once: what the scripts'
// Bitbuckets answer is held against it.
var bitbucketContract = sync.OnceValues(openapicheck.Bitbucket)

// sandboxOptions are what a script can have otherwise: mostly what is not known of real
// servers.
var sandboxOptions = map[string]func(*sandbox.Options){
	"--drop-tokens":           func(o *sandbox.Options) { o.Bitbucket.DropTokensOnKeyChange = true },
	"--second-factor":         func(o *sandbox.Options) { o.SecondFactor = true },
	"--sso":                   func(o *sandbox.Options) { o.Bitbucket.SSO = true },
	"--no-websudo":            func(o *sandbox.Options) { o.Bitbucket.WebSudo = bitbucketd.Off },
	"--admin-without-websudo": func(o *sandbox.Options) { o.Bitbucket.AdminWithoutWebSudo = true },
	"--websudo-first":         func(o *sandbox.Options) { o.Bitbucket.WebSudoFirst = true },
	"--elevate-settings-only": func(o *sandbox.Options) { o.Bitbucket.ElevateSettingsOnly = true },
	"--signed-needs-websudo":  func(o *sandbox.Options) { o.Bitbucket.SignedNeedsWebSudo = true },
	"--signed-not-on-links":   func(o *sandbox.Options) { o.Bitbucket.SignedNotOnLinks = true },
	"--login-form":            func(o *sandbox.Options) { o.Bitbucket.LoginForm = bitbucketd.On },
}

// startSandbox starts a world for the script: sandbox [--orgs=N] [--basic=on|off] [--second-factor] [--nodes=N]
// [--context-path=PATH] [--OPTION] [VERSION...], where OPTION is one of sandboxOptions.
func startSandbox(ts *testscript.TestScript, _ bool, args []string) {
	t, ok := ts.Value(testKey{}).(*testing.T)
	if !ok {
		ts.Fatalf("no test")
	}
	vault := vaulttest.Start(t)
	opts := sandbox.Options{Orgs: 2, Vault: sandbox.ExternalVault{Address: vault.Address, Token: vault.RootToken}}
	for _, arg := range args {
		if n, found := strings.CutPrefix(arg, "--orgs="); found {
			count, err := strconv.Atoi(n)
			ts.Check(err)
			opts.Orgs = count
			continue
		}
		if set, found := sandboxOptions[arg]; found {
			set(&opts)
			continue
		}
		if n, found := strings.CutPrefix(arg, "--nodes="); found {
			nodes, err := strconv.Atoi(n)
			ts.Check(err)
			opts.Bitbucket.Nodes = nodes
			continue
		}
		if position, found := strings.CutPrefix(arg, "--basic="); found {
			ts.Check(opts.Bitbucket.Basic.Set(position))
			continue
		}
		if path, found := strings.CutPrefix(arg, "--context-path="); found {
			opts.ContextPath = path
			continue
		}
		if kind, found := strings.CutPrefix(arg, "--gateway="); found {
			opts.Gateway = kind
			continue
		}
		opts.Bitbuckets = append(opts.Bitbuckets, arg)
	}
	if len(opts.Bitbuckets) == 0 {
		opts.Bitbuckets = []string{"9.4.0"}
	}
	log := filepath.Join(ts.Value(heardKey{}).(string), "access.log") //nolint:forcetypeassert // setUp put it there
	file, err := os.Create(log)
	ts.Check(err)
	opts.Log = file
	contract, err := bitbucketContract()
	ts.Check(err)
	opts.Bitbucket.Check = contract.Check // an answer that breaks it becomes a 500
	world, err := sandbox.Start(t.Context(), opts)
	ts.Check(err)
	*ts.Value(worldKey{}).(**sandbox.World) = world //nolint:forcetypeassert // setUp put it there
	ts.Defer(func() {
		ts.Check(errors.Join(world.Close(), file.Close()))
		searchSecrets(ts)
	})
	for _, line := range world.Facts.Environment() {
		name, value, _ := strings.Cut(line, "=")
		ts.Setenv(name, value)
	}
	rules, err := os.ReadFile("../../docs/vault-policy.hcl") // every command of every script runs under it
	ts.Check(err)
	ts.Setenv("SETUP_TOKEN", vault.RootToken)
	ts.Setenv("VAULT_TOKEN", vault.Token(t, vaulttest.Token{
		Policies: []string{vault.Policy(t, strings.ReplaceAll(string(rules), "/corp/", "/+/")+credentialPolicy)},
	}))
}

// credentialPolicy has the lines that the published policy asks to be added for the
// credentials that the scripts' configurations name.
const credentialPolicy = `
path "secret/data/platform/*" { capabilities = ["read"] }
path "secret/data/platform/hcp" { capabilities = ["read", "update"] }
path "secret/data/brought" { capabilities = ["read"] }
`

// connect brings the fleet of $FLEET to the end: apply, Allow, apply.
func connect(ts *testscript.TestScript, _ bool, _ []string) {
	exits(ts, false, []string{"4", "bbsync", "-C", ts.Getenv("FLEET"), "apply", "--auto-approve"})
	exits(ts, false, []string{"0", "bbsync", "sandbox", "approve"})
	exits(ts, false, []string{"0", "bbsync", "-C", ts.Getenv("FLEET"), "apply", "--auto-approve"})
	exits(ts, false, []string{"0", "bbsync", "-C", ts.Getenv("FLEET"), "plan"})
}

// exits runs a command and insists on its exit code: exits 2 bbsync plan.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exited *exec.ExitError
	switch {
	case errors.As(err, &exited):
		got = exited.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// searchSecrets fails the script if a secret of the sandbox, or any private
// key, is in what a bbsync process printed, was called with, or left in a file.
func searchSecrets(ts *testscript.TestScript) {
	dirs := []string{ts.Value(heardKey{}).(string), ts.Getenv("WORK")} //nolint:forcetypeassert // setUp put it there
	for _, dir := range dirs {
		ts.Check(findSecrets(dir))
	}
}
