package cli

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// One SIGTERM ends the sandbox's command as well.
func TestSandboxPassesSIGTERMOn(t *testing.T) {
	child := exec.CommandContext(t.Context(), "sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- runChild(child) }()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exited *exec.ExitError
	if err := <-ended; !errors.As(err, &exited) || exited.ExitCode() != 7 {
		t.Errorf("the command ended with %v", err)
	}
}
