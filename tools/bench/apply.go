package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/bbsync/bbsync/internal/keys"
)

// applyRow makes 200 connections up to where a person must click, and says
// which of the two limits binds: generating two key pairs for each, or the
// requests that the servers allow.
func (b *measuring) applyRow(ctx context.Context, t *table) error {
	const n = 200
	generating, err := keyTime()
	if err != nil {
		return err
	}
	return b.within(ctx, setting{Orgs: n, Empty: true, Latency: latency, RateLimit: serverLimit}, func(g *guest) error {
		took, err := command{args: []string{b.binary, "apply", "--auto-approve"}, dir: g.Folder, env: g.env(), exits: []int{4}}.once(ctx)
		if err != nil {
			return err
		}
		counts, err := g.counts(ctx)
		if err != nil {
			return err
		}
		cpus := float64(runtime.NumCPU())
		byKeys := 2 * n * generating.Seconds() / cpus
		byRequests := float64(max(counts["terraform"], counts["bitbucket"])) / serverLimit
		binds := "the requests bind"
		if byKeys > byRequests {
			binds = "key generation binds"
		}
		t.row(fmt.Sprintf("apply that creates %d, %d requests/s, %s latency", n, serverLimit, latency),
			fmt.Sprintf("%s; %s: %d key pairs at %.0f ms on %.0f processors are %.1f s, %d requests to Terraform and %d to Bitbucket %.1f s; "+
				"one after the other %.1f s; %.2f × the greater", took, binds, 2*n, generating.Seconds()*1000, cpus, byKeys,
				counts["terraform"], counts["bitbucket"], byRequests, byKeys+byRequests, took.Wall.Seconds()/math.Max(byKeys, byRequests)), "", true)
		return nil
	})
}

// keyTime is the mean time of one key pair. It varies by luck, hence so many.
func keyTime() (time.Duration, error) {
	const tries = 40
	began := time.Now()
	for range tries {
		if _, err := keys.GenerateConsumer(keys.DefaultRSABits); err != nil {
			return 0, err
		}
	}
	return time.Since(began) / tries, nil
}
