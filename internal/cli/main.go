// Package cli is the command line: flags, environment, streams, signals and exit
// codes, one file per command. The packages that it calls decide and do the work.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
	_ "time/tzdata" // maintenance windows name zones, and a container from scratch has none

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bbsync/bbsync/internal/crash"
	"github.com/bbsync/bbsync/internal/exitcode"
)

// Main runs the program with the arguments, environment and streams of the
// process. It returns the exit code.
func Main() int {
	if code, ran := crash.AsChild(os.Args, os.Environ(), isTerminal(os.Stdin)); ran {
		return code
	}
	crash.Prepare()
	return run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// run is the program. It returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return runAt(time.Now, args, stdin, stdout, stderr)
}

// runAt is run with a clock, which decides what is due.
func runAt(now func() time.Time, args []string, stdin io.Reader, stdout, problems io.Writer) int {
	app := &app{stdin: stdin, now: now, getenv: os.Getenv, environ: os.Environ}
	stderr := newConsole(problems, func() bool { return app.style(app.stderr).Color })
	results := newResults(stdout, func() bool { return app.style(app.stdout).Color })
	app.stdout, app.stderr = results, stderr
	ctx, stop, signals, release := interrupts(stderr, &app.inFlight)
	defer release()
	app.stop, app.signals = stop, signals
	root := app.root()
	root.SetArgs(args)
	ended := app.traced(root)
	err := unknownCommand(root, args, root.ExecuteContext(ctx))
	err = app.timedOut(results.ended(err))
	ended(exitCode(err))
	if !told(err) {
		_, _ = io.WriteString(stderr, app.style(stderr).Error(err)) // there is nobody else to tell
	}
	return exitCode(err)
}

// An app is what the commands share: the process, and common flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	stop           <-chan struct{}  // closed at the first interrupt
	signals        chan<- os.Signal // for interrupts of our own
	inFlight       atomic.Bool      // steps are being carried out
	timeout        time.Duration    // --timeout; 0: none
	expired        atomic.Bool      // the timeout has passed
	now            func() time.Time // decides what is due
	getenv         func(string) string
	environ        func() []string

	dir       string
	color     color
	vars      []string
	varFiles  []string
	trailFile string       // --audit
	output    *outputFlags // of the verb that runs; nil: text
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "bbsync",
		Short: "Keep fleets of Terraform organizations connected to Bitbucket Server and Data Center",
		Long: "bbsync keeps fleets of Terraform organizations (HCP Terraform, Terraform Enterprise)\n" +
			"connected to Bitbucket Server and Data Center, with every key in Vault.\n\n" + exitcode.Table(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{code: exitUsage, err: err} })
	flags := root.PersistentFlags()
	flags.StringVarP(&a.dir, "chdir", "C", ".", "folder of the configuration")
	a.color = colorAuto
	flags.Var(&a.color, "color", "auto, always or never; NO_COLOR disables colors")
	_ = root.RegisterFlagCompletionFunc("color", cobra.FixedCompletions(colors(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	flags.DurationVar(&a.timeout, "timeout", 0, "interrupt the run after this long, with exit code 1; 0: never")
	root.PersistentPreRun = func(*cobra.Command, []string) { a.startTimeout() }
	root.AddCommand(in("begin", a.initCommand(), a.loginCommand(), a.importCommand(), a.validateCommand(), a.fmtCommand())...)
	root.AddCommand(in("work", a.planCommand(), a.applyCommand(), a.authorizeCommand(), a.rotateCommand(), a.destroyCommand())...)
	root.AddCommand(in("look", a.driftCommand(), a.doctorCommand(), a.reportCommand(), a.graphCommand(), a.auditCommand(), a.schemaCommand())...)
	root.AddCommand(in("sandbox", a.sandboxCommand())...)
	root.AddCommand(a.versionCommand())
	root.AddCommand(docsCommands()...)
	root.AddGroup(groups()...)
	addLibraryCommands(root)
	usageErrors(root)
	return root
}

// groups returns the parts of the help, in the order in which users need them.
func groups() []*cobra.Group {
	return []*cobra.Group{
		{ID: "begin", Title: "Getting started:"},
		{ID: "work", Title: "Changing connections:"},
		{ID: "look", Title: "Reporting and pipelines:"},
		{ID: "sandbox", Title: "Trying it:"},
	}
}

// in puts commands into a part of the help.
func in(group string, commands ...*cobra.Command) []*cobra.Command {
	for _, c := range commands {
		c.GroupID = group
	}
	return commands
}

// addLibraryCommands adds cobra's own commands before cobra does, so that an unknown
// name after them is a usage error.
func addLibraryCommands(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "help" {
			continue
		}
		c.Args = func(c *cobra.Command, args []string) error {
			_, _, err := c.Root().Find(args)
			return err
		}
	}
}

// unknownCommand makes an unknown command a usage error. Cobra reports it before any
// code of a command runs.
func unknownCommand(root *cobra.Command, args []string, err error) error {
	var known *exitError
	if err == nil || errors.As(err, &known) {
		return err
	}
	if c, _, missing := root.Find(args); missing != nil && c == root {
		return &exitError{code: exitUsage, err: suggesting(err)}
	}
	return err
}

// suggesting appends cobra's suggestions, a list of lines, to its message.
func suggesting(err error) error {
	message, suggestions, found := strings.Cut(err.Error(), "\n\nDid you mean this?\n")
	if !found {
		return err
	}
	return fmt.Errorf("%s; did you mean %s?", message, strings.Join(strings.Fields(suggestions), " or "))
}

// usageErrors gives wrong arguments the usage code. A command that only has
// subcommands gets a Run function, as cobra would otherwise show its help for an
// unknown subcommand and exit with 0.
func usageErrors(c *cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.HasSubCommands() && !sub.Runnable() {
			sub.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
		check := sub.Args
		if check == nil {
			check = cobra.NoArgs
		}
		sub.Args = func(c *cobra.Command, args []string) error {
			if err := errors.Join(check(c, args), emptyFlag(c)); err != nil {
				return &exitError{code: exitUsage, err: fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
			}
			return nil
		}
		usageErrors(sub)
	}
}

// emptyFlag rejects --flag="" (an unset shell variable), which would otherwise
// silently disable the feature. init asks for empty values, and the sandbox has
// defaults.
func emptyFlag(c *cobra.Command) error {
	if c.Name() == "init" || c.GroupID == "sandbox" || c.Parent().GroupID == "sandbox" {
		return nil
	}
	var err error
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" {
			err = fmt.Errorf("--%s is empty: give it a value, or leave it out", f.Name)
		}
	})
	return err
}

// variableFlags adds the flags that set variables.
func (a *app) variableFlags(c *cobra.Command) {
	c.Flags().StringArrayVar(&a.vars, "var", nil, "value of a variable, as name=value; repeatable")
	c.Flags().StringArrayVar(&a.varFiles, "var-file", nil, "file with values of variables; repeatable")
}

// interruptible returns an error when the work was cut short by the user.
func interruptible(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("aborted: %w", err)
	}
	return err
}
