//go:build !windows

package crash

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// AsChild runs the program again as a child if this process is the first of its
// PID namespace, as in a container, and returns the child's exit code, or 128 and
// the number of the signal that ended it. The kernel delivers to a first process
// no signal that it does not handle, not even its own SIGABRT, so that a crash
// would end with 2 there. ran is false if the program has to run in this process.
// terminal says that standard input is one.
func AsChild(args, environ []string, terminal bool) (code int, ran bool) {
	if os.Getpid() != 1 {
		return 0, false
	}
	program, err := os.Executable()
	if err != nil {
		return 0, false
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals)                                           // before there is a child, so that none is lost
	child, err := syscall.ForkExec(program, args, &syscall.ProcAttr{ //nolint:gosec // this very program
		Env: environ, Files: []uintptr{0, 1, 2},
		// A group of its own: what the terminal sends reaches the child once.
		Sys: &syscall.SysProcAttr{Setpgid: true, Foreground: terminal},
	})
	if err != nil {
		signal.Reset()
		return 0, false
	}
	go pass(signals, child)
	return reap(child), true
}

// pass sends the signals on to the child, but those that are about this process.
func pass(signals <-chan os.Signal, child int) {
	for s := range signals {
		switch s {
		case syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE, syscall.SIGTTIN, syscall.SIGTTOU:
			continue
		}
		if number, ok := s.(syscall.Signal); ok {
			_ = syscall.Kill(child, number) // one that has ended needs none
		}
	}
}

// reap waits for the child, and for whatever else ends as an orphan meanwhile.
func reap(child int) int {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1
		case pid != child:
		case status.Exited():
			return status.ExitStatus()
		case status.Signaled():
			return 128 + int(status.Signal())
		}
	}
}
