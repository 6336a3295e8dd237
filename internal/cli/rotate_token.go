package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/audit"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/renewal"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/tfe"
)

// checkToken refuses the flags that say nothing of bbsync's own tokens.
func (f *rotateFlags) checkToken(names []string) error {
	switch {
	case f.all == (len(names) > 0):
		return errors.New("name the tokens to renew (terraform.hcp, or a connection with a token of its own), or use --all")
	case f.ssh || f.consumer || f.emergency || f.rollback || f.unknown || f.canary > 0:
		return errors.New("--token renews API tokens of Terraform only and cannot be used with the flags for keys")
	case f.output.machine():
		return errors.New("--token has no --json")
	}
	return nil
}

// rotateTokens renews API tokens with which bbsync calls Terraform.
func (a *app) rotateTokens(ctx context.Context, f *rotateFlags, names []string) error {
	run, err := a.openRun(ctx, newScopeFlags())
	if err != nil {
		return err
	}
	defer run.Close()
	chosen, err := chooseTokens(run, names)
	if err != nil {
		return err
	}
	if err := a.checkUnleased(ctx, run); err != nil {
		return err
	}
	tally := exitcode.Tally{}
	var ready []tokenRenewal
	for _, c := range chosen {
		r := a.tokenRenewal(run, c)
		if err := r.look(ctx); err != nil {
			a.tokenFailed(tally, r.System, err)
			continue
		}
		a.sayf("%s\n  %s\n", r.describe(a), r.todo())
		ready = append(ready, r)
	}
	if len(ready) > 0 && !f.approve {
		if err := a.ask(""); err != nil {
			return err
		}
	}
	trail, err := a.openTrail(run.Configuration.Name)
	if err != nil {
		return err
	}
	for _, r := range ready {
		r.Done = func(what string) { a.tokenStep(trail, r.System, what) }
		if err := r.Run(ctx, r.state); err != nil {
			a.tokenFailed(tally, r.System, err)
			continue
		}
		tally.Add(exitcode.Finished, 1)
	}
	return exit(int(tally.Code()))
}

// A tokenRenewal is one token and what was found of it.
type tokenRenewal struct {
	renewal.Renewal
	place string
	state renewal.State
}

func (a *app) tokenRenewal(run *fleet.Run, c systems.Credential) tokenRenewal {
	return tokenRenewal{place: c.Name(), Renewal: renewal.Renewal{
		System: "terraform." + c.Label, Place: c.Ref.Vault, Fleet: run.Configuration.Name, Vault: run.Systems.Vault(), Now: a.now,
		Open: func(ctx context.Context, token secret.Text) (*tfe.Client, error) {
			return run.Systems.TerraformWith(ctx, c.Label, token)
		},
	}}
}

func (r *tokenRenewal) look(ctx context.Context) (err error) {
	if r.Place == "" {
		return &renewal.RefusedError{
			Reason: "the token is kept in " + r.place + ", and bbsync replaces tokens in Vault only",
			Remedy: "store the token in Vault and refer to it (token { vault = \"mount/path#field\" }), or create another one in Terraform and put it there yourself",
		}
	}
	r.state, err = r.Look(ctx)
	return err
}

func (r *tokenRenewal) describe(a *app) string {
	t := r.state.Token
	end := expiry.OfAPIToken(r.System, r.place, t.Created, t.Expires, true)
	return fmt.Sprintf("%s: token %s of %s %s, kept in %s, %s", r.System, t.ID, strings.TrimSuffix(string(t.Owner.Kind), "s"), t.Owner.ID, r.place, end.When(a.now()))
}

func (r *tokenRenewal) todo() string {
	if r.state.Resumes {
		return "finish the renewal that was interrupted: delete the old token"
	}
	return "create a second token, verify it, store it in Vault, delete this one"
}

func (a *app) tokenStep(trail *trail, system, what string) {
	a.sayf("%s: %s\n", system, what)
	if trail == nil {
		return
	}
	e := trail.stamp
	e.Time, e.Address, e.Step, e.What, e.Result = a.now(), system, "renew_token", what, audit.Done
	if err := trail.Append(e); err != nil {
		a.warn(err)
	}
}

func (a *app) tokenFailed(tally exitcode.Tally, system string, err error) {
	if _, refused := errors.AsType[*renewal.RefusedError](err); refused {
		tally.Add(exitcode.Blocked, 1)
	} else {
		tally.Add(exitcode.Failed, 1)
	}
	a.tellf("Error: %s: %v\n", system, err)
}

// chooseTokens returns the tokens that the names mean; none: all.
func chooseTokens(run *fleet.Run, names []string) ([]systems.Credential, error) {
	all := run.Systems.Credentials(run.Configuration.Connections)
	if len(names) == 0 {
		return all, nil
	}
	var out []systems.Credential
	for _, name := range names {
		var found []systems.Credential
		if label, ok := strings.CutPrefix(name, "terraform."); ok {
			found = slices.DeleteFunc(slices.Clone(all), func(c systems.Credential) bool { return c.Label != label || c.Own })
			if len(found) == 0 {
				return nil, &exitError{code: exitUsage, err: fmt.Errorf("%s has no token that a connection uses; bbsync validate --verbose lists the connections", name)}
			}
		} else {
			connections, err := fleet.Select(run.Configuration, []string{name})
			if err != nil {
				return nil, err
			}
			found = run.Systems.Credentials(connections)
		}
		for _, c := range found {
			if !slices.ContainsFunc(out, func(have systems.Credential) bool { return have.Label == c.Label && have.Name() == c.Name() }) {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// checkUnleased refuses to take the token away from a run that is under way.
func (a *app) checkUnleased(ctx context.Context, run *fleet.Run) error {
	records, err := live.FleetRecords(ctx, run.Systems)
	if err != nil {
		return err
	}
	for path, r := range records {
		if r.Lease != nil && a.now().Before(r.Lease.Expires) {
			return &exitError{code: exitLeased, err: fmt.Errorf("%s holds the lease of %s: a run that is under way would lose its token; run this again when it has finished", r.Lease.Holder, path)}
		}
	}
	return nil
}
