package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/sandbox"
)

func (a *app) sandboxCommand() *cobra.Command {
	var opts sandbox.Options
	var log string
	c := &cobra.Command{
		Use:   "sandbox [-- COMMAND [ARG...]]",
		Short: "Run a Terraform, Bitbuckets and a Vault to try bbsync with",
		Long: "sandbox starts servers on loopback that speak the systems' own protocols and refuse what the real\n" +
			"ones refuse: a Terraform, a Bitbucket of each version asked for with SSH and git, and a small Vault.\n\n" +
			"Given a command, it runs that with the addresses and credentials in its environment and ends with it.\n" +
			"Without one it shows them and runs until it is interrupted. It uses the Vault of VAULT_ADDR and\n" +
			"VAULT_TOKEN with --real-vault.",
		Args: cobra.ArbitraryArgs,
	}
	flags := c.Flags()
	flags.StringVar(&opts.State, "state", "", "folder that keeps the sandbox from run to run")
	flags.IntVar(&opts.Orgs, "orgs", 12, "organizations: acme-01, acme-02, ...")
	flags.StringSliceVar(&opts.Bitbuckets, "bitbucket", []string{"9.4.0", "5.3.1"}, "versions of the Bitbuckets")
	flags.StringVar(&opts.ContextPath, "context-path", "", "path in the Bitbuckets' addresses, such as /git")
	flags.Var(&opts.Bitbucket.Basic, "basic", "Basic authentication in Bitbucket (default on before 10)")
	flags.Var(&opts.Bitbucket.WebSudo, "websudo", "secure administrator sessions in Bitbucket (default on from 9)")
	flags.BoolVar(&opts.SecondFactor, "second-factor", false, "Bitbucket's administrator logs in with a second factor; its secret is field totp in Vault")
	flags.IntVar(&opts.Bitbucket.Nodes, "nodes", 1, "nodes of each Bitbucket, behind a load balancer with sticky sessions")
	flags.StringVar(&opts.Gateway, "gateway", "", "gateway in front of Terraform and Bitbucket: "+strings.Join(sandbox.GatewayKinds(), ", ")+"; default none")
	flags.DurationVar(&opts.Latency, "latency", 0, "added to each request to Terraform and Bitbucket")
	flags.Float64Var(&opts.RateLimit, "rate-limit", 0, "requests per second and credential that Terraform and Bitbucket allow; 0: no limit")
	flags.StringVar(&log, "access-log", "", "file for the access log")
	realVault := flags.Bool("real-vault", false, "use the Vault of VAULT_ADDR and VAULT_TOKEN")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 && c.ArgsLenAtDash() != 0 {
			return unknownVerb(c, args[0])
		}
		if *realVault {
			opts.Vault = sandbox.ExternalVault{Address: a.getenv("VAULT_ADDR"), Token: a.getenv("VAULT_TOKEN")}
			if opts.Vault.Address == "" || opts.Vault.Token == "" {
				return &exitError{code: exitUsage, err: errors.New("--real-vault needs VAULT_ADDR and VAULT_TOKEN")}
			}
			if _, err := names.RootURL(opts.Vault.Address); err != nil {
				return &exitError{code: exitUsage, err: fmt.Errorf("VAULT_ADDR: %w", err)}
			}
		}
		if err := checkSandbox(opts); err != nil {
			return &exitError{code: exitUsage, err: err}
		}
		return a.sandbox(c.Context(), opts, log, args)
	}
	c.AddCommand(a.sandboxApproveCommand(), a.sandboxByHandCommand(), a.sandboxBreakCommand(), a.sandboxCountsCommand(), a.sandboxWorkspaceCommand(), a.sandboxFaultCommand())
	return c
}

func checkSandbox(opts sandbox.Options) error {
	for _, text := range opts.Bitbuckets {
		if _, err := bitbucket.ParseVersion(text); err != nil {
			return fmt.Errorf("--bitbucket %s is not a version, as 9.4.0 is", text)
		}
	}
	switch {
	case opts.Gateway != "" && !slices.Contains(sandbox.GatewayKinds(), opts.Gateway):
		return fmt.Errorf("--gateway %s: want %s", opts.Gateway, strings.Join(sandbox.GatewayKinds(), ", "))
	case opts.Bitbucket.Nodes < 1:
		return errors.New("--nodes must be at least 1")
	case opts.Orgs < 0 || opts.Latency < 0 || opts.RateLimit < 0:
		return errors.New("--orgs, --latency and --rate-limit must be at least 0")
	case opts.ContextPath != "" && !strings.HasPrefix(opts.ContextPath, "/"):
		return fmt.Errorf("--context-path %s begins with no slash, as /git does", opts.ContextPath)
	}
	return nil
}

