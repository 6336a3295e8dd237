package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/bench"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/schema"
)

// A setting is the sandbox that a measurement wants.
type setting struct {
	Folder    string // where the fleet's files are written
	Orgs      int
	Empty     bool // nothing is connected yet
	Latency   time.Duration
	RateLimit float64
}

// host runs a sandbox in this process until its input ends. It prints the facts
// once everything is in sync.
func host(ctx context.Context, text string, in io.Reader, out io.Writer) (err error) {
	var s setting
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	world, err := sandbox.Start(ctx, sandbox.Options{
		Orgs: s.Orgs, Bitbuckets: []string{"9.4.0"}, Latency: s.Latency, RateLimit: s.RateLimit,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	shape := bench.Shape{Organizations: s.Orgs}
	if s.RateLimit > 0 {
		shape.RateLimit = fmt.Sprint(s.RateLimit)
	}
	if err := bench.Write(s.Folder, world.Facts, shape); err != nil {
		return err
	}
	if !s.Empty {
		fleet, _, diags := schema.Load(s.Folder, schema.Options{})
		if diags.HasErrors() {
			return diags
		}
		if err := bench.Fill(ctx, world, fleet); err != nil {
			return err
		}
	}
	for _, f := range world.Fronts {
		f.ResetCounts()
	}
	if err := json.NewEncoder(out).Encode(world.Facts); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

// A guest is a sandbox in another process.
type guest struct {
	setting
	facts   sandbox.Facts
	process *exec.Cmd
	input   io.Closer
}

// start starts a sandbox and waits until it is filled.
func (b *measuring) start(ctx context.Context, s setting) (*guest, error) {
	folder, err := os.MkdirTemp(b.folder, "fleet-")
	if err != nil {
		return nil, err
	}
	s.Folder = folder
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	g := &guest{setting: s, process: exec.CommandContext(ctx, self, "-serve", string(text))} //nolint:gosec // this program
	g.process.Stderr = os.Stderr
	if g.input, err = g.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := g.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := g.process.Start(); err != nil {
		return nil, err
	}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&g.facts); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a sandbox: %w", err), g.stop())
	}
	return g, nil
}

func (g *guest) stop() error {
	return errors.Join(g.input.Close(), g.process.Wait())
}

// counts returns the requests since the last call, by server.
func (g *guest) counts(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	for _, name := range []string{"terraform", "bitbucket-9.4.0", "vault"} {
		var c front.Counts
		if err := g.control(ctx, http.MethodGet, name+"/counts", &c); err != nil {
			return nil, err
		}
		if err := g.control(ctx, http.MethodDelete, name+"/counts", nil); err != nil {
			return nil, err
		}
		system, _, _ := strings.Cut(name, "-")
		counts[system] = c.Total
	}
	return counts, nil
}

func (g *guest) control(ctx context.Context, method, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, g.facts.Control+"/servers/"+path, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}

func (g *guest) env(more ...string) []string {
	return append(append(os.Environ(), g.facts.Environment()...), more...)
}
