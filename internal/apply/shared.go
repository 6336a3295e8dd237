package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/plan"
)

// bitbucket carries out what a Bitbucket's connections share. Each step stands
// alone: one that fails holds back the connections that need it, not the rest.
func (e *executor) bitbucket(ctx context.Context, b plan.BitbucketPlan) Outcome {
	address := b.Address()
	out := Outcome{Address: address, Left: plan.AnySteps(b.Steps())}
	switch {
	case len(b.Blocks) > 0:
		out.Status, out.Err = blockedAs(b.State()), errors.New(b.Blocks[0].Text)
		return out
	case len(b.Changes) == 0:
		out.Status = Unchanged
		return out
	}
	out = Outcome{Address: address, Status: Applied}
	for _, step := range b.Steps() {
		one := steps(ctx, e, address, []plan.SharedStep{step}, func(ctx context.Context, s plan.SharedStep) (Deed, error) {
			return Deed{}, e.shared(ctx, b.Label, s)
		})
		out.Done, out.Left = append(out.Done, one.Done...), append(out.Left, one.Left...)
		if one.Status == Applied {
			continue
		}
		out.Status, out.Err = one.Status, errors.Join(out.Err, one.Err)
		e.hold(step, one.Err)
	}
	return out
}

// hold remembers a grant that did not happen.
func (e *executor) hold(step plan.SharedStep, err error) {
	grant, ok := step.(plan.GrantPermission)
	if !ok {
		return
	}
	if err == nil {
		err = fmt.Errorf("%s: not run", step)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failed[grant] = err
}

func (e *executor) shared(ctx context.Context, label string, step plan.SharedStep) error {
	client, err := e.sys.Bitbucket(ctx, label)
	if err != nil {
		return err
	}
	switch s := step.(type) {
	case plan.GrantPermission:
		return grant(ctx, client, s)
	case plan.RemoveUnknownKey:
		found, err := e.sys.FindUnknownKey(ctx, label, s.User, s.ID, s.Fingerprint)
		if err != nil || !found {
			return err
		}
		return client.DeleteSSHKey(ctx, s.User, s.ID)
	case plan.InstallPlugin:
		return client.InstallPlugin(ctx, s.URL)
	case plan.EnablePlugin:
		return client.EnablePlugin(ctx, s.Key)
	case plan.EnableHook:
		return client.EnableHook(ctx, s.Project, s.Repository, s.Key)
	}
	return fmt.Errorf("unknown step %s", step.Type().Kind)
}

// grant gives the permission and checks that it is held, effectively.
func grant(ctx context.Context, client bitbucketServer, s plan.GrantPermission) error {
	p := bitbucket.Permission{Project: s.Project, Repository: s.Repository, Name: s.Permission}
	if err := client.Grant(ctx, s.User, p); err != nil {
		return err
	}
	held, err := client.HasPermissions(ctx, s.User, []bitbucket.Permission{p})
	if err != nil {
		return err
	}
	if !held[0].Held {
		return fmt.Errorf("%s was granted, but %s does not hold it effectively: is the user licensed?", s.Permission, s.User)
	}
	return nil
}
