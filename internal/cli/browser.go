package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
)

// errNoBrowser says that no browser can be opened from here.
var errNoBrowser = errors.New("no browser can be opened from here")

// browserCommand returns the command that opens an address in the user's
// browser on this system: nil where there is no desktop to open one on.
func browserCommand(goos string, getenv func(string) string, has func(string) bool, address string) []string {
	remote := getenv("SSH_CONNECTION") != ""
	switch goos {
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler", address}
	case "darwin":
		if remote {
			return nil
		}
		return []string{"open", address}
	}
	switch desktop := getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""; {
	case desktop && has("xdg-open"):
		return []string{"xdg-open", address}
	case getenv("WSL_DISTRO_NAME") != "" && has("wslview"):
		return []string{"wslview", address}
	}
	return nil
}

func (a *app) browserFor(address string) []string {
	has := func(name string) bool { _, err := exec.LookPath(name); return err == nil }
	return browserCommand(runtime.GOOS, a.getenv, has, address)
}

// openBrowser opens an address and does not wait for the browser to close.
func (a *app) openBrowser(ctx context.Context, address string) error {
	command := a.browserFor(address)
	if command == nil {
		return errNoBrowser
	}
	child := exec.CommandContext(context.WithoutCancel(ctx), command[0], command[1:]...) //nolint:gosec // a fixed program with a link of Terraform's
	child.Env = childEnv(a.environ())
	if err := child.Start(); err != nil {
		return fmt.Errorf("opening the browser: %w", err)
	}
	go func() { _ = child.Wait() }() // its end is nobody's business, but it must be reaped
	return nil
}
