package laws_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/sandbox/front"
)

// folderOfBinary is made and removed by TestMain.
var folderOfBinary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "bbsync-laws-")
	if err != nil {
		panic(err)
	}
	folderOfBinary = folder
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// binary builds bbsync, once.
var binary = sync.OnceValues(func() (string, error) {
	file := filepath.Join(folderOfBinary, "bbsync")
	build := exec.Command("go", "build", "-o", file, "github.com/bbsync/bbsync/cmd/bbsync")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building bbsync: %w\n%s", err, out)
	}
	return file, nil
})

// A moment is when a process is killed: at its nth request to any system,
// before the server learns of it, or when the work is done and the answer is
// not yet given. After an answer is before the next request.
type moment struct {
	nth    int
	during bool
	of     func(request) bool // which requests count; nil: all
}

func (m moment) String() string {
	if m.during {
		return fmt.Sprintf("while request %d is answered", m.nth)
	}
	return fmt.Sprintf("before request %d", m.nth)
}

// A trap kills a process at its moment.
type trap struct {
	at   moment
	kill func() // returns when the process is gone

	mu     sync.Mutex
	n      int
	number map[*http.Request]int
	asked  []request
	sprung bool
}

type request struct {
	system, method, path string
}

// writes reports whether the request may change something.
func (r request) writes() bool { return r.method != http.MethodGet && r.method != "LIST" }

func (r request) String() string { return r.system + " " + r.method + " " + r.path }

// set puts the trap before all systems.
func (tr *trap) set(t rapid.TB, b *bed) {
	t.Helper()
	tr.number = map[*http.Request]int{}
	for system, f := range b.fronts {
		err := f.Order(front.Fault{
			Kind: front.Call, Times: -1,
			Before: func(r *http.Request) {
				if system == "vault" || strings.HasPrefix(r.UserAgent(), "bbsync/") { // Terraform asks Bitbucket, too, and lives on
					tr.before(system, r)
				}
			},
			After: tr.after,
		})
		b.must(t, err)
	}
}

func (tr *trap) before(system string, r *http.Request) {
	asked := request{system, r.Method, r.URL.Path}
	tr.mu.Lock()
	tr.asked = append(tr.asked, asked)
	dead, hit := tr.sprung, false
	if tr.at.of == nil || tr.at.of(asked) {
		tr.n++
		tr.number[r] = tr.n
		hit = tr.n == tr.at.nth && !tr.at.during
	}
	tr.sprung = tr.sprung || hit
	tr.mu.Unlock()
	if hit {
		tr.kill()
	}
	if hit || dead { // what a dead process had under way is lost with it
		panic(http.ErrAbortHandler)
	}
}

func (tr *trap) after(r *http.Request) {
	tr.mu.Lock()
	hit := tr.number[r] == tr.at.nth && tr.at.during
	tr.sprung = tr.sprung || hit
	tr.mu.Unlock()
	if hit {
		tr.kill()
	}
}

// A run is how a real process ended.
type run struct {
	killed bool
	code   int
	asked  []request
	output string
}

// exec runs the real binary with arguments and kills it at a moment; the zero
// moment: never.
func (b *bed) exec(t rapid.TB, at moment, args ...string) run {
	t.Helper()
	file, err := binary()
	b.must(t, err)
	cmd := exec.CommandContext(b.t.Context(), file, append([]string{"-C", b.dir}, args...)...)
	cmd.Env = append(b.environ(), "PATH="+os.Getenv("PATH"), "NO_COLOR=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	started, gone := make(chan struct{}), make(chan struct{})
	tr := &trap{at: at, kill: func() { <-started; _ = cmd.Process.Kill(); <-gone }}
	tr.set(t, b)
	defer b.clearFaults()
	b.must(t, cmd.Start())
	close(started)
	_ = cmd.Wait() // the code tells
	close(gone)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if leak := secretIn(out.String()); leak != "" {
		t.Fatalf("bbsync %v printed %s:\n%s", args, leak, out.String())
	}
	return run{killed: tr.sprung, code: cmd.ProcessState.ExitCode(), asked: tr.asked, output: out.String()}
}

// secretIn returns what secret a text holds.
func secretIn(text string) string {
	for _, secret := range []string{"canary-", "PRIVATE KEY"} {
		if strings.Contains(text, secret) {
			return "a secret (" + secret + ")"
		}
	}
	return ""
}

// moments are when to kill a process that makes these requests: before each,
// and during each that writes. Two reads in a row find the systems in one
// state, so that without -laws.every only the first of them is taken. Lean
// moments are during each that writes: before the next one is the same state.
func moments(asked []request, lean bool) []moment {
	var out []moment
	for i, r := range asked {
		if lean {
			if r.writes() {
				out = append(out, moment{nth: i + 1, during: true})
			}
			continue
		}
		if *every || r.writes() || i == 0 || asked[i-1].writes() {
			out = append(out, moment{nth: i + 1})
		}
		if *every || r.writes() {
			out = append(out, moment{nth: i + 1, during: true})
		}
	}
	return out
}
