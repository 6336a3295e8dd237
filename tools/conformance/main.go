// Command conformance holds the sandbox's Terraform to a judge that is not ours:
// go-tfe's own integration tests, unmodified, which HashiCorp runs against the real
// server. Two lists say what is expected: pass.txt names the tests that must pass,
// outside.txt those that need what the sandbox does not serve, with the reason. It
// fails when a test of pass.txt does, and when a test of a served resource is in
// neither list, as after an update of go-tfe.
//
// It tests nothing of bbsync itself.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

const (
	module = "github.com/hashicorp/go-tfe"
	// served matches the tests of the resources that the sandbox serves.
	served = "^Test(OAuth|Organization|Project|AgentPool|PolicySet|RegistryModule|Workspace|Team|User)"
)

func main() {
	outside := flag.Bool("outside", false, "also run the tests that are outside the sandbox's purpose, and show why they fail")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := conform(ctx, os.Stdout, *outside)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func conform(ctx context.Context, out io.Writer, outside bool) error {
	wanted, err := readLists()
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "bbsync-conformance-")
	if err != nil {
		return fmt.Errorf("making a folder for the copy: %w", err)
	}
	defer os.RemoveAll(temp)
	version, tests, err := build(ctx, temp)
	if err != nil {
		return err
	}
	if err := wanted.complete(tests.names); err != nil {
		return err
	}
	address, token, end, err := serve(ctx)
	if err != nil {
		return err
	}
	defer end()
	tests.env = append(os.Environ(),
		"TFE_ADDRESS="+address, "TFE_TOKEN="+token, "TFE_ADMIN_PROVISION_LICENSES_TOKEN="+token,
		"OAUTH_CLIENT_GITHUB_TOKEN=any", "ENABLE_TFE=0", "ENABLE_BETA=1", "GITHUB_POLICY_SET_IDENTIFIER=hashicorp/policies", "GITHUB_REGISTRY_MODULE_IDENTIFIER=hashicorp/terraform-random-pet",
	)
	names := wanted.pass
	if outside {
		names = append(names, wanted.outside...)
	}
	fmt.Fprintf(out, "%s %s against the sandbox: %d tests that must pass, %d outside its purpose\n", module, version, len(wanted.pass), len(wanted.outside))
	return wanted.report(out, tests.run(ctx, names))
}

// build compiles go-tfe's tests, of the version that bbsync is built with.
func build(ctx context.Context, temp string) (version string, _ *binary, err error) {
	source, version, err := locate(ctx)
	if err != nil {
		return "", nil, err
	}
	folder := filepath.Join(temp, "go-tfe")
	if err := os.CopyFS(folder, os.DirFS(source)); err != nil { // the module cache is read-only
		return "", nil, fmt.Errorf("copying %s: %w", module, err)
	}
	tests := &binary{path: filepath.Join(temp, "go-tfe.test"), folder: folder}
	command := exec.CommandContext(ctx, "go", "test", "-c", "-o", tests.path, ".") //nolint:gosec // the path is ours
	command.Dir, command.Stderr = folder, os.Stderr
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	if err := command.Run(); err != nil {
		return "", nil, fmt.Errorf("compiling the tests of %s (their modules are downloaded): %w", module, err)
	}
	list, err := exec.CommandContext(ctx, tests.path, "-test.list", served).Output() //nolint:gosec // just built
	if err != nil {
		return "", nil, fmt.Errorf("listing the tests: %w", err)
	}
	tests.names = strings.Fields(string(list))
	return version, tests, nil
}

// locate finds the copy of go-tfe that bbsync is built with.
func locate(ctx context.Context) (dir, version string, err error) {
	command := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}\n{{.Version}}", module)
	command.Stderr = os.Stderr
	data, err := command.Output()
	if err != nil {
		return "", "", fmt.Errorf("asking go where %s is: %w", module, err)
	}
	lines := strings.Fields(string(data))
	if len(lines) != 2 {
		return "", "", fmt.Errorf("%s is not in the module cache; run go mod download %s", module, module)
	}
	return lines[0], lines[1], nil
}

// serve starts a Terraform on a free port of loopback.
func serve(ctx context.Context) (address, token string, end func(), err error) {
	server := terraformd.New(terraformd.Options{})
	token = rand.Text()
	err = server.AddUser(terraformd.User{Name: "conformance", Token: secret.New(token), TokenEnds: time.Now().Add(10 * time.Minute), SiteAdmin: true})
	if err != nil {
		return "", "", nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", nil, fmt.Errorf("opening a port: %w", err)
	}
	address = "http://" + listener.Addr().String()
	server.SetAddress(address)
	web := &http.Server{Handler: server.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "conformance: serving:", err)
		}
	}()
	return address, token, func() { _ = web.Close(); server.Close() }, nil
}
