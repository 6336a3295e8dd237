package schema

import (
	"errors"
	"testing"
)

// TestFileOfKernelInRoot: where the configuration folder is the root of the file
// system, as in a small container, the kernel's files are still out of bounds.
func TestFileOfKernelInRoot(t *testing.T) {
	if _, err := openBelow("/", "proc/self/environ"); !errors.Is(err, errOutside) {
		t.Errorf("have %v", err)
	}
}
