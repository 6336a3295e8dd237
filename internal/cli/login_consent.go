package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/bbsync/bbsync/internal/adminlogin"
	"github.com/bbsync/bbsync/internal/authorize/page"
	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/schema"
)

// loginByCode asks for the verification code that Bitbucket shows once Allow was
// clicked. After somebody else's click it asks for another one.
func (a *app) loginByCode(ctx context.Context, l *adminlogin.Login, block *schema.Bitbucket) error {
	lines := a.lines()
	for {
		address, err := l.Ask(ctx, bitbucket.OutOfBand)
		if err != nil {
			return err
		}
		a.sayf("Log in to %s as %s, open this page there and click Allow:\n\n  %s\n\n", block.URL, block.Admin.Username, address)
		a.tellf("Verification code: ")
		code, err := readLine(ctx, lines)
		if err != nil {
			return err
		}
		err = l.Accept(ctx, code)
		if wrong, ok := errors.AsType[*adminlogin.WrongUserError](err); ok {
			a.tellf("%s\n", wrong)
			continue
		}
		if err == nil {
			a.loggedIn(l, block)
		}
		return err
	}
}

// lines reads standard input. It ends with the process.
func (a *app) lines() <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(a.stdin); scanner.Scan(); {
			lines <- strings.TrimSpace(scanner.Text())
		}
	}()
	return lines
}

func readLine(ctx context.Context, lines <-chan string) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case line := <-lines:
		if line == "" {
			return "", &exitError{code: exitWaiting, err: errors.New("no verification code was entered; run again once the administrator can click Allow")}
		}
		return line, nil
	}
}

// loginByPage opens a page on this machine that leads to Allow, and that Bitbucket
// sends the browser back to.
func (a *app) loginByPage(ctx context.Context, l *adminlogin.Login, block *schema.Bitbucket) (err error) {
	if err := a.ownPages(); err != nil {
		return err
	}
	c := &consent{app: a, login: l, block: block, ended: make(chan error, 1)}
	if c.page, err = page.OpenLogin(ctx, c.answer); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.page.Close()) }()
	first, err := c.ask(ctx, "")
	if err != nil {
		return err
	}
	c.page.Show(first)
	a.sayf("Log in to %s as %s and click Allow. This page, which is on this machine only, leads there:\n\n  %s\n\n", block.URL, block.Admin.Username, c.page.URL())
	if err := a.openBrowser(ctx, c.page.URL()); err != nil {
		a.tellf("%s: open the page yourself\n", err)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-c.ended:
		if err == nil {
			a.loggedIn(l, block)
		}
		return err
	}
}

// A consent is a person's consent that is waited for on the page.
type consent struct {
	app   *app
	login *adminlogin.Login
	block *schema.Bitbucket
	page  *page.LoginServer
	ended chan error
	over  *page.LoginStep // set when ended has been told
}

// ask begins again, with what is to be said before.
func (c *consent) ask(ctx context.Context, before string) (page.LoginStep, error) {
	address, err := c.login.Ask(ctx, c.page.Callback())
	return page.LoginStep{
		Failed: before != "", Link: address, Button: "Go to Bitbucket",
		Text: before + fmt.Sprintf("Log in to %s as %s and not as another user, then click Allow.", c.block.URL, c.block.Admin.Username),
	}, err
}

// answer takes what Bitbucket sends back.
func (c *consent) answer(ctx context.Context, query url.Values) page.LoginStep {
	if c.over != nil {
		return *c.over
	}
	code := query.Get("oauth_verifier")
	err := errors.New("this page was not opened by Bitbucket; go back and click Allow there")
	switch {
	case !c.login.Asked(query.Get("oauth_token")):
		return page.LoginStep{Text: err.Error(), Failed: true}
	case code == "denied":
		return c.end(errors.New("somebody clicked Deny on Bitbucket; run bbsync login again"))
	}
	err = c.login.Accept(ctx, code)
	if wrong, ok := errors.AsType[*adminlogin.WrongUserError](err); ok {
		c.app.tellf("%s\n", wrong)
		step, askErr := c.ask(ctx, wrong.Error()+". ")
		if askErr != nil {
			return c.end(askErr)
		}
		return step
	}
	return c.end(err)
}

func (c *consent) end(err error) page.LoginStep {
	step := page.LoginStep{Text: "bbsync is logged in. You can close this page."}
	if err != nil {
		step = page.LoginStep{Text: err.Error(), Failed: true}
	}
	c.over = &step
	c.ended <- err
	return step
}
