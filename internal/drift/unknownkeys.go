package drift

import (
	"time"

	"github.com/bbsync/bbsync/internal/plan"
)

// UnknownKey is an SSH key of a service user that no record of the fleet knows, nor
// the configuration.
type UnknownKey struct {
	User        string    `json:"user"`
	Fingerprint string    `json:"fingerprint"`
	Label       string    `json:"label,omitempty"`
	Created     time.Time `json:"created,omitzero"`
	LastUsed    time.Time `json:"last_used,omitzero"`
}

// UnknownKeys returns the unknown SSH keys of a Bitbucket's service users.
func UnknownKeys(b plan.BitbucketPlan) []UnknownKey {
	var out []UnknownKey
	for _, k := range b.UnknownKeys {
		out = append(out, UnknownKey{User: k.User, Fingerprint: k.Fingerprint, Label: k.Label, Created: k.Created, LastUsed: k.LastUsed})
	}
	return out
}

// unknownKeys returns the unknown SSH keys as differences: apply does nothing about
// them, but they are not as the configuration says.
func unknownKeys(b plan.BitbucketPlan) []Difference {
	var out []Difference
	for _, k := range b.UnknownKeys {
		out = append(out, Difference{Kind: "unknown_ssh_key", What: "SSH key of " + k.User, Live: k.String(), Want: "none that no record of the fleet knows"})
	}
	return out
}

// sharedState is the state of what a Bitbucket's connections share, unknown SSH
// keys included.
func sharedState(b plan.BitbucketPlan) plan.State {
	if state := b.State(); state != plan.StateInSync || len(b.UnknownKeys) == 0 {
		return state
	}
	return plan.StateChanges
}
