package schema_test

import (
	"path/filepath"
	"runtime"
)

// sourceDir returns the folder of this package.
func sourceDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}
