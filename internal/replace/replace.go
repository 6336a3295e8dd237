// Package replace writes files that others read at any time.
package replace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// File writes a file beside its place and moves it there: whoever reads it sees
// the old text or the new, and a full disk loses nothing. A file that is there
// keeps its mode, a symbolic link stays one and its target is replaced. What is
// no file cannot be replaced, and is written to: a pipe, a terminal, a device.
// What another user has put into a shared folder is not followed or written to.
func File(file string, text []byte, mode os.FileMode) error {
	if err := write(file, text, mode); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return nil
}

func write(file string, text []byte, mode os.FileMode) error {
	if isDescriptor(file) {
		return through(file, text)
	}
	target, info, err := resolve(file)
	if err != nil {
		return err
	}
	if info == nil {
		return swap(target, text, mode)
	}
	ours := trusted(target, info)
	switch {
	case !info.Mode().IsRegular() && !ours:
		return fmt.Errorf("%s is no file and belongs to another user: remove it, or write elsewhere", target)
	case !info.Mode().IsRegular():
		return through(target, text)
	case ours: // the mode of a stranger's file could let that stranger change ours
		mode = info.Mode().Perm()
	}
	return swap(target, text, mode)
}

// Resolve returns where a path leads behind symbolic links. It fails at a link
// that belongs neither to the user nor to the folder's owner nor to root, as the
// kernel does in shared folders where fs.protected_symlinks is set.
func Resolve(file string) (string, error) {
	target, _, err := resolve(file)
	return target, err
}

// maxLinks is how many symbolic links may follow each other, as in Linux.
const maxLinks = 40

// resolve returns the target of a path and what is there; nil: nothing.
func resolve(file string) (string, os.FileInfo, error) {
	for range maxLinks {
		info, err := os.Lstat(file)
		if errors.Is(err, fs.ErrNotExist) {
			return file, nil, nil
		}
		if err != nil {
			return "", nil, err
		}
		if info.Mode()&os.ModeSymlink == 0 {
			return file, info, nil
		}
		if !trusted(file, info) {
			return "", nil, fmt.Errorf("the symbolic link %s belongs to another user: remove it, or write elsewhere", file)
		}
		if _, err := os.Stat(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err // the kernel does not follow it
		}
		target, err := os.Readlink(file)
		if err != nil {
			return "", nil, err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Dir(file) + string(filepath.Separator) + target // Join would take ".." off a linked folder
		}
		file = target
	}
	return "", nil, fmt.Errorf("%s: more than %d symbolic links follow each other", file, maxLinks)
}

// trusted reports whether what is at the path was put there by the user, by
// root, or by the owner of the folder.
func trusted(path string, info os.FileInfo) bool {
	folder, err := os.Stat(filepath.Dir(path))
	return err == nil && owned(info, folder)
}

// isDescriptor reports whether the path names what the process has open, as
// /dev/stdout does: others write there, too, even when it leads to a file.
func isDescriptor(file string) bool {
	file = filepath.Clean(file)
	return file == "/dev/stdout" || file == "/dev/stderr" || strings.HasPrefix(file, "/dev/fd/") || strings.HasPrefix(file, "/proc/")
}

// through writes to what is there.
func through(file string, text []byte) error {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0o600)
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
