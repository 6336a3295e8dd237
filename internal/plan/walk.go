package plan

import (
	"fmt"
	"strings"
)

// A rule says what its object needs next, nil for nothing. It looks at the world
// alone, in which the steps before have had their effect, and does not know which
// other rule planned them.
type rule struct {
	name string
	next func(view) *Change
}

// describedRules are the rules of a connection that the configuration describes, in their
// order: the first that has something to do says the next step. The order is that of a
// new connection, from Vault to Terraform. A rule that begins something comes last: only
// what is in order is rotated.
func describedRules() []rule {
	return []rule{
		{"lease", leaseRule},
		{"record", recordRule},
		{"compromised", compromisedRule}, // the mark, before any write elsewhere: it outlives a crash
		{"fetched", fetchedRule},         // what a run was moving when it was cut off
		{"second client", secondClientRule},
		{"first pair", firstPairRule}, // Vault, before any system learns of it
		{"first key", firstKeyRule},
		{"emergency", emergencyRule}, // a compromised key goes before anything is repaired
		{"link", linkRule},           // Bitbucket
		{"consumer", consumerRule},
		{"client", clientRule}, // Terraform, when Bitbucket accepts the pair
		{"compromised pair", compromisedPairRule},
		{"public key", publicKeyRule}, // Bitbucket, before Terraform has the private half
		{"leftovers", leftoversRule},
		{"previous key", previousKeyRule}, // an SSH key leaves before another one comes
		{"staged key", stagedKeyRule},
		{"next key", nextKeyRule},
		{"authorize", authorizeRule},        // a manual step
		{"token's key", tokenKeyRule},       // Terraform
		{"token", tokenRule},                // proven, when all that it needs is there
		{"workspaces", workspacesRule},      // Terraform, with a token that works
		{"previous pair", previousPairRule}, // Vault, when all is proven
		{"another pair", anotherPairRule},   // what is in order is rotated, one thing after the other
		{"another key", anotherKeyRule},
	}
}

// next returns the next step towards what is wanted, and why; false when nothing is
// left to do. It is a function of its arguments.
func next(rules []rule, v view) (Change, bool) {
	for _, r := range rules {
		if c := r.next(v); c != nil {
			return *c, true
		}
	}
	return Change{}, false
}

// bound is more steps than any plan has, but for waves of workspaces.
const bound = 60

// walk returns the steps to what is wanted, and the world that they lead to. It
// returns an error when they do not end, which is a bug in a rule or in an effect.
func walk(rules []rule, v view) ([]Change, World, error) {
	var out []Change
	for limit := bound + v.workspaces(); len(out) <= limit; {
		c, more := next(rules, v)
		if !more {
			return out, *v.World, nil
		}
		out = append(out, c)
		after := Effect(c.Step, *v.World)
		v.World = &after
	}
	var kinds []string
	for _, c := range out {
		kinds = append(kinds, c.Step.Type().Kind)
	}
	return nil, *v.World, fmt.Errorf("the steps do not end: %s", strings.Join(kinds, ", "))
}

// workspaces counts those of the organization.
func (v view) workspaces() int {
	n := 0
	for _, some := range v.Using {
		n += len(some)
	}
	return n
}
