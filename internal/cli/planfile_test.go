package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox"
)

// A planWorld is a fleet of two connections, one of which has left the files, and
// a saved plan that removes it.
type planWorld struct {
	t    *testing.T
	env  []string
	dir  string
	log  *accessLog
	text []byte // of the plan file
	sum  string // its hash, as plan printed it
}

// An accessLog keeps what the sandbox's servers were asked.
type accessLog struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *accessLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

// take returns what was asked since the last call.
func (l *accessLog) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.Reset()
	return l.String()
}

func newPlanWorld(t *testing.T) *planWorld {
	t.Helper()
	vault := vaulttest.Start(t)
	w := &planWorld{t: t, dir: t.TempDir(), log: &accessLog{}}
	world, err := sandbox.Start(t.Context(), sandbox.Options{
		Orgs: 2, Bitbuckets: []string{"9.4.0"}, Log: w.log,
		Vault: sandbox.ExternalVault{Address: vault.Address, Token: vault.RootToken},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	w.env = append(os.Environ(), world.Facts.Environment()...)
	w.bbsync(exitWaiting, "apply", "--auto-approve")
	w.bbsync(exitDone, "sandbox", "approve")
	w.bbsync(exitDone, "apply", "--auto-approve")
	w.env = append(w.env, "BBSYNC_VAR_orgs=1")
	return w
}

// save saves the plan that the flags ask for.
func (w *planWorld) save(want int, flags ...string) {
	w.t.Helper()
	out := w.bbsync(want, append([]string{"plan", "--out", w.file()}, flags...)...)
	sum := regexp.MustCompile(`\nSHA-256: ([0-9a-f]{64})\n$`).FindStringSubmatch(out)
	if sum == nil {
		w.t.Fatalf("no hash in:\n%s", out)
	}
	w.sum = sum[1]
	var err error
	if w.text, err = os.ReadFile(w.file()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *planWorld) file() string { return filepath.Join(w.dir, "a.plan") }

// run runs the real binary and returns its exit code and what it printed.
func (w *planWorld) run(args ...string) (int, string) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "bbsync", append([]string{"-C", "testdata/fleet"}, args...)...)
	cmd.Env = append(w.env, "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		return exited.ExitCode(), string(out)
	} else if err != nil {
		w.t.Fatal(err)
	}
	return exitDone, string(out)
}

func (w *planWorld) bbsync(want int, args ...string) string {
	w.t.Helper()
	got, out := w.run(args...)
	if got != want {
		w.t.Fatalf("bbsync %s: exit code %d, want %d:\n%s", strings.Join(args, " "), got, want, out)
	}
	return out
}

// apply writes an edited file and applies it. It returns what the servers were asked.
func (w *planWorld) apply(text []byte, flags ...string) (code int, out, asked string) {
	w.t.Helper()
	if err := os.WriteFile(w.file(), text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.log.take()
	code, out = w.run(append([]string{"apply", w.file()}, flags...)...)
	return code, out, w.log.take()
}

// edited returns the plan file after an edit, with its digest computed again as
// somebody can who has the source.
func (w *planWorld) edited(edit func(*plan.Saved)) []byte {
	w.t.Helper()
	var saved plan.Saved
	if err := json.Unmarshal(w.text, &saved); err != nil {
		w.t.Fatal(err)
	}
	edit(&saved)
	saved.Digest = ""
	sum := sha256.Sum256(encodePlan(w.t, saved))
	saved.Digest = hex.EncodeToString(sum[:])
	return encodePlan(w.t, saved)
}

func encodePlan(t *testing.T, saved plan.Saved) []byte {
	t.Helper()
	text, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// wrote finds what changes something in an access log.
var wrote = regexp.MustCompile(`(?m)^.*\b(POST|PUT|PATCH|DELETE)\b.*$`)

// TestEditedPlanFileIsNotObeyed applies edited plan files with the real command. What
// is refused for its inputs or its digest is refused before any system is asked
// anything; what differs from the run's own plan changes nothing.
func TestEditedPlanFileIsNotObeyed(t *testing.T) {
	t.Parallel()
	w := newPlanWorld(t)
	var stolen atomic.Int32
	thief := httptest.NewUnstartedServer(nil)
	thief.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			stolen.Add(1)
		}
	}
	thief.StartTLS()
	t.Cleanup(thief.Close)
	w.save(exitPending, "--prune")
	removal := slices.IndexFunc(w.saved().Connections, func(e plan.Entry) bool { return e.Removal })
	tried := 0
	for name, edit := range inputEdits(thief.URL) {
		code, out, asked := w.apply(w.edited(edit), "--prune")
		if code != exitStale || asked != "" {
			t.Errorf("%s: exit code %d, and asked %q:\n%s", name, code, asked, out)
		}
		tried++
	}
	for _, text := range w.damaged() {
		code, out, asked := w.apply(text, "--prune")
		if code != exitStale || asked != "" {
			t.Errorf("damaged: exit code %d, and asked %q:\n%s", code, asked, out)
		}
		tried++
	}
	for name, edit := range entryEdits(removal) {
		code, out, asked := w.apply(w.edited(edit), "--prune")
		if code != exitStale || wrote.MatchString(asked) {
			t.Errorf("%s: exit code %d, and wrote %q:\n%s", name, code, wrote.FindAllString(asked, -1), out)
		}
		tried++
	}
	if n := stolen.Load(); n > 0 {
		t.Errorf("an address of a plan file was connected to %d times", n)
	}
	t.Logf("%d edits tried", tried)
	w.removalIsNotTakenFromTheFile(removal)
	w.onlyTheApprovedFile()
}

func (w *planWorld) saved() plan.Saved {
	w.t.Helper()
	saved, err := plan.Decode(w.text)
	if err != nil {
		w.t.Fatal(err)
	}
	return saved
}

// inputEdits say that the plan was made with other inputs.
func inputEdits(thief string) map[string]func(*plan.Saved) {
	return map[string]func(*plan.Saved){
		"fleet":         func(s *plan.Saved) { s.Fleet = "other" },
		"variable":      func(s *plan.Saved) { s.Inputs.Variables["terraform_address"] = thief },
		"more":          func(s *plan.Saved) { s.Inputs.Variables["vault_address"] = thief },
		"no variable":   func(s *plan.Saved) { delete(s.Inputs.Variables, "orgs") },
		"vault":         func(s *plan.Saved) { s.Inputs.Systems["vault"] = thief },
		"terraform":     func(s *plan.Saved) { s.Inputs.Systems["terraform.hcp"] = thief },
		"bitbucket":     func(s *plan.Saved) { s.Inputs.Systems["bitbucket.new"] = thief },
		"no systems":    func(s *plan.Saved) { s.Inputs.Systems = nil },
		"targets":       func(s *plan.Saved) { s.Inputs.Targets = []string{"connection.team"} },
		"adopt":         func(s *plan.Saved) { s.Inputs.Adopt = []string{"connection.team"} },
		"shard":         func(s *plan.Saved) { s.Inputs.Shard = "0/2" },
		"prune":         func(s *plan.Saved) { s.Inputs.Prune = false },
		"max removals":  func(s *plan.Saved) { s.Inputs.MaxRemovals = 1000 },
		"allow unlink":  func(s *plan.Saved) { s.Inputs.AllowUnlink = 1000 },
		"no inputs":     func(s *plan.Saved) { s.Inputs = plan.Inputs{} },
		"format":        func(s *plan.Saved) { s.FormatVersion = "2.1" },
		"entry repeats": func(s *plan.Saved) { s.Connections = append(s.Connections, s.Connections[0]) },
	}
}

// entryEdits show something else of the removal than the plan did.
func entryEdits(removal int) map[string]func(*plan.Saved) {
	at := func(edit func(*plan.Entry)) func(*plan.Saved) {
		return func(s *plan.Saved) { edit(&s.Connections[removal]) }
	}
	return map[string]func(*plan.Saved){
		"left out":     func(s *plan.Saved) { s.Connections = slices.Delete(s.Connections, removal, removal+1) },
		"address":      at(func(e *plan.Entry) { e.Address = "record other" }),
		"in sync":      at(func(e *plan.Entry) { e.State, e.Steps = plan.StateInSync, nil }),
		"no steps":     at(func(e *plan.Entry) { e.Steps = nil }),
		"no removal":   at(func(e *plan.Entry) { e.Removal = false }),
		"one step":     at(func(e *plan.Entry) { e.Steps = e.Steps[1:] }),
		"text":         at(func(e *plan.Entry) { e.Steps[0].Text = "~ terraform: rename it" }),
		"reason":       at(func(e *plan.Entry) { e.Steps[0].Reasons[0].Want = "another" }),
		"no reasons":   at(func(e *plan.Entry) { e.Steps[0].Reasons = nil }),
		"organization": at(func(e *plan.Entry) { e.Organization = "other" }),
		"digest":       at(func(e *plan.Entry) { e.Digest = strings.Repeat("0", 64) }),
		"after":        at(func(e *plan.Entry) { e.After = "x" }),
		"blocked":      at(func(e *plan.Entry) { e.Blocks = []plan.SavedBlock{{Kind: plan.Refused, Text: "x"}} }),
	}
}

// damaged returns the plan file with a byte changed here and there.
func (w *planWorld) damaged() [][]byte {
	out := [][]byte{append(bytes.Clone(w.text), ' '), w.text[:len(w.text)-1], bytes.ReplaceAll(w.text, []byte("\n"), []byte("\r\n"))}
	for i := 7; i < len(w.text); i += len(w.text) / 8 {
		text := bytes.Clone(w.text)
		text[i] ^= 1
		out = append(out, text)
	}
	return out
}

// removalIsNotTakenFromTheFile: a plan that shows no removal gets the entry of one.
func (w *planWorld) removalIsNotTakenFromTheFile(removal int) {
	w.t.Helper()
	entry := w.saved().Connections[removal]
	w.save(exitDone)
	add := func(s *plan.Saved) { s.Connections = append(s.Connections, entry) }
	code, out, asked := w.apply(w.edited(add))
	if code != exitStale || wrote.MatchString(asked) {
		w.t.Errorf("a removal was added: exit code %d, and wrote %q:\n%s", code, wrote.FindAllString(asked, -1), out)
	}
	code, out, asked = w.apply(w.edited(func(s *plan.Saved) { add(s); s.Inputs.Prune = true }))
	if code != exitStale || asked != "" {
		w.t.Errorf("a removal and --prune were added: exit code %d, and asked %q:\n%s", code, asked, out)
	}
}

// onlyTheApprovedFile: another plan of the same run is refused by its hash, and the
// approved one is applied.
func (w *planWorld) onlyTheApprovedFile() {
	w.t.Helper()
	w.save(exitPending, "--prune")
	notes := func(s *plan.Saved) { s.Connections[0].Notes = []plan.SavedNote{{Text: "x"}} }
	code, out, asked := w.apply(w.edited(notes), "--prune", "--sha256", w.sum)
	if code != exitStale || asked != "" {
		w.t.Errorf("another file: exit code %d, and asked %q:\n%s", code, asked, out)
	}
	code, out, asked = w.apply(w.text, "--prune", "--sha256", strings.ToUpper(w.sum))
	if code != exitDone || !wrote.MatchString(asked) || !strings.Contains(out, "This plan removes 1 connection: ") {
		w.t.Errorf("the approved file: exit code %d:\n%s", code, out)
	}
}
