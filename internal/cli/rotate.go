package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/plan"
)

type rotateFlags struct {
	applyFlags
	all           bool
	ssh, consumer bool
	emergency     bool
	rollback      bool
	unknown       bool
}

func (a *app) rotateCommand() *cobra.Command {
	f := &rotateFlags{}
	c := &cobra.Command{
		Use:   "rotate [CONNECTION...]",
		Short: "Give connections new keys now",
		Long: "rotate plans new keys for the connections named (connection.team[\"acme\"], or connection.team for\n" +
			"all of that block), shows the plan, asks, and carries it out, as apply does. plan and apply rotate by\n" +
			"age by themselves (rotate_after); rotate does not wait for that, nor for the maintenance window.\n\n" +
			"The SSH key: a new one is staged in Vault, published on Bitbucket, proven, and put on the OAuth\n" +
			"token; the old one stays on Bitbucket until the overlap has passed or the new one is seen in use,\n" +
			"and a later apply retires it. --rollback goes back to it until then. With --emergency the old key\n" +
			"is deleted in the same run, and that it is refused is proven.\n\n" +
			"The consumer's RSA pair (--consumer) changes on both sides at once; when that fails the old pair is\n" +
			"put back. People may have to authorize again after it: --canary 1 shows it with one connection.",
		Args: cobra.ArbitraryArgs,
	}
	f.scopeFlags = a.shardedFlags(c)
	f.output = a.outputFlags(c)
	a.auditFlag(c)
	flags := c.Flags()
	flags.BoolVar(&f.all, "all", false, "every connection of the configuration")
	flags.BoolVar(&f.ssh, "ssh", false, "the service user's SSH key; so without --consumer, too")
	flags.BoolVar(&f.consumer, "consumer", false, "the consumer's RSA pair")
	flags.BoolVar(&f.emergency, "emergency", false, "the old keys go at once: no overlap, and proof that they are refused")
	flags.StringVar(&f.reason, "reason", "", "why, with --emergency, which keeps it in the record, or --break-lease, which keeps it in the audit trail")
	f.leaseFlags.add(c, f.scopeFlags)
	flags.BoolVar(&f.rollback, "rollback", false, "go back to the SSH key before, as long as it is not retired")
	flags.BoolVar(&f.unknown, "remove-unknown-keys", false, "with --emergency: delete the SSH keys of service users that no record of the fleet knows")
	f.paceFlags(c)
	flags.BoolVar(&f.approve, "auto-approve", false, "do not ask")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show every connection whole, with the ages of its keys")
	c.RunE = func(c *cobra.Command, args []string) error {
		f.Targets = append(f.Targets, args...)
		if err := a.use(f.output); err != nil {
			return err
		}
		if err := f.ask(); err != nil {
			return &exitError{code: exitUsage, err: err}
		}
		if !f.approve && f.output.machine() {
			return errNobodyAsked()
		}
		return interruptible(c.Context(), a.apply(c.Context(), &f.applyFlags))
	}
	return c
}

// ask checks the flags and notes what they ask for.
func (f *rotateFlags) ask() error {
	f.Rotate = plan.Rotation{SSH: f.ssh || !f.consumer, Consumer: f.consumer, Rollback: f.rollback, RemoveUnknownKeys: f.unknown}
	if f.emergency {
		f.Rotate.Emergency = f.reason
	}
	switch {
	case f.all == (len(f.Targets) > 0):
		return errors.New("name the connections to rotate, or say --all")
	case f.emergency && f.reason == "":
		return errors.New("--emergency needs --reason, which is kept in the record")
	case f.unknown && !f.emergency:
		return errors.New("--remove-unknown-keys goes with --emergency; without it, bbsync plan and drift list the keys")
	case f.rollback && (f.emergency || f.consumer):
		return errors.New("--rollback goes back to the SSH key before, alone; a consumer's pair that fails is put back by itself")
	}
	f.Rotate.SSH = f.Rotate.SSH && !f.rollback
	return errors.Join(f.checkPace(), f.leaseFlags.check(f.scopeFlags, f.emergency))
}
