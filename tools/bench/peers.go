package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/sandbox"
)

// peerRows measures the same thousand organizations through Terraform and its
// provider, each with one OAuth client, state warm, against the same sandbox,
// in turn with bbsync.
func (b *measuring) peerRows(ctx context.Context, t *table) error {
	terraform, provider, err := havePeers()
	if err != nil {
		return err
	}
	const n = 1000
	free := setting{Orgs: n}
	limited := setting{Orgs: n, Latency: latency, RateLimit: serverLimit}
	for _, m := range []struct {
		word  string
		s     setting
		runs  int
		wall  float64
		cpu   float64 // 0: no bound
		bound string
	}{
		{"free", free, b.runs, 1.0 / 5, 1.0 / 10, "no limit, no latency"},
		{"limited", limited, 1, 0.70, 0, fmt.Sprintf("%d requests/s, %s latency", serverLimit, latency)},
	} {
		if !b.wanted(m.word) {
			continue
		}
		err := b.within(ctx, m.s, func(g *guest) error {
			p, err := newPeer(ctx, g, b.folder, terraform, provider)
			if err != nil {
				return err
			}
			return b.pairs(ctx, t, g, p, pairing{runs: m.runs, wall: m.wall, cpu: m.cpu, where: m.bound})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// havePeers finds Terraform and the provider, or says what is missing.
func havePeers() (terraform, provider string, err error) {
	terraform, err = exec.LookPath("terraform")
	if err != nil {
		return "", "", errors.New("terraform is not on PATH: the comparison needs Terraform 1.11 or newer")
	}
	provider = os.Getenv(providerVariable)
	if provider == "" {
		return "", "", errors.New(providerVariable + " is not set: the comparison needs a built terraform-provider-tfe, and bbsync does not bring one. " +
			"Build it from its source (go build, a commit that needs go-tfe 1) and set " + providerVariable + " to the file")
	}
	if provider, err = filepath.Abs(provider); err != nil {
		return "", "", err
	}
	info, err := os.Stat(provider) //nolint:gosec // the user's own file
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", providerVariable, err)
	}
	if info.IsDir() || filepath.Base(provider) != "terraform-provider-tfe" {
		return "", "", fmt.Errorf("%s is %s: want a file named terraform-provider-tfe", providerVariable, provider)
	}
	return terraform, provider, nil
}

// newPeer writes Terraform's configuration and has its state filled: one apply,
// not measured, which also creates a client in each organization.
func newPeer(ctx context.Context, g *guest, under, terraform, provider string) (command, error) {
	dir, err := os.MkdirTemp(under, "terraform-")
	if err != nil {
		return command{}, err
	}
	rc := filepath.Join(dir, "cli.tfrc")
	files := map[string]string{
		rc: fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"hashicorp/tfe\" = %q\n  }\n  direct {}\n}\n"+
			"credentials %q {\n  token = %q\n}\n", filepath.Dir(provider), hostOf(g), g.facts.Terraform.Token),
		filepath.Join(dir, "main.tf"): peerFiles(g),
	}
	for file, text := range files {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return command{}, err
		}
	}
	env := append(os.Environ(), "TF_CLI_CONFIG_FILE="+rc, "SSL_CERT_FILE="+g.facts.CAFile, "TFE_TOKEN="+g.facts.Terraform.Token,
		"CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	apply := command{args: []string{terraform, "apply", "-auto-approve", "-input=false", "-parallelism=64", "-no-color"}, dir: dir, env: env}
	if _, err := apply.once(ctx); err != nil {
		return command{}, err
	}
	return command{args: []string{terraform, "plan", "-input=false", "-detailed-exitcode", "-no-color"}, dir: dir, env: env}, nil
}

func hostOf(g *guest) string { return strings.TrimPrefix(g.facts.Terraform.Address, "https://") }

// peerFiles writes a block for each organization: over a list of a thousand
// names in one block, Terraform takes four times the CPU.
func peerFiles(g *guest) string {
	var b strings.Builder
	fmt.Fprintf(&b, "terraform {\n  required_providers {\n    tfe = { source = \"hashicorp/tfe\" }\n  }\n}\nprovider \"tfe\" {\n  hostname = %q\n}\n", hostOf(g))
	url := g.facts.Bitbuckets[0].URL
	for n := range g.Orgs {
		fmt.Fprintf(&b, "resource \"tfe_oauth_client\" \"team_%d\" {\n  organization     = %q\n"+
			"  name             = \"by terraform\"\n  service_provider = \"bitbucket_data_center\"\n  http_url         = %q\n  api_url          = %q\n"+
			"  key              = \"peer-key\"\n  secret           = \"peer-secret\"\n  rsa_public_key   = \"peer-public-key\"\n}\n",
			n, sandbox.OrgName(n+1), url, url)
	}
	return b.String()
}

type pairing struct {
	runs      int
	wall, cpu float64
	where     string
}

// pairs runs both in turn and compares pair by pair; the median ratio counts.
func (b *measuring) pairs(ctx context.Context, t *table, g *guest, peer command, p pairing) error {
	var wall, cpu []float64
	var ours, theirs usage
	for i := range p.runs {
		o, err := b.plan(g).once(ctx)
		if err != nil {
			return err
		}
		e, err := peer.once(ctx)
		if err != nil {
			return err
		}
		wall = append(wall, o.Wall.Seconds()/e.Wall.Seconds())
		cpu = append(cpu, o.CPU.Seconds()/e.CPU.Seconds())
		if i == 0 || o.CPU < ours.CPU {
			ours = o
		}
		if i == 0 || e.CPU < theirs.CPU {
			theirs = e
		}
	}
	figures := fmt.Sprintf("%.3f ×; bbsync %s; Terraform %s", median(wall), ours, theirs)
	t.row(fmt.Sprintf("wall time of bbsync to Terraform's, plan of %d, %s", g.Orgs, p.where), figures, fmt.Sprintf("≤ %.2f ×", p.wall), median(wall) <= p.wall)
	if p.cpu > 0 {
		t.row("CPU of the same", fmt.Sprintf("%.3f ×", median(cpu)), fmt.Sprintf("≤ %.2f ×", p.cpu), median(cpu) <= p.cpu)
	} else {
		t.row("CPU of the same", fmt.Sprintf("%.3f ×", median(cpu)), "", true)
	}
	return nil
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}
