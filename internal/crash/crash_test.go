//go:build linux

package crash_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/bbsync/bbsync/internal/crash"
)

// TestMain is the program that crashes when the variable says how, as bbsync
// begins, and the tests otherwise.
func TestMain(m *testing.M) {
	how := os.Getenv("CRASH")
	if how == "" {
		os.Exit(m.Run())
	}
	if !strings.HasPrefix(how, "unprepared ") {
		if code, ran := crash.AsChild(os.Args, os.Environ(), false); ran {
			os.Exit(code)
		}
		crash.Prepare()
	}
	end(strings.TrimPrefix(how, "unprepared "))
}

// end ends the process in one of several ways.
func end(how string) {
	switch how {
	case "panic":
		go panic("in a goroutine")
		select {}
	case "stack":
		debug.SetMaxStack(1 << 20)
		fmt.Println(deep(1))
	case "memory":
		var p *[]int
		(*p)[0] = 1
	case "map":
		m := map[int]int{}
		for range 4 {
			go func() {
				for i := 0; ; i++ {
					m[i&7] = i
				}
			}()
		}
		select {}
	case "unlock":
		new(sync.Mutex).Unlock()
	case "code":
		os.Exit(7)
	case "signal":
		got := make(chan os.Signal, 1)
		signal.Notify(got, syscall.SIGTERM)
		fmt.Println("ready")
		<-got
		os.Exit(5)
	case "limit":
		var limit syscall.Rlimit
		_ = syscall.Getrlimit(syscall.RLIMIT_CORE, &limit)
		fmt.Println(limit.Cur)
	}
	os.Exit(0)
}

func deep(n int) int {
	if n == 0 {
		return 0
	}
	return deep(n+1) + 1
}

// command is the program that ends so; first: as the first process of a PID
// namespace.
func command(t *testing.T, how string, first bool) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	if first {
		cmd = exec.CommandContext(t.Context(), "unshare", "--map-root-user", "--pid", "--fork", "--kill-child", program)
	}
	cmd.Env, cmd.Dir = append(os.Environ(), "CRASH="+how), t.TempDir()
	return cmd
}

// code is the exit code as a shell shows it.
func code(err error) int {
	exited, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return 0
	case !ok:
		return -1
	}
	if status, ok := exited.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exited.ExitCode()
}

// TestCrash crashes the program in each way, alone and as the first process of a
// PID namespace, as in a container: never with the code of drift, and no core.
func TestCrash(t *testing.T) {
	const aborted = 128 + int(syscall.SIGABRT)
	for how, want := range map[string]int{
		"panic": aborted, "stack": aborted, "memory": aborted, "map": aborted, "unlock": aborted, "code": 7,
		"unprepared panic": 2, // what this is about
	} {
		for name, first := range map[string]bool{"": false, ", first in its namespace": true} {
			t.Run(how+name, func(t *testing.T) {
				t.Parallel()
				cmd := command(t, how, first)
				out, err := cmd.CombinedOutput()
				if have := code(err); have != want {
					t.Errorf("exit code %d (%v), want %d:\n%.2000s", have, err, want, out)
				}
				if left, err := os.ReadDir(cmd.Dir); err != nil || len(left) > 0 {
					t.Errorf("left behind: %v, %v", left, err)
				}
			})
		}
	}
}

// TestCoresAreForbidden asks the kernel.
func TestCoresAreForbidden(t *testing.T) {
	out, err := command(t, "limit", false).Output()
	if text := strings.TrimSpace(string(out)); err != nil || text != "1" && text != "0" {
		t.Errorf("the limit is %q, %v", text, err)
	}
}

// TestSignalsArePassedOn terminates the first process of a namespace: the program
// decides how it ends.
func TestSignalsArePassedOn(t *testing.T) {
	cmd := command(t, "signal", true)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	first := childOf(t, cmd.Process.Pid)
	if err := syscall.Kill(first, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	if have := code(cmd.Wait()); have != 5 {
		t.Errorf("exit code %d, want 5", have)
	}
}

// childOf returns the only child of a process.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	var child int
	if _, scan := fmt.Sscan(string(text), &child); err != nil || scan != nil {
		t.Fatalf("children of %d: %q, %v", pid, text, errors.Join(err, scan))
	}
	return child
}
