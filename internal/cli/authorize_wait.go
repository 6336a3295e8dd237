package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/authorize/page"
	"github.com/bbsync/bbsync/internal/plaintext"
)

// showLinks says who must be logged in where, and shows what to open; a single
// link is opened.
func (a *app) showLinks(ctx context.Context, watch *authorize.Watch, f *authorizeFlags) {
	requests := watch.Requests()
	statuses, _ := watch.Look()
	a.showAccounts(requests)
	a.sayf("Then open and click Allow:\n\n")
	for i, r := range requests {
		a.sayf("%s\n  %s\n", r.Address, r.URL)
		switch s := statuses[i]; s.State {
		case authorize.WrongUser:
			a.sayf("  It was authorized by %s before. To undo that: %s\n", s.User, r.Undo())
		case authorize.Dead:
			a.sayf("  Bitbucket refuses the token that is there: connect again.\n")
		case authorize.Waiting, authorize.Done, authorize.Gone, authorize.Unknown:
		}
	}
	a.sayf("\n")
	if f.noOpen || len(requests) != 1 {
		return
	}
	err := a.openBrowser(ctx, requests[0].URL)
	switch {
	case err == nil:
		watch.Sent(0)
	case !errors.Is(err, errNoBrowser):
		a.tellf("%s\n", err)
	}
}

func (a *app) showAccounts(requests []authorize.Request) {
	for _, account := range accounts(requests) {
		a.sayf("Log in, in one browser, to\n  %s   as somebody who may manage VCS settings\n  %s   as %s, not as an administrator\n\n",
			account.terraform, account.bitbucket, account.user)
	}
}

// wantsPage reports whether a page is better than links: it is asked for, or
// there are several links and somebody to open a browser for.
func (a *app) wantsPage(requests []authorize.Request, f *authorizeFlags) bool {
	if f.page || f.noPage || f.noOpen {
		return f.page
	}
	return len(requests) > 1 && a.browserFor("") != nil
}

// waitPage waits with a page open, until everything is settled.
func (a *app) waitPage(ctx context.Context, watch *authorize.Watch, f *authorizeFlags) (err error) {
	if err := a.ownPages(); err != nil {
		return err
	}
	p, err := page.Open(ctx, watch)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	a.showAccounts(watch.Requests())
	a.sayf("%d links are on this page, which is on this machine only:\n\n  %s\n\n", len(watch.Requests()), p.URL())
	if !f.noOpen {
		if err := a.openBrowser(ctx, p.URL()); err != nil {
			a.tellf("%s: open the page yourself\n", err)
		}
	}
	return a.waitLine(ctx, watch)
}

// An account is what must be logged in at one time in one browser.
type account struct{ terraform, bitbucket, user string }

// accounts returns who must be logged in where, each once, in order.
func accounts(requests []authorize.Request) []account {
	var out []account
	known := map[account]bool{}
	for _, r := range requests {
		one := account{r.TerraformURL(), r.BitbucketURL, r.ServiceUser}
		if !known[one] {
			known[one] = true
			out = append(out, one)
		}
	}
	return out
}

// waitLine waits until the watch is settled: a line for each change, and on a
// terminal one that lives.
func (a *app) waitLine(ctx context.Context, watch *authorize.Watch) error {
	requests := watch.Requests()
	l := &liveLine{app: a, terminal: isTerminal(a.stderr), began: time.Now()}
	ended := make(chan error, 1)
	go func() { ended <- watch.Run(ctx) }()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	shown, changed := watch.Look()
	l.show(shown)
	for {
		var err error
		over := false
		select {
		case err = <-ended:
			over = true
		case <-changed:
		case <-second.C:
		}
		var now []authorize.Status
		now, changed = watch.Look()
		for i, r := range requests {
			if line := a.changeLine(r, shown[i], now[i]); line != "" {
				l.clear()
				_, _ = io.WriteString(a.stderr, line)
			}
		}
		shown = now
		if over {
			l.clear()
			return err
		}
		l.show(now)
	}
}

// changeLine says what became of a request, with the line's end; "" when nothing
// did.
func (a *app) changeLine(r authorize.Request, before, after authorize.Status) string {
	switch {
	case after.State == before.State && after.Old == before.Old && (after.Err == nil) == (before.Err == nil):
		return ""
	case after.State == authorize.Done && after.User != "":
		return plaintext.Sprintf("%s: authorized by %s\n", r.Address, after.User)
	case after.State == authorize.Done:
		return plaintext.Sprintf("%s: authorized\n", r.Address)
	}
	if err := r.Problem(after); err != nil {
		return a.style(a.stderr).Error(err)
	}
	if after.Err != nil {
		return plaintext.Sprintf("%s: still waiting, though the last check failed: %v\n", r.Address, after.Err)
	}
	return plaintext.Sprintf("%s: %s\n", r.Address, after.State)
}

// A liveLine is the last line on a terminal; elsewhere it is shown once.
type liveLine struct {
	app      *app
	terminal bool
	began    time.Time
	text     string
}

func (l *liveLine) show(statuses []authorize.Status) {
	left := 0
	for _, s := range statuses {
		if !s.Settled(false) {
			left++
		}
	}
	text := fmt.Sprintf("Waiting for a person: %d of %d connections left. Interrupt to stop waiting.", left, len(statuses))
	if l.terminal {
		text = fmt.Sprintf("Waiting for a person: %d of %d connections left, %s. Interrupt to stop waiting.", left, len(statuses), time.Since(l.began).Round(time.Second))
	}
	switch {
	case left == 0:
	case l.terminal:
		l.clear()
		l.app.tellf("%s", shorten(text, width(l.app.stderr)))
	case l.text == "":
		l.app.tellf("%s\n", text)
	}
	l.text = text
}

// clear makes room for a line that stays.
func (l *liveLine) clear() {
	if l.terminal {
		l.app.clearLine()
	}
}

// shorten keeps a line from wrapping, which would leave its rest behind.
func shorten(text string, columns int) string {
	if columns > 1 && len(text) >= columns {
		return text[:columns-1]
	}
	return text
}
