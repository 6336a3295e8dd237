package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/replace"
	"github.com/bbsync/bbsync/internal/report/planview"
)

// savePlan writes the plan to a file for a later apply and prints its SHA-256 as the
// last line of standard error, where pipelines read it.
func (a *app) savePlan(p plan.Plan, run *fleet.Run, file string) error {
	in, err := run.Inputs()
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
	a.tellf("Saved the plan to %s. To apply exactly this plan, run bbsync apply with the same flags, this file and --sha256.\n", file)
	a.tellf("SHA-256: %s\n", hex.EncodeToString(sum[:]))
	return nil
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

func stale(format string, args ...any) error {
	return &exitError{code: exitStale, err: fmt.Errorf(format, args...)}
}

// applySaved applies what is still as in a plan file. The file decides nothing: the
// run plans with its own inputs, and the file can only exclude parts of that plan.
func (a *app) applySaved(ctx context.Context, f *applyFlags, file string) error {
	saved, err := readPlan(file, f.sha256)
	if err != nil {
		return err
	}
	fits := func(run *fleet.Run) error { return run.Fits(saved, file) }
	return a.applying(ctx, f, fits, func(x *applying) error {
		p, err := x.planUnleased(ctx)
		if err != nil {
			return err
		}
		approved := fleet.AsSaved(p, saved)
		x.announceRemovals(approved.Plan)
		return x.apply(ctx, approved)
	})
}

// announceRemovals lists what a plan file removes, as there is no confirmation.
func (a *app) announceRemovals(p plan.Plan) {
	removals := p.Removals()
	if len(removals) == 0 {
		return
	}
	a.tellf("This plan removes %s: %s\n", planview.Count(len(removals), "connection"), strings.Join(removals, ", "))
}
