//go:build unix

package replace

import (
	"os"
	"syscall"
)

// owned reports whether a file belongs to the user, to root, or to the owner of
// its folder.
func owned(file, folder os.FileInfo) bool {
	of, ok := file.Sys().(*syscall.Stat_t)
	in, known := folder.Sys().(*syscall.Stat_t)
	return ok && known && byTrusted(of.Uid, in.Uid, uint32(os.Geteuid())) //nolint:gosec // an id of a user is not negative
}

func byTrusted(owner, folder, user uint32) bool {
	return owner == user || owner == folder || owner == 0
}