func (a *app) sandbox(ctx context.Context, opts sandbox.Options, log string, command []string) (err error) {
	if log != "" {
		file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		opts.Log = file
	}
	world, err := sandbox.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	if len(command) > 0 {
		return a.within(ctx, world, command)
	}
	showWorld(a.stdout, world.Facts, opts.Orgs)
	select {
	case <-a.stop:
	case <-ctx.Done():
	}
	return nil
}

// within runs a command in the world's environment.
func (a *app) within(ctx context.Context, world *sandbox.World, command []string) error {
	child := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the user's own command
	child.Env = append(a.environ(), world.Facts.Environment()...)
	child.Stdin, child.Stdout, child.Stderr = a.stdin, a.stdout, a.stderr
	if file, ok := fileOf(a.stdout); ok {
		child.Stdout = file // a terminal stays one
	}
	if file, ok := fileOf(a.stderr); ok {
		child.Stderr = file
	}
	child.WaitDelay = 5 * time.Second
	err := runChild(child)
	var exited *exec.ExitError
	if errors.As(err, &exited) && exited.Exited() {
		return exit(exited.ExitCode())
	}
	return err
}

// runChild runs the command and passes SIGTERM on to it, which nobody else sends it.
// Other signals reach it from the terminal.
func runChild(child *exec.Cmd) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case s := <-signals:
			_ = child.Process.Signal(s) // it may be gone
		case <-done:
		}
	}()
	return child.Wait()
}

func showWorld(w io.Writer, f sandbox.Facts, orgs int) {
	fmt.Fprintf(w, "Terraform   %s   organizations %s\n", f.Terraform.Address, organizationNames(orgs))
	fmt.Fprintf(w, "            user %s, password %s\n            API token %s\n", sandbox.PlatformUser, f.People.Platform, f.Terraform.Token)
	for _, b := range f.Bitbuckets {
		fmt.Fprintf(w, "Bitbucket   %s   version %s, ssh %s\n", b.URL, b.Version, b.SSH)
	}
	fmt.Fprintf(w, "            user %s, password %s\n", sandbox.AdminUser, f.People.Admin)
	fmt.Fprintf(w, "            user %s, password %s\n", sandbox.ServiceUser, f.People.ServiceUser)
	fmt.Fprintf(w, "Vault       %s   token %s\n", f.Vault.Address, f.Vault.Token)
	showGateway(w, f.Gateway)
	fmt.Fprintf(w, "CA          %s\n\nFor another terminal:\n\n", f.CAFile)
	for _, line := range f.Environment() {
		name, value, _ := strings.Cut(line, "=")
		fmt.Fprintf(w, "export %s='%s'\n", name, value)
	}
	fmt.Fprintf(w, "\nA first fleet there, in an empty folder:\n\n"+
		"bbsync init --terraform \"$BBSYNC_VAR_terraform_address\" --bitbucket \"$BBSYNC_VAR_bitbucket_url\" \\\n"+
		"  --ca-file \"$BBSYNC_VAR_ca_file\" --service-user %s --organization acme-01\n"+
		"bbsync plan\nbbsync apply    # waits for the click on Allow; elsewhere: bbsync sandbox approve\n", sandbox.ServiceUser)
}

func showGateway(w io.Writer, g sandbox.GatewayFacts) {
	if g.Kind == "" {
		return
	}
	fmt.Fprintf(w, "Gateway     %s, in front of Terraform and Bitbucket; in Vault secret/platform/gateway\n", g.Kind)
	for _, name := range slices.Sorted(maps.Keys(g.Headers)) {
		fmt.Fprintf(w, "            header %s: %s\n", name, g.Headers[name])
	}
	if g.Certificate != "" {
		fmt.Fprintf(w, "            certificate %s\n            key %s\n", g.Certificate, g.Key)
	}
}

func organizationNames(n int) string {
	if n == 1 {
		return sandbox.OrgName(1)
	}
	return sandbox.OrgName(1) + " to " + sandbox.OrgName(n)
}

// unknownVerb is the error for a verb that the sandbox does not have, or for a
// command without the dashes before it.
func unknownVerb(c *cobra.Command, verb string) error {
	c.SuggestionsMinimumDistance = 2 // letters; cobra has this only where it tells of the verb itself
	err := fmt.Errorf("unknown command %q for %q; a command to run goes after --", verb, c.CommandPath())
	if near := c.SuggestionsFor(verb); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return &exitError{code: exitUsage, err: err}
}
