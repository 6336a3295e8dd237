package cli

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox"
)

// TestInterrupt stops an apply with one interrupt, with a hangup, and with two
// interrupts: after one, the steps in flight are finished and none is begun; after
// any, running again continues to the end.
func TestInterrupt(t *testing.T) {
	// Under nohup a hangup is ignored, and bbsync ignores it as well; what this
	// process handles, its children do not inherit.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangups) })
	for name, signals := range map[string][]os.Signal{
		"once finishes": {os.Interrupt}, "hangup finishes": {syscall.SIGHUP}, "twice aborts": {os.Interrupt, os.Interrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newSlowWorld(t)
			code, stdout, stderr := e.interrupted(signals)
			if code != exitFailure && code != exitPartial {
				t.Fatalf("exit code %d:\n%s%s", code, stdout, stderr)
			}
			if len(signals) == 1 && (!strings.Contains(stdout, "2 not run") || strings.Contains(stdout, "failed")) {
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

// newSlowWorld starts a sandbox of two organizations in which an apply lasts long
// enough to be interrupted.
func newSlowWorld(t *testing.T) exampleWorld {
	t.Helper()
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
	return exampleWorld{t: t, vault: v, world: world, env: append(os.Environ(), world.Facts.Environment()...)}
}

// interrupted runs an apply and sends it the signals: the first as soon as a
// connection's first step is done.
func (e exampleWorld) interrupted(signals []os.Signal) (code int, stdout, stderr string) {
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
		if len(signals) > 0 && (first || strings.Contains(lines.Text(), "interrupt again")) {
			if err := cmd.Process.Signal(signals[0]); err != nil {
				e.t.Fatal(err)
			}
			signals = signals[1:]
		}
	}
	err = cmd.Wait()
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		return exited.ExitCode(), out.String(), heard.String()
	}
	return 0, out.String(), heard.String()
}

// TestReaderLeaves: anyone who reads the output may leave, as head does. The steps
// are finished and no lease stays; the exit code says that output was lost.
func TestReaderLeaves(t *testing.T) {
	t.Parallel()
	e := newSlowWorld(t)
	cmd := exec.CommandContext(t.Context(), "bbsync", "-C", "testdata/fleet", "apply", "--auto-approve")
	cmd.Env = append(e.env, "NO_COLOR=1")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	for lines := bufio.NewScanner(read); lines.Scan() && !strings.HasPrefix(lines.Text(), "connection."); {
	}
	_ = read.Close()
	err = cmd.Wait()
	if exited, ok := errors.AsType[*exec.ExitError](err); !ok || exited.ExitCode() != exitWaiting {
		t.Fatalf("it ended with %v", err)
	}
	e.bbsync("testdata/fleet", exitWaiting, "plan")
}
