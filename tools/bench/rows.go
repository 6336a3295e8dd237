package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	serverLimit = 30 // requests per second and credential, as HCP Terraform has it
	latency     = 50 * time.Millisecond
)

// rows measures bbsync.
func (b *measuring) rows(ctx context.Context, t *table) error {
	for _, part := range []struct {
		word    string
		measure func(context.Context, *table) error
	}{
		{"limit", b.limitRow}, {"plan", b.planRows}, {"apply", b.applyRow}, {"parse", b.parseRow}, {"start", b.startRow}, {"size", b.sizeRow},
	} {
		if !b.wanted(part.word) {
			continue
		}
		if err := part.measure(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", part.word, err)
		}
	}
	return nil
}

// within calls do with a sandbox that lives as long.
func (b *measuring) within(ctx context.Context, s setting, do func(*guest) error) error {
	g, err := b.start(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(do(g), g.stop())
}

func (b *measuring) plan(g *guest, more ...string) command {
	return command{args: append([]string{b.binary, "plan"}, more...), dir: g.Folder, env: g.env()}
}

// limitRow is the plan near the servers' limit.
func (b *measuring) limitRow(ctx context.Context, t *table) error {
	const n = 1000
	return b.within(ctx, setting{Orgs: n, Latency: latency, RateLimit: serverLimit}, func(g *guest) error {
		took, err := b.plan(g).once(ctx)
		if err != nil {
			return err
		}
		counts, err := g.counts(ctx)
		if err != nil {
			return err
		}
		most := max(counts["terraform"], counts["bitbucket"])
		ideal := float64(most) / serverLimit
		ratio := took.Wall.Seconds() / ideal
		t.row(fmt.Sprintf("plan of %d in sync, %d requests/s, %s latency", n, serverLimit, latency),
			fmt.Sprintf("%.3f × (requests ÷ limit): %s; %d requests to Terraform, %d to Bitbucket, %d to Vault",
				ratio, took, counts["terraform"], counts["bitbucket"], counts["vault"]), "≤ 1.10 ×", ratio <= 1.10)
		return nil
	})
}

// planRows are the plans without limit or latency.
func (b *measuring) planRows(ctx context.Context, t *table) error {
	var thousand, tenThousand usage
	for _, size := range []struct {
		n    int
		into *usage
	}{{1000, &thousand}, {10000, &tenThousand}} {
		err := b.within(ctx, setting{Orgs: size.n}, func(g *guest) (err error) {
			if *size.into, err = b.plan(g).least(ctx, b.runs); err != nil || b.profiles == "" || size.n < 10000 {
				return err
			}
			return b.profile(ctx, g)
		})
		if err != nil {
			return err
		}
		t.row(fmt.Sprintf("plan of %d in sync, no limit, no latency", size.n),
			fmt.Sprintf("%s; %.0f µs of CPU per connection", *size.into, size.into.CPU.Seconds()*1e6/float64(size.n)), "", true)
	}
	ratio := tenThousand.Wall.Seconds() / thousand.Wall.Seconds()
	t.row("time of 10,000 to time of 1,000", fmt.Sprintf("%.1f ×", ratio), "≤ 12 ×", ratio <= 12)
	t.row("peak memory of a plan of 10,000", fmt.Sprintf("%d MB", tenThousand.Memory>>20), "≤ 250 MB", tenThousand.Memory <= 250<<20)
	return nil
}

// parseRow reads and checks files, with a block for each connection and with
// one for all.
func (b *measuring) parseRow(ctx context.Context, t *table) error {
	for _, form := range []struct {
		name  string
		write func(string, int) error
	}{{"one block over a list", writeList}, {"a block each in ten files", writeBlocks(10)}, {"a block each in one file", writeBlocks(1)}} {
		var took [2]usage
		for i, n := range []int{1000, 10000} {
			dir, err := os.MkdirTemp(b.folder, "parse-")
			if err != nil {
				return err
			}
			if err := form.write(dir, n); err != nil {
				return err
			}
			if took[i], err = (command{args: []string{b.binary, "validate"}, dir: dir, env: os.Environ()}).least(ctx, b.runs); err != nil {
				return err
			}
		}
		t.row("parse and check 10,000 connections, "+form.name,
			fmt.Sprintf("%s; %.1f × that of 1,000", took[1], took[1].Wall.Seconds()/took[0].Wall.Seconds()), "≤ 1 s", took[1].Wall <= time.Second)
	}
	return nil
}

// startRow is how long the program takes to say which one it is.
func (b *measuring) startRow(ctx context.Context, t *table) error {
	took, err := (command{args: []string{b.binary, "version"}, env: os.Environ()}).least(ctx, 20)
	if err != nil {
		return err
	}
	t.row("bbsync version", fmt.Sprintf("%.1f ms, %d MB", took.Wall.Seconds()*1000, took.Memory>>20), "≤ 30 ms", took.Wall <= 30*time.Millisecond)
	return nil
}
