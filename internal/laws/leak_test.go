package laws_test

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/bbsync/bbsync/sandbox/front"
)

// TestCrashDumpHoldsNoSecret: what a crashing process prints of itself, with
// all its goroutines, and what others on the machine see of it, hold no secret.
// It crashes at requests that carry one.
func TestCrashDumpHoldsNoSecret(t *testing.T) {
	b, states := crashBed(t)
	for _, at := range []struct{ state, system, method, path string }{
		{"nothing", "vault", "PUT", "data/bbsync"},
		{"nothing", "terraform", "POST", "oauth-clients"},
		{"nothing", "bitbucket", "PUT", "applinks"},
		{"authorized", "terraform", "PATCH", "oauth-tokens"},
	} {
		b.restore(t, states[at.state])
		file, err := binary()
		b.must(t, err)
		cmd := exec.CommandContext(t.Context(), file, "-C", b.dir, "apply", "--auto-approve")
		cmd.Env = append(b.environ(), "GOTRACEBACK=all")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		started, gone := make(chan struct{}), make(chan struct{})
		var seen []byte
		crash := sync.OnceFunc(func() {
			<-started
			seen, _ = os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/cmdline") // elsewhere than on Linux there is none
			_ = cmd.Process.Signal(syscall.SIGQUIT)
		})
		order := front.Fault{Kind: front.Call, Method: at.method, Path: at.path, Before: func(*http.Request) { crash(); <-gone; panic(http.ErrAbortHandler) }}
		b.must(t, b.fronts[at.system].Order(order))
		b.must(t, cmd.Start())
		close(started)
		_ = cmd.Wait() // it crashes
		close(gone)
		b.clearFaults()
		if !strings.Contains(out.String(), "SIGQUIT") || !strings.Contains(out.String(), "goroutine ") {
			t.Fatalf("no crash at %v:\n%s", at, out.String())
		}
		b.noSecret(t, "the crash dump", out.String())
		b.noSecret(t, "the argument list", string(seen))
	}
}

// noSecret looks for every secret of the bed, as it is and in part.
func (b *bed) noSecret(t *testing.T, where, text string) {
	t.Helper()
	if leak := secretIn(text); leak != "" {
		t.Errorf("%s holds %s:\n%s", where, leak, text)
	}
	if strings.Contains(text, b.env["VAULT_TOKEN"]) {
		t.Errorf("%s holds the Vault token:\n%s", where, text)
	}
	for _, record := range b.records(t) {
		for field, value := range record {
			private, _ := value.(string)
			if block, _ := pem.Decode([]byte(private)); !strings.HasSuffix(field, "private") || block == nil {
				continue
			}
			if line := strings.Split(private, "\n")[3]; strings.Contains(text, line) {
				t.Errorf("%s holds a line of %s:\n%s", where, field, text)
			}
		}
	}
}

// TestDiskFull: a plan that cannot be saved whole is not saved: the file before
// it stays, and nothing is left beside it.
func TestDiskFull(t *testing.T) {
	b := newBed(t, kind{orgs: 4})
	file, err := binary()
	b.must(t, err)
	folder := t.TempDir()
	saved := filepath.Join(folder, "plan.json")
	b.must(t, os.WriteFile(saved, []byte("the plan before"), 0o600))
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 1; exec "$0" "$@"`, file, "-C", b.dir, "plan", "--out", saved)
	cmd.Env = b.environ()
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); err == nil || code != 1 || !strings.Contains(string(out), "writing "+saved) {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if text, err := os.ReadFile(saved); err != nil || string(text) != "the plan before" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("beside it is %v, %v", left, err)
	}
}
