package drive

import (
	"context"
	_ "embed" // the script
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/bbsync/bbsync/internal/authorize"
)

//go:embed page.js
var script string

// answering is how long a browser may take to answer, and a page to begin.
const answering = time.Minute

// Find returns the program to drive: the one asked for, else the first of the
// usual names that look finds.
func Find(asked string, look func(string) (string, error)) (string, error) {
	if asked != "" {
		program, err := look(asked)
		if err != nil {
			return "", fmt.Errorf("looking for the browser: %w", err)
		}
		return program, nil
	}
	names := []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
		"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	}
	for _, name := range names {
		if program, err := look(name); err == nil {
			return program, nil
		}
	}
	return "", fmt.Errorf("no browser that can be driven is installed (%s); name one with --browser", strings.Join(names[:4], ", "))
}

// A browser is one window with a profile of its own, driven over a pipe: no port
// is open that others on the machine could drive it by.
type browser struct {
	ctx     context.Context
	cancels []func()
	profile *profile
}

// open starts a browser.
func open(ctx context.Context, program string, env []string) (*browser, error) {
	p, err := newProfile(os.TempDir())
	if err != nil {
		return nil, err
	}
	allocator, cancel := chromedp.NewExecAllocator(ctx,
		chromedp.ExecPath(program), chromedp.UserDataDir(p.dir), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.VisibleWindow,
		chromedp.Flag("disable-sync", true), chromedp.Flag("password-store", "basic"), chromedp.Flag("use-mock-keychain", true), // nothing is kept
		chromedp.NoInheritEnv, chromedp.Env(env...),
	)
	b := &browser{cancels: []func(){cancel}, profile: p}
	b.ctx, cancel = chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {})) // what matters is returned, too
	b.cancels = append(b.cancels, cancel)
	if err := chromedp.Do(b.ctx); err != nil {
		b.force() // the library's own way to close waits without end for what did not open
		_ = p.remove()
		if errors.Is(err, chromedp.ErrNoDisplay) {
			return nil, errors.New("no window can be opened here: there is no display; bbsync authorize --no-open shows the links, to be opened in a browser elsewhere")
		}
		return nil, fmt.Errorf("opening %s: %w", program, err)
	}
	return b, nil
}

// close closes the window, by force when it does not close, and removes its
// profile. The error says that logins could not be removed.
func (b *browser) close() error {
	stop, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	_ = chromedp.Cancel(stop)
	b.force()
	if err := b.profile.remove(); err != nil {
		return fmt.Errorf("removing the browser's profile with its logins: %w; remove it by hand", err)
	}
	return nil
}

func (b *browser) force() {
	for i := range b.cancels {
		b.cancels[len(b.cancels)-1-i]()
	}
}

// gone is closed when the window is.
func (b *browser) gone() <-chan struct{} { return b.ctx.Done() }

// do runs an action for at most some time.
func do[T any](ctx context.Context, b *browser, action chromedp.Action[T]) (T, error) {
	within, cancel := context.WithTimeout(b.ctx, answering)
	defer cancel()
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	value, err := chromedp.Run(within, action)
	if ctx.Err() != nil {
		return value, ctx.Err()
	}
	if b.ctx.Err() != nil {
		return value, errors.New("the browser was closed")
	}
	return value, err
}

// navigate begins to open an address. What comes of it is for look to see: it
// may not load, and the person may go elsewhere at the same moment.
func (b *browser) navigate(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("the link %q is no address of a page", address)
	}
	begin := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cdppage.Navigate, cdppage.NavigateParams{URL: address})
		return err
	})
	if _, err := do(ctx, b, begin); ctx.Err() != nil || b.ctx.Err() != nil {
		return err
	}
	return nil
}

// wants is what the script compares with.
type wants struct {
	Origin   string `json:"origin"`
	Base     string `json:"base"`
	Consumer string `json:"consumer"`
	User     string `json:"user"`
}

// look returns what the browser shows.
func (b *browser) look(ctx context.Context, r authorize.Request) (page, error) {
	return b.run(ctx, r, false)
}

// allow clicks Allow and reports whether it did: everything is compared once
// more in the same moment.
func (b *browser) allow(ctx context.Context, r authorize.Request) (bool, error) {
	p, err := b.run(ctx, r, true)
	return p.Allow, err
}

func (b *browser) run(ctx context.Context, r authorize.Request, click bool) (page, error) {
	want, err := json.Marshal(wants{origin(r.BitbucketURL), strings.TrimRight(r.BitbucketURL, "/"), r.Consumer, r.ServiceUser})
	if err != nil {
		return page{}, err
	}
	expression := fmt.Sprintf("%s(%s, %t)", strings.TrimRight(script, "\n"), want, click)
	p, err := do(ctx, b, chromedp.Evaluate[page](expression, chromedp.EvalAwaitPromise))
	if err != nil && ctx.Err() == nil && b.ctx.Err() == nil {
		return page{}, nil //nolint:nilerr // the page was left in the middle of the look: the next one sees the new page
	}
	return p, err
}
