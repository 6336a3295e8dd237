package fleet

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
)

// Inputs returns what a plan of this run depends on beside the systems, as a plan
// file keeps it.
func (r *Run) Inputs() (plan.Inputs, error) {
	vault, err := systems.VaultAddress(r.Configuration.Vault, r.env.Systems.Getenv)
	if err != nil {
		return plan.Inputs{}, fmt.Errorf("vault: %w", err)
	}
	in := plan.Inputs{
		Variables: r.Configuration.Variables, Systems: map[string]string{"vault": vault},
		Targets: r.Scope.Targets, Adopt: r.Scope.Adopt, Shard: r.Scope.Shard.String(),
		Prune: r.Scope.Removal.Prune, MaxRemovals: r.Configuration.MaxRemovals, AllowUnlink: r.Scope.Removal.AllowUnlink,
	}
	if namespace := systems.VaultNamespace(r.Configuration.Vault, r.env.Systems.Getenv); namespace != "" {
		in.Systems["vault namespace"] = namespace
	}
	for _, t := range r.Configuration.Terraforms {
		in.Systems["terraform."+t.Label] = t.Address
	}
	for _, b := range r.Configuration.Bitbuckets {
		in.Systems["bitbucket."+b.Label] = b.URL
	}
	if r.Scope.Removal.Max != nil {
		in.MaxRemovals = *r.Scope.Removal.Max
	}
	return in, nil
}

// Fits returns an error when a plan file is of another fleet, or was made with
// other inputs. It asks no system.
func (r *Run) Fits(saved *plan.Saved, file string) error {
	if r.Configuration.Name != saved.Fleet {
		return stale("%s was made for fleet %q, and the configuration describes fleet %q", file, saved.Fleet, r.Configuration.Name)
	}
	in, err := r.Inputs()
	if err != nil {
		return err
	}
	if differences := saved.Inputs.Differences(in); len(differences) > 0 {
		return stale("%s was made with other inputs: %s; nothing was read or changed. Run apply with the inputs of the plan, or plan again", file, strings.Join(differences, "; "))
	}
	return nil
}
