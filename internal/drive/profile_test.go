package drive

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestMain lets the test's own binary play a process that has a profile and is
// killed.
func TestMain(m *testing.M) {
	if base := os.Getenv("DRIVE_TEST_PROFILE"); base != "" {
		p, err := newProfile(base)
		if err != nil {
			panic(err)
		}
		if _, err := os.Stdout.WriteString(p.dir); err != nil {
			panic(err)
		}
		select {}
	}
	os.Exit(m.Run())
}

// TestProfilesOfTheDead: the next start removes the logins that a killed process
// left, and nothing of one that lives.
func TestProfilesOfTheDead(t *testing.T) {
	base := t.TempDir()
	hold := func() (*exec.Cmd, string) {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "DRIVE_TEST_PROFILE="+base)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		name := make([]byte, 4096)
		n, err := out.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		dir := string(name[:n])
		if err := os.WriteFile(filepath.Join(dir, "Cookies"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		return cmd, dir
	}
	dead, left := hold()
	alive, kept := hold()
	if err := dead.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = dead.Wait()
	bare, fresh, others := filepath.Join(base, profilePrefix+"bare"), filepath.Join(base, profilePrefix+"fresh"), filepath.Join(base, "other-browser")
	for _, dir := range []string{bare, fresh, others} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(bare, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	p, err := newProfile(base)
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{left: false, bare: false, kept: true, fresh: true, others: true, p.dir: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s is there: %t, want %t", dir, err == nil, want)
		}
	}
	if err := p.remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(p.dir); err == nil {
		t.Error("its own profile stays")
	}
	if err := alive.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = alive.Wait()
}
