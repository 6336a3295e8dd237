package replace_test

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/bbsync/bbsync/internal/replace"
)

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := replace.File(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, file, want string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || string(text) != want {
		t.Errorf("%s holds %q (%v), want %q", file, text, err, want)
	}
}

func TestFileKeepsItsMode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(file, []byte("before, and longer"), 0o640); err != nil {
		t.Fatal(err)
	}
	write(t, file, "after")
	content(t, file, "after")
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("have %v (%v), want the mode that was there", info, err)
	}
	names, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(names) != 1 {
		t.Errorf("there are %v (%v), want the file alone", names, err)
	}
}

// TestLinkStays has a file that is kept elsewhere, as by a manager of dotfiles or
// in a ConfigMap, and a link to where nothing is yet.
func TestLinkStays(t *testing.T) {
	dir := t.TempDir()
	for name, before := range map[string]string{"there": "before", "not-yet": ""} {
		target, link := filepath.Join(dir, name), filepath.Join(dir, "link-"+name)
		if before != "" {
			if err := os.WriteFile(target, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		write(t, link, "after")
		content(t, target, "after")
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v, %v", link, info, err)
		}
	}
}

// TestDeviceStays has what is no file: moving a file over /dev/null, which root
// may, would break the machine.
func TestDeviceStays(t *testing.T) {
	link := filepath.Join(t.TempDir(), "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	write(t, link, "text")
	if info, err := os.Stat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("the device is now %v, %v", info, err)
	}
}

// TestDescriptor has a name of what the process has open, which leads to a file
// that others write to.
func TestDescriptor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("there are no such names here")
		return
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	write(t, "/proc/self/fd/"+strconv.FormatUint(uint64(file.Fd()), 10), "one\n")
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file, "two\n"); err != nil {
		t.Fatal(err)
	}
	content(t, file.Name(), "one\ntwo\n")
}
