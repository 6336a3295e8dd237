//go:build unix

package drive

import (
	"os"
	"syscall"
)

// tryLock opens a file and locks it until it is closed or the process ends. It
// fails when another process holds the lock.
func tryLock(file string, flags int) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_RDWR|syscall.O_NOFOLLOW|flags, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// ownFolder reports whether the entry belongs to the user.
func ownFolder(entry os.DirEntry) bool {
	info, err := entry.Info()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
