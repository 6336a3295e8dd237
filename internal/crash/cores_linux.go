package crash

import "syscall"

// noCore is a limit below one page, so that no file is written, and the one value
// with which Linux does not hand a core to a program either (fs/coredump.c).
const noCore = 1

func forbidCores() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) != nil || limit.Max < noCore {
		return // none can be written
	}
	limit.Cur = noCore
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit) // lowering it is always allowed
}
