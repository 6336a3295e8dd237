package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/metrics"
	"github.com/bbsync/bbsync/internal/notify"
	"github.com/bbsync/bbsync/internal/replace"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/schema"
)

// tellFlags say who is told of a look, beside whoever reads standard output.
type tellFlags struct {
	metricsFile  string
	pushgateway  string
	notify       string // where the webhook's address is kept
	notifySecret string // where the secret to sign with is kept
	state        string
}

func (f *tellFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.metricsFile, "metrics-file", "", "write Prometheus metrics to this file, for node_exporter")
	flags.StringVar(&f.pushgateway, "pushgateway", "", "push Prometheus metrics to this URL; BBSYNC_PUSHGATEWAY_USERNAME and _PASSWORD are used")
	flags.StringVar(&f.notify, "notify", "", "tell a webhook when the state changed; where its URL is kept: env:NAME or vault:mount/path#field")
	flags.StringVar(&f.notifySecret, "notify-secret", "", "where the secret that signs notifications is kept: env:NAME or vault:mount/path#field")
	flags.StringVar(&f.state, "state", "", "file that remembers what was seen, so that a state is told once; holds no secret")
}

func (f *tellFlags) check(narrow bool) error {
	if f.pushgateway != "" && narrow {
		return errors.New("--pushgateway replaces what is known of all connections and cannot be used with --target; --metrics-file keeps what is known of the others")
	}
	if f.notify != "" && f.state == "" {
		return errors.New("--notify tells changes only, and needs --state FILE to know what was told")
	}
	if f.notifySecret != "" && f.notify == "" {
		return errors.New("--notify-secret goes with --notify")
	}
	for flag, ref := range map[string]string{"--notify": f.notify, "--notify-secret": f.notifySecret} {
		if _, err := parseRef(ref); ref != "" && err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

// parseRef parses a reference to a secret. Errors do not quote it, as users put the
// secret itself there.
func parseRef(text string) (schema.SecretRef, error) {
	if name, found := strings.CutPrefix(text, "env:"); found && name != "" {
		return schema.SecretRef{Env: name}, nil
	}
	if path, found := strings.CutPrefix(text, "vault:"); found && strings.Contains(path, "#") {
		return schema.SecretRef{Vault: path}, nil
	}
	return schema.SecretRef{}, errors.New("say where the secret is kept, env:NAME or vault:mount/path#field, not the secret itself: arguments are in every process list")
}

// tell writes the metrics and tells of changes. What cannot be delivered is a
// warning: the look is what counts.
func (a *app) tell(ctx context.Context, f *driftFlags, seen look) {
	run := metricsOf(seen)
	run.Narrow = len(f.Targets) > 0
	var failed []error
	if f.tell.metricsFile != "" {
		failed = append(failed, run.WriteFile(f.tell.metricsFile))
	}
	if f.tell.pushgateway != "" {
		failed = append(failed, a.push(ctx, f.tell.pushgateway, run, seen.run))
	}
	if f.tell.state != "" {
		failed = append(failed, a.tellChanges(ctx, f, seen))
	}
	for _, err := range failed {
		if err != nil {
			a.warn(err)
		}
	}
}

// push sends the metrics to a Pushgateway.
func (a *app) push(ctx context.Context, address string, measured metrics.Run, run *fleet.Run) (err error) {
	gateway := metrics.Gateway{URL: address, Username: strings.TrimSpace(a.getenv("BBSYNC_PUSHGATEWAY_USERNAME"))}
	if a.getenv("BBSYNC_PUSHGATEWAY_PASSWORD") != "" {
		if gateway.Password, err = resolveSecret(ctx, run, "env:BBSYNC_PUSHGATEWAY_PASSWORD"); err != nil {
			return fmt.Errorf("pushing metrics: %w", err)
		}
	}
	return measured.Push(ctx, gateway)
}

func metricsOf(seen look) metrics.Run {
	run := metrics.Run{
		Fleet: seen.run.Configuration.Name, Shard: seen.run.Scope.Shard.String(), Drift: seen.drift,
		Began: seen.began, Ended: seen.ended, ExitCode: exitCode(seen.err), Requests: map[string]int64{},
	}
	run.Complete = run.Drift.Fleet != "" && run.ExitCode != exitFailure && run.ExitCode != exitPartial
	for credential, figures := range seen.run.Systems.Figures() {
		server, _, _ := strings.Cut(credential, " ")
		run.Requests[server] += figures.Requests
	}
	return run
}

// tellChanges compares with what was seen before, tells what is new, and
// remembers it. What could not be told is told at the next look.
func (a *app) tellChanges(ctx context.Context, f *driftFlags, seen look) error {
	before := a.lastState(f.tell.state)
	next, message := changes(f, before, seen)
	if message != "" && f.tell.notify != "" {
		if err := a.notify(ctx, f, seen.run, message); err != nil {
			return fmt.Errorf("not notified, the next run tries again: %w", err)
		}
	}
	text, err := next.Encode()
	if err != nil {
		return err
	}
	return replace.File(f.tell.state, text, 0o600)
}

// changes returns the state to remember and the message to send, "" for none.
func changes(f *driftFlags, before drift.Snapshot, seen look) (drift.Snapshot, string) {
	if seen.drift.Fleet == "" {
		next, news := before.Failing(seen.run.Configuration.Name)
		if !news {
			return next, ""
		}
		return next, notify.Failure(seen.run.Configuration.Name, seen.err)
	}
	next, changed := before.Next(seen.drift, len(f.Targets) == 0)
	if len(changed) == 0 && !before.Failed {
		return next, ""
	}
	return next, notify.Message(seen.drift, changed, before.Failed)
}

// lastState reads the state of the look before. A state that cannot be read is
// as good as none: drift must not be blocked by what an earlier run left.
func (a *app) lastState(file string) drift.Snapshot {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return drift.Snapshot{}
	}
	state := drift.Snapshot{}
	if err == nil {
		state, err = drift.DecodeSnapshot(text)
	}
	if err != nil {
		a.warn(fmt.Errorf("%s: %w; starting again without it", file, err))
	}
	return state
}

func (a *app) notify(ctx context.Context, f *driftFlags, run *fleet.Run, message string) error {
	hook := notify.Webhook{UserAgent: "bbsync/" + version(), Now: a.now}
	var err error
	if hook.URL, err = resolveSecret(ctx, run, f.tell.notify); err != nil {
		return err
	}
	if f.tell.notifySecret != "" {
		if hook.Secret, err = resolveSecret(ctx, run, f.tell.notifySecret); err != nil {
			return err
		}
	}
	return hook.Send(ctx, message)
}

// resolveSecret reads a secret reference. env: works without Vault, so that a Vault
// outage can be reported.
func resolveSecret(ctx context.Context, run *fleet.Run, where string) (secret.Text, error) {
	ref, err := parseRef(where)
	if err != nil {
		return secret.Text{}, err
	}
	if ref.Vault != "" && run.Systems.Vault() == nil {
		return secret.Text{}, fmt.Errorf("%s: there is no login to Vault; env:NAME works without", where)
	}
	return run.Systems.Credential(ctx, ref)
}
