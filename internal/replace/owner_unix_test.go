//go:build unix

package replace

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestByTrusted(t *testing.T) {
	const me, stranger, other, root = 1000, 1001, 1002, 0
	for _, c := range []struct {
		owner, folder, user uint32
		want                bool
	}{
		{me, root, me, true},
		{stranger, root, me, false},
		{stranger, stranger, me, true},
		{root, stranger, me, true},
		{stranger, me, me, false},
		{stranger, other, me, false},
		{stranger, root, root, false},
		{me, stranger, me, true},
	} {
		if have := byTrusted(c.owner, c.folder, c.user); have != c.want {
			t.Errorf("owner %d, folder of %d, user %d: have %t", c.owner, c.folder, c.user, have)
		}
	}
}

// TestStrangersLinks: in a shared folder, what a stranger has put where the file
// belongs is neither followed nor written to. Only root can play both parts.
func TestStrangersLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only the table of owners is tested: not root")
		return
	}
	const stranger = 65534
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	plant := func(name string, make func(path string) error) string {
		path := filepath.Join(shared, name)
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(path, stranger, stranger); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := plant("link", func(p string) error { return os.Symlink(victim, p) })
	dangling := plant("dangling", func(p string) error { return os.Symlink(filepath.Join(shared, "made"), p) })
	pipe := plant("pipe", func(p string) error { return syscall.Mkfifo(p, 0o666) })
	behind := filepath.Join(shared, "behind") // our own link, which leads to the stranger's
	if err := os.Symlink("link", behind); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, dangling, pipe, behind} {
		if err := File(path, []byte("ours"), 0o600); err == nil || !strings.Contains(err.Error(), "another user") && !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: have %v", path, err)
		}
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
		t.Errorf("the victim holds %q, %v", text, err)
	}
	if _, err := os.Lstat(filepath.Join(shared, "made")); err == nil {
		t.Error("the dangling link was followed")
	}
	loose := plant("loose", func(p string) error { return os.WriteFile(p, nil, 0o666) })
	if err := os.Chmod(loose, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := File(loose, []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(loose); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the stranger's mode is kept: %v, %v", info, err)
	}
}
