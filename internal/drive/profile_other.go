//go:build !unix

package drive

import "os"

// tryLock opens a file. On Windows an open file cannot be removed, which is lock
// enough: a folder in use stays.
func tryLock(file string, flags int) (*os.File, error) {
	return os.OpenFile(file, os.O_RDWR|flags, 0o600)
}

// ownFolder reports true: the temporary folder is the user's own.
func ownFolder(os.DirEntry) bool { return true }
