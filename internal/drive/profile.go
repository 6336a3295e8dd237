package drive

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// profilePrefix begins the names of the folders in which browsers keep what they
// need, the person's logins among it.
const profilePrefix = "bbsync-browser-"

// A profile is the folder of one browser. It is locked as long as this process
// lives, so that another one can tell when nobody is left to remove it.
type profile struct {
	dir  string
	lock *os.File
}

// newProfile makes a folder below base, and removes those that processes left
// behind which were killed.
func newProfile(base string) (*profile, error) {
	sweep(base)
	dir, err := os.MkdirTemp(base, profilePrefix)
	if err != nil {
		return nil, fmt.Errorf("making a profile for the browser: %w", err)
	}
	lock, err := tryLock(lockFile(dir), os.O_CREATE|os.O_EXCL)
	if err != nil {
		_ = os.Remove(dir) //nolint:gosec // MkdirTemp made it
		return nil, fmt.Errorf("locking the browser's profile: %w", err)
	}
	return &profile{dir, lock}, nil
}

func lockFile(dir string) string { return filepath.Join(dir, "in-use-by-bbsync") }

// remove removes the profile. Processes of the browser can outlive it for a
// moment and write there, so it is tried for some seconds.
func (p *profile) remove() error {
	_ = p.lock.Close()
	return removeAll(p.dir)
}

func removeAll(dir string) error {
	var err error
	for pause := 10 * time.Millisecond; pause < 3*time.Second; pause *= 2 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(pause)
	}
	return err
}

// young is how old a profile without a lock must be to count as left behind: its
// process is between making the two otherwise.
const young = time.Minute

// sweep removes the user's profiles that no living process has locked. What
// cannot be removed stays for the next time.
func sweep(base string) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return
	}
	for _, entry := range entries {
		dir := filepath.Join(base, entry.Name())
		if strings.HasPrefix(entry.Name(), profilePrefix) && entry.IsDir() && ownFolder(entry) && abandoned(dir) {
			_ = os.RemoveAll(dir) //nolint:gosec // an entry of base with our prefix, which is the user's
		}
	}
}

func abandoned(dir string) bool {
	lock, err := tryLock(lockFile(dir), 0)
	if err == nil {
		_ = lock.Close()
		return true
	}
	info, statErr := os.Stat(dir) //nolint:gosec // as above
	return os.IsNotExist(err) && statErr == nil && time.Since(info.ModTime()) > young
}
