package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"

	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/report/terminal"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/schema"
)

// profile has a process of its own do what the verb plan does, under the
// runtime's profilers: cpu.pprof, and allocs.pprof with every allocation.
func (b *measuring) profile(ctx context.Context, g *guest) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	folder, err := filepath.Abs(b.profiles)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, kind := range []string{"cpu", "allocs"} {
		child := exec.CommandContext(ctx, self, "-profile", kind, "-profiles", folder) //nolint:gosec // this program
		child.Dir, child.Env, child.Stderr = g.Folder, g.env(), os.Stderr
		if err := child.Run(); err != nil {
			return fmt.Errorf("profiling: %w", err)
		}
	}
	return nil
}

// planProfiled is that process. Each kind has its own, as counting every
// allocation costs CPU.
func planProfiled(ctx context.Context, kind, folder string) (err error) {
	file, err := os.Create(filepath.Join(folder, kind+".pprof"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if kind == "cpu" {
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
		return planOnce(ctx)
	}
	runtime.MemProfileRate = 512
	if err := planOnce(ctx); err != nil {
		return err
	}
	return pprof.Lookup("allocs").WriteTo(file, 0)
}

func planOnce(ctx context.Context) error {
	configuration, _, diags := schema.Load(".", schema.Options{})
	if diags.HasErrors() {
		return diags
	}
	run, err := fleet.New(configuration, fleet.Scope{}, fleet.Env{Systems: systems.Env{Getenv: os.Getenv, Dir: "."}})
	if err != nil {
		return err
	}
	if err := run.Open(ctx); err != nil {
		return err
	}
	defer run.Close()
	p, err := run.Plan(ctx)
	if err != nil {
		return err
	}
	_, err = io.WriteString(io.Discard, terminal.Plan(p, terminal.Options{}))
	return err
}
