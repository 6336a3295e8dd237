package doctor

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/plan"
)

// unknownKeys reports the SSH keys of service users that no record of the fleet
// knows. One that someone added with the administrator's password would live on
// through every rotation.
func unknownKeys(found plan.UnknownKeys) Check {
	const name = "unknown-ssh-keys"
	if len(found.Keys) == 0 {
		if found.Doubt != "" {
			return unknown(name, found.Doubt, "")
		}
		return ok(name, "every SSH key of the service users is in a record of the fleet, or listed in known_ssh_keys")
	}
	lines := make([]string, len(found.Keys))
	for i, k := range found.Keys {
		lines[i] = k.User + ": " + k.String()
	}
	cause := join("another fleet's, a person's, or someone else added it: no record of this fleet knows it", found.Doubt)
	return warning(name, fmt.Sprintf("%d: %s", len(lines), strings.Join(lines, "; ")), cause,
		"find out whose it is; list it in known_ssh_keys of the bitbucket block if it is expected, else bbsync rotate --all --emergency --reason WHY --remove-unknown-keys")
}
