package cli

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A seat is a terminal with a program at it. The script's commands are
//
//	terminal COMMAND [ARG...]  begin a program with stdin and stderr on a terminal
//	seen TEXT                  wait until the terminal or stdout shows the text
//	type TEXT                  type a line
//	interrupt                  send the program an interrupt
//	finish CODE                wait until it ends, and insist on its exit code
//
// What was shown is in the files terminal and printed afterwards.
type seat struct {
	command *exec.Cmd
	person  *os.File
	ended   chan error

	mu       sync.Mutex
	terminal bytes.Buffer
	printed  bytes.Buffer
}

type seatKey struct{}

// atTerminal keeps the seat of a script; it begins empty.
func atTerminal(e *testscript.Env) { e.Values[seatKey{}] = new(*seat) }

func seatOf(ts *testscript.TestScript) *seat { return *ts.Value(seatKey{}).(**seat) }

func startTerminal(ts *testscript.TestScript, _ bool, args []string) {
	s := &seat{}
	*ts.Value(seatKey{}).(**seat) = s
	person, program, err := openTerminal()
	ts.Check(err)
	path := args[0]
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if _, err := os.Stat(filepath.Join(dir, args[0])); err == nil {
			path = filepath.Join(dir, args[0])
			break
		}
	}
	s.command = exec.Command(path, args[1:]...)
	s.command.Env = environment(ts)
	s.command.Dir = ts.Getenv("WORK")
	s.command.Stdin, s.command.Stderr, s.command.Stdout = program, program, writer{s, &s.printed}
	s.person, s.ended = person, make(chan error, 1)
	ts.Check(s.command.Start())
	ts.Defer(func() { _ = s.command.Process.Kill() }) // of a script that failed halfway
	ts.Check(program.Close())
	go func() {
		_, _ = io.Copy(writer{s, &s.terminal}, person) // ends with the program, by an error
		s.ended <- s.command.Wait()
	}()
}

// environment is what testscript gives its own programs.
func environment(ts *testscript.TestScript) []string {
	env := os.Environ()
	for _, name := range []string{
		"PATH", "WORK", "FLEET", "HOME", "TMPDIR", "DISPLAY", "BBSYNC_TEST_HEARD", "NO_COLOR", "BBSYNC_SANDBOX", "VAULT_ADDR", "VAULT_TOKEN",
		"BBSYNC_VAR_vault_address", "BBSYNC_VAR_terraform_address", "BBSYNC_VAR_ca_file", "BBSYNC_VAR_bitbucket_url", "BBSYNC_VAR_orgs",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

type writer struct {
	seat *seat
	to   *bytes.Buffer
}

func (w writer) Write(p []byte) (int, error) {
	w.seat.mu.Lock()
	defer w.seat.mu.Unlock()
	return w.to.Write(p)
}

func (s *seat) shown() (terminal, printed string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.terminal.String(), s.printed.String()
}

func waitSeen(ts *testscript.TestScript, _ bool, args []string) {
	s := seatOf(ts)
	for {
		terminal, printed := s.shown()
		if strings.Contains(terminal+printed, args[0]) {
			return
		}
		select {
		case err := <-s.ended:
			terminal, printed = s.shown()
			ts.Fatalf("the program ended (%v) and never showed %q; it showed:\n%s\n%s", err, args[0], terminal, printed)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func typeLine(ts *testscript.TestScript, _ bool, args []string) {
	_, err := seatOf(ts).person.WriteString(strings.Join(args, " ") + "\n")
	ts.Check(err)
}

func interruptProgram(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(seatOf(ts).command.Process.Signal(os.Interrupt))
}

func finish(ts *testscript.TestScript, _ bool, args []string) {
	s := seatOf(ts)
	if err := <-s.ended; err != nil {
		ts.Logf("ended with %v", err) // its exit code is asked for below
	}
	terminal, printed := s.shown()
	ts.Logf("[terminal]\n%s\n[printed]\n%s", terminal, printed)
	for name, text := range map[string]string{"terminal": terminal, "printed": printed} {
		ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), name), []byte(text), 0o600))
	}
	if have := strconv.Itoa(s.command.ProcessState.ExitCode()); have != args[0] {
		ts.Fatalf("exit code %s, want %s", have, args[0])
	}
	_ = s.person.Close()
}
