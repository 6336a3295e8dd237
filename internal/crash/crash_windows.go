package crash

func forbidCores() {} // Windows writes none unless an administrator wants them

// AsChild does nothing: Windows has no first process of a namespace.
func AsChild(args, environ []string, terminal bool) (code int, ran bool) { return 0, false }
