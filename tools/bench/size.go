package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	product = "./cmd/bbsync"
	least   = "./tools/bench/forced" // what the three large libraries force
)

// sizeRow compares the binary with what its three large libraries force, built
// the same way, and says whose code it is.
func (b *measuring) sizeRow(ctx context.Context, t *table) error {
	tags, err := tagsOf(b.binary)
	if err != nil {
		return err
	}
	for _, way := range []struct{ what, flags string }{{"size of the binary, stripped", "-s -w"}, {"size of the binary", ""}} {
		have, err := b.build(ctx, product, tags, way.flags)
		if err != nil {
			return err
		}
		want, err := b.build(ctx, least, tags, way.flags)
		if err != nil {
			return err
		}
		t.row(way.what, fmt.Sprintf("%.1f MB; go-tfe, hcl and vault/api alone: %.1f MB (%.2f ×)",
			mega(have), mega(want), float64(have)/float64(want)), "no more than that", have <= want)
	}
	return b.codeRow(ctx, t, tags)
}

// codeRow says whose the machine code is, in the programs that were built last.
func (b *measuring) codeRow(ctx context.Context, t *table, tags string) error {
	whole, err := b.weigh(ctx, product, tags)
	if err != nil {
		return err
	}
	forced, err := b.weigh(ctx, least, tags)
	if err != nil {
		return err
	}
	t.row("whose its machine code is", whole.beside(forced), "", true)
	return nil
}

// tagsOf returns the build tags that a program was built with.
func tagsOf(file string) (string, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("how it was built: %w", err)
	}
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return s.Value, nil
		}
	}
	return "", nil
}

// build builds a program of the repository and returns how large it is.
func (b *measuring) build(ctx context.Context, program, tags, linker string) (int64, error) {
	file := b.built(program)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", tags, "-ldflags", linker, "-o", file, program) //nolint:gosec // a program of ours
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building %s: %w\n%s", program, err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// built is where build puts a program.
func (b *measuring) built(program string) string {
	return filepath.Join(b.folder, filepath.Base(program))
}

func mega(size int64) float64 { return float64(size) / 1e6 }
