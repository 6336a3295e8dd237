package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// TestPage walks through the page as a person does: one press of the keyboard
// opens the first connection, and each Allow leads to the next.
func TestPage(t *testing.T) {
	t.Parallel()
	orgs := counted(t, 5)
	e := waitingFleet(t, fmt.Sprint(orgs), sandbox.Options{Orgs: orgs})
	bbsync := e.start(manyFleet, nil, "authorize", "--page", "--no-open")
	address := bbsync.line("http://127.0.0.1:")
	browser := startChromium(t, e.world)
	g := &guest{t: t, facts: e.world.Facts}
	g.do(browser, chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("#connections .next")))
	began := time.Now()
	tab := newTab(t, browser, func() {
		g.do(browser, chromedp.Focus(chromedp.CSS(".next .button")), chromedp.KeyEvent(kb.Enter))
		g.clicks++
	})
	g.logIn(tab, sandbox.ServiceUser)
	for i := range orgs {
		if i == 2 {
			g.shoot(browser, "page")
			g.front(tab)
		}
		// The page leads the tab on by itself, so each Allow is another one's.
		g.do(tab, chromedp.WaitVisible(fmt.Sprintf("//*[@id='consumer-name' and contains(., 'acme-%02d')]", i+1)))
		g.click(tab, "[name=approve]")
	}
	g.do(browser, chromedp.WaitVisible("//*[@id='status' and starts-with(., 'All are connected')]"))
	bbsync.ends(exitDone)
	t.Logf("%d organizations by page: %d clicks, %s", orgs, g.clicks, time.Since(began).Round(time.Second))
	if want := 1 + 2 + orgs; g.clicks != want { // a button, two logins, an Allow each
		t.Errorf("%d clicks, want %d", g.clicks, want)
	}
	if listening(address) {
		t.Error("the page is still served")
	}
	e.bbsync(manyFleet, exitDone, "apply", "--auto-approve")
	e.bbsync(manyFleet, exitDone, "plan")
}

// TestPageCutTie: where Terraform's pages let go of the tab that opened theirs,
// the page cannot lead that tab on, and asks for the next press instead.
func TestPageCutTie(t *testing.T) {
	t.Parallel()
	const orgs = 3
	e := waitingFleet(t, fmt.Sprint(orgs), sandbox.Options{Orgs: orgs, Terraform: terraformd.Options{Choices: terraformd.Choices{CutOpener: true}}})
	bbsync := e.start(manyFleet, nil, "authorize", "--page", "--no-open")
	browser := startChromium(t, e.world)
	g := &guest{t: t, facts: e.world.Facts}
	g.do(browser, chromedp.Navigate(bbsync.line("http://127.0.0.1:")), chromedp.WaitVisible(chromedp.CSS("#connections .next")),
		chromedp.Focus(chromedp.CSS(".next .button")))
	for i := range orgs {
		g.front(browser)
		tab := newTab(t, browser, func() {
			g.do(browser, chromedp.KeyEvent(kb.Enter)) // the button has the focus
			g.clicks++
		})
		if i == 0 {
			g.logIn(tab, sandbox.ServiceUser)
		}
		g.do(tab, chromedp.WaitVisible(fmt.Sprintf("//*[@id='consumer-name' and contains(., 'acme-%02d')]", i+1)))
		g.click(tab, "[name=approve]")
		if i+1 < orgs {
			g.do(browser, chromedp.WaitVisible(fmt.Sprintf(
				"//*[@id='status' and .='acme-%02d is connected. Press Enter to connect organization acme-%02d.']", i+1, i+2)))
		}
	}
	bbsync.ends(exitDone)
	if want := 2 + 2*orgs; g.clicks != want { // two logins, a press and an Allow each
		t.Errorf("%d clicks, want %d", g.clicks, want)
	}
}

// TestPageWrongUser: the page says that somebody else clicked Allow and how to
// undo it, and goes on when that is done.
func TestPageWrongUser(t *testing.T) {
	t.Parallel()
	e := waitingFleet(t, "2", sandbox.Options{Orgs: 2})
	bbsync := e.start(manyFleet, nil, "authorize", "--page", "--no-open")
	browser := startChromium(t, e.world)
	g := &guest{t: t, facts: e.world.Facts}
	g.do(browser, chromedp.Navigate(bbsync.line("http://127.0.0.1:")))
	shows := func(state, text string) {
		t.Helper()
		g.do(browser, chromedp.WaitVisible(fmt.Sprintf("//li[@data-state='%s' and contains(., 'acme-01') and contains(., '%s')]", state, text)))
	}
	shows("waiting", "Waiting")
	e.bbsync(manyFleet, exitDone, "sandbox", "approve", "acme-01", "--as", sandbox.AdminUser)
	shows("wrong", "Connected as admin, not as svc-terraform. Revoke the connection")
	g.do(browser, chromedp.WaitVisible(chromedp.CSS("[data-state=wrong] .settings[href$='/app/acme-01/settings/version-control']")))
	g.shoot(browser, "wrong")
	e.bbsync(manyFleet, exitDone, "sandbox", "break", "revoke-token", "acme-01")
	shows("waiting", "Waiting")
	e.bbsync(manyFleet, exitDone, "sandbox", "approve")
	shows("done", "Connected as svc-terraform")
	bbsync.ends(exitDone)
}

// front makes a tab the one that is seen: those behind it get no frames, which
// pictures and presses wait for.
func (g *guest) front(tab context.Context) {
	g.t.Helper()
	g.do(tab, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.BringToFront, cdp.Empty{})
		return err
	}))
}

// shoot looks at the page in light, dark and narrow: nothing may run out of the
// window. With SCREENSHOTS set to a folder, it leaves pictures there.
func (g *guest) shoot(browser context.Context, of string) {
	g.t.Helper()
	g.front(browser)
	for _, look := range []struct {
		name, scheme  string
		width, height int64
	}{{"light", "light", 1000, 900}, {"dark", "dark", 1000, 900}, {"narrow", "light", 390, 844}, {"narrow-dark", "dark", 390, 844}} {
		g.do(browser, chromedp.EmulateViewport(look.width, look.height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}},
			})
			return err
		}))
		overflow, err := chromedp.Run(browser, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > window.innerWidth`))
		if err != nil {
			g.t.Fatal(err)
		}
		if overflow {
			g.t.Errorf("%s: the page is wider than the window", look.name)
		}
		folder := os.Getenv("SCREENSHOTS")
		if folder == "" {
			continue
		}
		within, cancel := context.WithTimeout(browser, hangs)
		picture, err := chromedp.Run(within, chromedp.FullScreenshot(100))
		cancel()
		if err != nil {
			g.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, of+"-"+look.name+".png"), picture, 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
}
