package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/replace"
	"github.com/bbsync/bbsync/internal/systems"
)

// savePlan writes the plan to a file for a later apply, and its SHA-256 to standard
// error: the last line, which pipelines read.
func (a *app) savePlan(p plan.Plan, s *session, file string) error {
	in, err := s.inputs()
	if err != nil {
		return err
	}
	text, err := plan.Encode(p, in)
	if err != nil {
		return err
	}
	if err := replace.File(file, text, 0o600); err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	a.tellf("Saved the plan to %s. To apply exactly this plan, run bbsync apply with the same flags, this file and its hash as --sha256.\n", file)
	a.tellf("SHA-256: %s\n", hex.EncodeToString(sum[:]))
	return nil
}

// inputs returns what the run was asked for with.
func (s *session) inputs() (plan.Inputs, error) {
	vault, err := systems.VaultAddress(s.fleet.Vault, s.app.getenv)
	if err != nil {
		return plan.Inputs{}, fmt.Errorf("vault: %w", err)
	}
	in := plan.Inputs{
		Variables: s.fleet.Variables, Systems: map[string]string{"vault": vault},
		Targets: s.targets, Adopt: s.adopt, Shard: s.shard.String(),
		Prune: s.removal.prune, MaxRemovals: s.fleet.MaxRemovals, AllowUnlink: s.removal.allowUnlink,
	}
	if namespace := systems.VaultNamespace(s.fleet.Vault, s.app.getenv); namespace != "" {
		in.Systems["vault namespace"] = namespace
	}
	for _, t := range s.fleet.Terraforms {
		in.Systems["terraform."+t.Label] = t.Address
	}
	for _, b := range s.fleet.Bitbuckets {
		in.Systems["bitbucket."+b.Label] = b.URL
	}
	if s.removal.max >= 0 {
		in.MaxRemovals = s.removal.max
	}
	return in, nil
}

// checkHash returns an error when --sha256 is no SHA-256, or has no file.
func (f *applyFlags) checkHash(args []string) error {
	if f.sha256 == "" {
		return nil
	}
	if sum, err := hex.DecodeString(f.sha256); err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("--sha256 %s is not a SHA-256: it has 64 hexadecimal digits, as plan --out prints them", f.sha256)
	}
	if len(args) == 0 {
		return errors.New("--sha256 needs a plan file: bbsync apply FILE --sha256 HASH")
	}
	return nil
}

// readPlan reads a plan file. A file that does not have the hash is refused before
// anything in it is read.
func readPlan(file, hash string) (*plan.Saved, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(text)); hash != "" && !strings.EqualFold(sum, hash) {
		return nil, stale("%s is not the approved plan: it has the SHA-256 %s, and --sha256 is %s; plan again", file, sum, strings.ToLower(hash))
	}
	saved, err := plan.Decode(text)
	if err != nil {
		return nil, stale("%s: %w", file, err)
	}
	return &saved, nil
}

// fits returns an error when a plan file is not of the session's fleet and inputs.
// It asks no system.
func (s *session) fits(saved *plan.Saved, file string) error {
	if s.fleet.Name != saved.Fleet {
		return stale("%s was made for fleet %q, and the configuration describes fleet %q", file, saved.Fleet, s.fleet.Name)
	}
	in, err := s.inputs()
	if err != nil {
		return err
	}
	if differences := saved.Inputs.Differences(in); len(differences) > 0 {
		return stale("%s was made with other inputs: %s; nothing was read or changed. Run apply with the inputs of the plan, or plan again", file, strings.Join(differences, "; "))
	}
	return nil
}

func stale(format string, args ...any) error {
	return &exitError{code: exitStale, err: fmt.Errorf(format, args...)}
}

// applySaved carries out what of a saved plan still holds. The file decides
// nothing: the run plans with its own inputs, and the file can only keep a part of
// that from running.
func (a *app) applySaved(ctx context.Context, f *applyFlags, file string) (err error) {
	saved, err := readPlan(file, f.sha256)
	if err != nil {
		return err
	}
	s, t, err := a.openTold(ctx, f, func(s *session) error { return s.fits(saved, file) })
	if t == nil {
		return err
	}
	defer func() { err = t.end(err) }()
	if err != nil {
		return err
	}
	defer s.close()
	reading, cancel := a.untilStopped(ctx)
	defer cancel()
	now, err := s.planUnleased(reading, f)
	if err != nil {
		return err
	}
	var outdated []plan.Outdated
	now, outdated = saved.Approved(now)
	for _, o := range outdated {
		s.outdated = append(s.outdated, apply.Outcome{
			Address: o.Address, Status: apply.Stale, Left: o.Steps,
			Err: fmt.Errorf("%s: not as in the plan file: %s; it was not changed, plan again", o.Address, o.Why),
		})
	}
	a.announceRemovals(now)
	return a.carryOut(ctx, s, now, f, t)
}

// announceRemovals names what a saved plan removes: nobody is asked any more.
func (a *app) announceRemovals(p plan.Plan) {
	removals := p.Removals()
	if len(removals) == 0 {
		return
	}
	noun := "connections"
	if len(removals) == 1 {
		noun = "connection"
	}
	a.tellf("This plan removes %d %s: %s\n", len(removals), noun, strings.Join(removals, ", "))
}
