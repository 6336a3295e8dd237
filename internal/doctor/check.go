package doctor

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/fault"
)

func ok(name, format string, args ...any) Check {
	return Check{Name: name, Status: OK, Found: fmt.Sprintf(format, args...)}
}

func failed(name, found, cause, remedy string) Check {
	return Check{Name: name, Status: Failed, Found: found, Cause: cause, Remedy: remedy}
}

func warning(name, found, cause, remedy string) Check {
	return Check{Name: name, Status: Warning, Found: found, Cause: cause, Remedy: remedy}
}

func unknown(name, cause, remedy string) Check {
	return Check{Name: name, Status: Unknown, Found: "not known", Cause: cause, Remedy: remedy}
}

// failure is a check that failed with an error. The error's kind says how to fix
// it; where it does not, the fix is where to look: nobody is left with a cause alone.
func failure(name, found string, err error) Check {
	cause, fix := fault.Explain(err)
	if fix == "" {
		fix = "fix what the cause names, and run bbsync doctor again; docs/troubleshooting.md explains the messages"
	}
	return failed(name, found, cause, fix)
}

// undecided is a check that could not be made because of an error.
func undecided(name string, err error) Check {
	cause, fix := fault.Explain(err)
	return unknown(name, cause, fix)
}

// join joins what is not empty.
func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "; ")
}
