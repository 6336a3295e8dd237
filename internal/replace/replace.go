// Package replace writes files that others read at any time.
package replace

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// File writes a file beside its place and moves it there: whoever reads it sees
// the old text or the new, and a full disk loses nothing. A file that is there
// keeps its mode, a symbolic link stays one and its target is replaced. What is
// no file cannot be replaced, and is written to: a pipe, a terminal, a device.
func File(file string, text []byte, mode os.FileMode) error {
	if err := write(file, text, mode); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return nil
}

func write(file string, text []byte, mode os.FileMode) error {
	if info, err := os.Stat(file); err == nil {
		if !info.Mode().IsRegular() || isDescriptor(file) {
			return through(file, text, os.O_APPEND)
		}
		mode = info.Mode().Perm()
	}
	if info, err := os.Lstat(file); err == nil && info.Mode()&os.ModeSymlink != 0 {
		target, err := filepath.EvalSymlinks(file)
		if err != nil { // it leads to where nothing is yet
			return through(file, text, os.O_CREATE|os.O_TRUNC)
		}
		file = target
	}
	return swap(file, text, mode)
}

// isDescriptor reports whether the path names what the process has open, as
// /dev/stdout does: others write there, too, even when it leads to a file.
func isDescriptor(file string) bool {
	file = filepath.Clean(file)
	return file == "/dev/stdout" || file == "/dev/stderr" || strings.HasPrefix(file, "/dev/fd/") || strings.HasPrefix(file, "/proc/")
}

// through writes to what is there.
func through(file string, text []byte, flags int) error {
	out, err := os.OpenFile(file, os.O_WRONLY|flags, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}

func swap(file string, text []byte, mode os.FileMode) (err error) {
	next, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(next.Name())
		}
	}()
	if _, err = next.Write(text); err == nil {
		err = next.Sync()
	}
	if closed := next.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err = os.Chmod(next.Name(), mode); err != nil {
		return err
	}
	return os.Rename(next.Name(), file)
}
