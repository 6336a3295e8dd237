package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ahead is the time as far in the future as the script says.
func ahead() time.Time {
	by, err := time.ParseDuration(os.Getenv("BBSYNC_TEST_AHEAD"))
	if err != nil {
		by = 0
	}
	return time.Now().Add(by)
}

// overheard runs bbsync and keeps a copy of all that it was called with and
// printed, for the search for secrets at the script's end.
func overheard() int {
	file, err := os.CreateTemp(os.Getenv("BBSYNC_TEST_HEARD"), "heard-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	defer func() { _ = file.Close() }()
	fmt.Fprintln(file, filepath.Base(os.Args[0]), strings.Join(os.Args[1:], " "))
	stderr := io.MultiWriter(os.Stderr, file)
	if isTerminal(os.Stderr) { // it must be seen as one; the script keeps what it shows
		stderr = os.Stderr
	}
	return runAt(ahead, os.Args[1:], os.Stdin, io.MultiWriter(os.Stdout, file), stderr)
}
