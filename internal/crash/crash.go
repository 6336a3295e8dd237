// Package crash keeps crashes of the program apart from its exit codes. The Go
// runtime ends a crashed process with 2, which pipelines read as drift.
package crash

import "runtime/debug"

// Prepare has every crash of this process end it by SIGABRT, which a shell shows
// as 134: also those that no recover sees, as an overflow of the stack. No core is
// written, since it would hold secrets.
func Prepare() {
	debug.SetTraceback("crash")
	forbidCores()
}
