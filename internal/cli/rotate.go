package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/plan"
)

type rotateFlags struct {
	applyFlags
	all           bool
	token         bool
	ssh, consumer bool
	emergency     bool
	rollback      bool
	unknown       bool
}

func (a *app) rotateCommand() *cobra.Command {
	f := &rotateFlags{}
	c := &cobra.Command{
		Use:   "rotate [CONNECTION...]",
		Short: "Rotate the keys of connections, or bbsync's own API tokens, now",
		Long: "rotate plans new keys for these connections (connection.team[\"acme\"], or connection.team for all of\n" +
			"that block), shows the plan, asks for confirmation, and applies it. apply rotates by age on its own\n" +
			"(rotate_after); rotate does not wait for that, nor for the maintenance window.\n\n" +
			"SSH key: bbsync stages a new key in Vault, publishes it on Bitbucket, verifies it, and sets it on the\n" +
			"OAuth token. The old key stays on Bitbucket until the overlap has passed or the new key was used; a\n" +
			"later apply removes it, and --rollback returns to it until then. --emergency deletes the old key\n" +
			"immediately and verifies that it no longer works.\n\n" +
			"Consumer's RSA pair (--consumer): it changes on both sides at once; if that fails, the old pair is\n" +
			"restored. Connections may have to be authorized again: try one of them first with --canary 1.\n\n" +
			"It exits with 5 when something was not rotated, as a second rotate within the overlap.\n\n" +
			"API token (--token): the token with which bbsync calls Terraform, of a terraform block\n" +
			"(terraform.hcp) or of a connection. bbsync creates a second token, verifies it, stores it in Vault\n" +
			"where the configuration refers to, and deletes the first one. An interrupted renewal is resumed.",
		Args: cobra.ArbitraryArgs,
	}
	f.scopeFlags = a.shardedFlags(c)
	f.output = a.outputFlags(c)
	a.auditFlag(c)
	flags := c.Flags()
	flags.BoolVar(&f.all, "all", false, "every connection of the configuration")
	flags.BoolVar(&f.ssh, "ssh", false, "the service user's SSH key (default without --consumer)")
	flags.BoolVar(&f.consumer, "consumer", false, "the consumer's RSA pair")
	flags.BoolVar(&f.token, "token", false, "the API token of Terraform, of a user or a team, that is kept in Vault")
	flags.BoolVar(&f.emergency, "emergency", false, "delete the old keys immediately, without an overlap, and verify that they no longer work")
	flags.StringVar(&f.reason, "reason", "", "reason for --emergency, kept in the record, or for --break-lease, kept in the audit trail")
	f.leaseFlags.add(c, f.scopeFlags)
	flags.BoolVar(&f.rollback, "rollback", false, "return to the previous SSH key while it is not removed yet")
	flags.BoolVar(&f.unknown, "remove-unknown-keys", false, "with --emergency: delete SSH keys of service users that are in no record of the fleet")
	f.paceFlags(c)
	flags.BoolVar(&f.approve, "auto-approve", false, "apply without asking for confirmation")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "do not group identical connections; show the ages of keys")
	c.RunE = func(c *cobra.Command, args []string) error {
		f.Targets = append(f.Targets, args...)
		if err := a.use(f.output); err != nil {
			return err
		}
		if f.token {
			if err := f.checkToken(f.Targets); err != nil {
				return &exitError{code: exitUsage, err: err}
			}
			return interruptible(c.Context(), a.rotateTokens(c.Context(), f, f.Targets))
		}
		if err := f.ask(); err != nil {
			return &exitError{code: exitUsage, err: err}
		}
		if !f.approve && f.output.machine() {
			return errNoConfirmation()
		}
		return interruptible(c.Context(), a.apply(c.Context(), &f.applyFlags))
	}
	return c
}

// ask checks the flags and notes the rotation in the scope.
func (f *rotateFlags) ask() error {
	f.Rotate = plan.Rotation{SSH: f.ssh || !f.consumer, Consumer: f.consumer, Rollback: f.rollback, RemoveUnknownKeys: f.unknown}
	if f.emergency {
		f.Rotate.Emergency = f.reason
	}
	switch {
	case f.all == (len(f.Targets) > 0):
		return errors.New("name the connections to rotate, or use --all")
	case f.emergency && f.reason == "":
		return errors.New("--emergency needs --reason, which is kept in the record")
	case f.unknown && !f.emergency:
		return errors.New("--remove-unknown-keys needs --emergency; bbsync plan and drift list the keys")
	case f.rollback && (f.emergency || f.consumer):
		return errors.New("--rollback is for the SSH key only and cannot be used with --emergency or --consumer")
	}
	f.Rotate.SSH = f.Rotate.SSH && !f.rollback
	return errors.Join(f.checkPace(), f.leaseFlags.check(f.scopeFlags, f.emergency))
}
