package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/adminlogin"
	"github.com/bbsync/bbsync/schema"
)

type loginFlags struct{ noOpen, logout bool }

func (a *app) loginCommand() *cobra.Command {
	f := &loginFlags{}
	c := &cobra.Command{
		Use:   "login BITBUCKET",
		Short: "Log bbsync in to a Bitbucket once, without a password afterwards",
		Long: "login makes an application link of bbsync's own on the Bitbucket of this block, has its administrator\n" +
			"click Allow once, and stores key and token in Vault. With oauth = true in the block admin, every\n" +
			"command then signs its requests (OAuth 1.0a), and needs no password until the token ends, after\n" +
			"five years. BITBUCKET is the label of a bitbucket block, or its address (bitbucket.corp).\n\n" +
			"Making the link takes the password of admin. Without one, login says what to enter in Bitbucket.",
		Args: cobra.ExactArgs(1),
	}
	c.Flags().BoolVar(&f.noOpen, "no-open", false, "open no browser: show the page, and ask for the verification code")
	c.Flags().BoolVar(&f.logout, "logout", false, "delete the application link, its tokens, and what Vault keeps of them")
	a.variableFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx, cancel := a.untilStopped(c.Context())
		defer cancel()
		return interruptible(ctx, a.login(ctx, f, args[0]))
	}
	return c
}

func (a *app) login(ctx context.Context, f *loginFlags, name string) error {
	run, err := a.openRun(ctx, newScopeFlags())
	if err != nil {
		return err
	}
	defer run.Close()
	found, err := labelled("bitbucket", run.Configuration.Bitbuckets, []string{strings.TrimPrefix(name, "bitbucket.")}, func(b *schema.Bitbucket) string { return b.Label })
	if err != nil {
		return err
	}
	block := found[0]
	l, err := adminlogin.Begin(ctx, run.Systems, block, a.now)
	if err != nil {
		return err
	}
	defer l.Close()
	switch {
	case f.logout:
		err = a.logOut(ctx, l, block)
	case f.noOpen || a.browserFor("") == nil:
		err = a.loginByCode(ctx, l, block)
	default:
		err = a.loginByPage(ctx, l, block)
	}
	if byHand, ok := errors.AsType[*adminlogin.ByHandError](err); ok {
		a.showLinkByHand(byHand)
		return &exitError{code: exitWaiting, err: err}
	}
	return err
}

func (a *app) logOut(ctx context.Context, l *adminlogin.Login, block *schema.Bitbucket) error {
	if err := l.End(ctx); err != nil {
		return err
	}
	a.sayf("Logged out of %s: the application link, its tokens and the key in Vault are gone.\n", block.URL)
	if block.Admin.OAuth {
		a.sayf("Next: take oauth out of the block admin, or run bbsync login %s again.\n", block.Label)
	}
	return nil
}

// showLinkByHand shows what an administrator must enter in Bitbucket.
func (a *app) showLinkByHand(e *adminlogin.ByHandError) {
	a.sayf("In %s, open Administration, Application links, and create a link:\n\n"+
		"  application URL   %s (Bitbucket does not reach it: continue)\n"+
		"  type              Generic Application (OAuth 1.0; \"Atlassian product\" in newer dialogs)\n"+
		"  name              %s\n\n"+
		"Then edit it, Incoming Authentication:\n\n"+
		"  consumer key      %s\n"+
		"  consumer name     %s\n"+
		"  public key\n\n%s\n"+
		"Then run this command again.\n", e.Bitbucket, e.URL, e.Name, e.ConsumerKey, e.Name, e.PublicKey)
}

func (a *app) loggedIn(l *adminlogin.Login, block *schema.Bitbucket) {
	until := ""
	if ends := l.Ends(); !ends.IsZero() {
		until = " until " + ends.UTC().Format(time.DateOnly)
	}
	a.sayf("bbsync can use %s as %s%s.\n", block.URL, block.Admin.Username, until)
	if !block.Admin.OAuth {
		a.sayf("Next: write oauth = true into the block admin of bitbucket.%s; it needs no password then.\n", block.Label)
	}
}
