package cli

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/bbsync/bbsync/sandbox"
)

// TestByHand counts what a person clicks without any help: through Terraform's
// list of organizations and each one's settings.
func TestByHand(t *testing.T) {
	t.Parallel()
	orgs := counted(t, 3)
	e := waitingFleet(t, fmt.Sprint(orgs), sandbox.Options{Orgs: orgs})
	browser := startChromium(t, e.world)
	g := &guest{t: t, facts: e.world.Facts}
	began := time.Now()
	g.do(browser, chromedp.Navigate(e.world.Facts.Terraform.Address), chromedp.WaitVisible(chromedp.CSS("#user_password")),
		chromedp.SendKeys(chromedp.CSS("#user_login"), sandbox.PlatformUser), chromedp.SendKeys(chromedp.CSS("#user_password"), g.facts.People.Platform))
	g.click(browser, "#login button")
	for i := range orgs {
		g.click(browser, fmt.Sprintf("a[href$='/app/acme-%02d/settings/version-control']", i+1))
		g.click(browser, "article a.button")
		if i == 0 {
			g.logInToBitbucket(browser, sandbox.ServiceUser)
		}
		g.click(browser, "[name=approve]")
		g.click(browser, "main a[href='/app']")
	}
	t.Logf("%d organizations by hand: %d clicks, %s", orgs, g.clicks, time.Since(began).Round(time.Second))
	if want := 2 + 4*orgs; g.clicks != want {
		t.Errorf("%d clicks, want %d", g.clicks, want)
	}
	e.bbsync(manyFleet, exitDone, "apply", "--auto-approve")
}
