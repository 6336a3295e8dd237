package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// replaceFile writes a file beside its place and moves it there: whoever reads
// it sees the old text or the new, and a full disk loses nothing.
func replaceFile(file string, text []byte) (err error) {
	mode := os.FileMode(0o600)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	next, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(next.Name())
			err = fmt.Errorf("writing %s: %w", file, err)
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
