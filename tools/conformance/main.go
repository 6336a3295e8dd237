// Command conformance holds the sandbox's Terraform to a judge that is not ours:
// go-tfe's own integration tests for OAuth clients and tokens, unmodified, which
// HashiCorp runs against the real server. It fails when fewer pass than expected.
//
// It tests nothing of bbsync itself.
package main

import (
	"bytes"
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
	module   = "github.com/hashicorp/go-tfe"
	selected = "^(TestOAuthClients|TestOAuthTokens)"
)

func main() {
	expected := flag.Int("expect", 16, "fail when fewer tests pass")
	run := flag.String("run", selected, "which of go-tfe's tests to run")
	verbose := flag.Bool("v", false, "show the tests' whole output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := conform(ctx, os.Stdout, *run, *expected, *verbose)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func conform(ctx context.Context, out io.Writer, run string, expected int, verbose bool) error {
	source, version, err := locate(ctx)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "bbsync-conformance-")
	if err != nil {
		return fmt.Errorf("making a folder for the copy: %w", err)
	}
	defer os.RemoveAll(temp)
	folder := filepath.Join(temp, "go-tfe")
	if err := os.CopyFS(folder, os.DirFS(source)); err != nil { // the module cache is read-only
		return fmt.Errorf("copying %s: %w", module, err)
	}
	address, token, end, err := serve(ctx)
	if err != nil {
		return err
	}
	defer end()
	fmt.Fprintf(out, "%s %s, %s, against the sandbox\n", module, version, run)
	events, err := test(ctx, folder, run, address, token)
	if err != nil {
		return err
	}
	if verbose {
		events.print(out)
	}
	return events.report(out, expected)
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
	err = server.AddUser(terraformd.User{Name: "conformance", Token: secret.New(token), SiteAdmin: true})
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

// test runs the tests and returns what they said. That some fail is no error here.
func test(ctx context.Context, folder, run, address, token string) (*events, error) {
	command := exec.CommandContext(ctx, "go", "test", "-count=1", "-json", "-run", run, ".") //nolint:gosec // run is the user's own
	command.Dir = folder
	command.Env = append(os.Environ(),
		"GOWORK=off", "GOFLAGS=-mod=mod",
		"TFE_ADDRESS="+address, "TFE_TOKEN="+token, "TFE_ADMIN_PROVISION_LICENSES_TOKEN="+token,
		"OAUTH_CLIENT_GITHUB_TOKEN=any", "ENABLE_TFE=0", "ENABLE_BETA=0",
	)
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	err := command.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return nil, fmt.Errorf("running go test: %w", err)
	}
	found, parseErr := parse(&output)
	if parseErr != nil || len(found.tests) == 0 {
		return nil, fmt.Errorf("go test ran no tests: %w\n%s%s", errors.Join(err, parseErr), problems.String(), found.output())
	}
	return found, nil
}
