package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/sandbox"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
)

// TestInterrupt stops an apply with one interrupt and with two: after one, the
// steps in flight are finished and none is begun; after either, running again
// goes on to the end.
func TestInterrupt(t *testing.T) {
	for name, interrupts := range map[string]int{"once finishes": 1, "twice aborts": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := vaulttest.Start(t)
			world, err := sandbox.Start(t.Context(), sandbox.Options{
				Orgs: 2, Bitbuckets: []string{"9.4.0"}, Latency: 100 * time.Millisecond, Vault: sandbox.ExternalVault{Address: v.Address, Token: v.RootToken},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := world.Close(); err != nil {
					t.Error(err)
				}
			})
			e := exampleWorld{t: t, vault: v, world: world, env: append(os.Environ(), world.Facts.Environment()...)}
			code, stdout, stderr := e.interrupted(interrupts)
			if code != exitFailure && code != exitPartial {
				t.Fatalf("exit code %d:\n%s%s", code, stdout, stderr)
			}
			if interrupts == 1 && (!strings.Contains(stdout, "2 not run") || strings.Contains(stdout, "failed")) {
				t.Errorf("after one interrupt:\n%s%s", stdout, stderr)
			}
			if !strings.Contains(stderr, "finishing the steps in flight") {
				t.Errorf("nothing was said of the interrupt:\n%s", stderr)
			}
			e.bbsync("testdata/fleet", exitWaiting, "apply", "--auto-approve")
			e.bbsync("testdata/fleet", exitDone, "sandbox", "approve")
			e.bbsync("testdata/fleet", exitDone, "apply", "--auto-approve")
			e.bbsync("testdata/fleet", exitDone, "plan")
		})
	}
}

// interrupted runs an apply and interrupts it as soon as a connection's first
// step is done.
func (e exampleWorld) interrupted(times int) (code int, stdout, stderr string) {
	e.t.Helper()
	cmd := exec.CommandContext(e.t.Context(), "bbsync", "-C", "testdata/fleet", "apply", "--auto-approve")
	cmd.Env = append(e.env, "BBSYNC_TEST_HEARD="+e.t.TempDir(), "NO_COLOR=1")
	var out, heard bytes.Buffer
	cmd.Stdout = &out
	pipe, err := cmd.StderrPipe()
	if err != nil {
		e.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		heard.WriteString(lines.Text() + "\n")
		first := strings.HasPrefix(lines.Text(), "connection.")
		if times > 0 && (first || strings.Contains(lines.Text(), "interrupt again")) {
			times--
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				e.t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		return exited.ExitCode(), out.String(), heard.String()
	}
	return 0, out.String(), heard.String()
}
