// Package drive walks a browser through the connections that wait for a person:
// the person logs in to both systems, and drive opens every link and clicks
// Allow, after looking whose page it is on and who is logged in. It types
// nothing, reads no field, and never sees a password. On a page that is not as
// expected it clicks nothing and hands back to the person.
package drive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/httpx"
)

// ErrStopped says that the walk was stopped on a page that was not as expected.
var ErrStopped = errors.New("stopped where a person is needed")

// Options of a walk.
type Options struct {
	Browser string        // program; Find finds one
	Env     []string      // the browser's environment, all of it
	Settle  time.Duration // how long a page that has loaded may take to become what is expected; 0: 10 s
	Tell    func(string)  // a line for the person; may be nil

	// Ask asks the person what to do about a page that is not as expected, who
	// may go on by hand meanwhile: then its context ends. nil: stop there.
	Ask func(ctx context.Context, problem string) Decision
}

// Decision is what the person wants done.
type Decision string

// The decisions.
const (
	Again Decision = "again" // open the link again
	Skip  Decision = "skip"  // go on with the next connection
	Stop  Decision = "stop"
)

const (
	glance = 250 * time.Millisecond // between looks at a page
	asking = time.Second            // between questions to Terraform
	loads  = time.Minute            // a page may take to load, and a form to be answered
)

// Run opens a browser and walks through all that the watch waits for. The watch
// may run meanwhile.
func Run(ctx context.Context, watch *authorize.Watch, opts Options) (err error) {
	if opts.Settle == 0 {
		opts.Settle = 10 * time.Second
	}
	if opts.Tell == nil {
		opts.Tell = func(string) {}
	}
	b, err := open(ctx, opts.Browser, opts.Env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	d := &driver{watch: watch, opts: opts, browser: b}
	opts.Tell("A browser window opens. Log in there to Terraform, and then to Bitbucket as the service user; bbsync does the rest.")
	for i := range watch.Requests() {
		if err := d.connection(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// A driver is one walk.
type driver struct {
	watch   *authorize.Watch
	opts    Options
	browser *browser
	inside  bool // somebody has logged in to both: an Allow page was seen
	told    string
}

// connection walks through one, and again as long as the person wants it.
func (d *driver) connection(ctx context.Context, i int) error {
	for {
		problem, err := d.walk(ctx, i)
		if err != nil || problem == "" {
			return err
		}
		switch d.handBack(ctx, i, problem) {
		case Again:
		case Skip:
			return nil
		case Stop:
			return fmt.Errorf("%s: %s: %w", d.watch.Requests()[i].Address, problem, ErrStopped)
		}
	}
}

// walk opens the link and goes on to the end of it: "" when it is settled, else
// what is wrong with the page.
func (d *driver) walk(ctx context.Context, i int) (problem string, err error) {
	if d.settled(i) {
		return "", nil
	}
	r := d.watch.Requests()[i]
	d.watch.Sent(i)
	if err := d.browser.navigate(ctx, r.URL); err != nil {
		return "", err
	}
	clicked, asked := false, time.Time{}
	is, since := loading, time.Now() // what the page is, and how long it has been so
	for {
		if d.settled(i) {
			return "", nil
		}
		page, err := d.browser.look(ctx, r)
		if err != nil {
			return "", err
		}
		v := page.judge(r, clicked)
		if v.kind != is {
			is, since = v.kind, time.Now()
		}
		switch v.kind {
		case allow:
			d.inside = true
			if clicked, err = d.browser.allow(ctx, r); err != nil {
				return "", err
			}
		case persons:
			d.tell(fmt.Sprintf("%s: %s", r.Address, v.text))
		case back:
			if time.Since(asked) > asking {
				d.watch.Check(ctx, i)
				asked = time.Now()
				continue
			}
		case odd:
			return v.text, nil
		case loading, other:
		}
		if problem := d.stays(r, page, v.kind, time.Since(since)); problem != "" {
			return problem, nil
		}
		if err := httpx.Sleep(ctx, glance); err != nil {
			return "", err
		}
	}
}

// stays says what is wrong with a page that has been the same for so long; ""
// for nothing. People take their time, a server under load may, and until
// somebody has logged in, a page that is not known may be part of that.
func (d *driver) stays(r authorize.Request, p page, is kind, so time.Duration) string {
	switch {
	case is == persons:
	case is == loading && so > loads:
		return "this page does not load, or leads nowhere: " + p.where()
	case is == back && so > loads:
		return "Terraform has no token of the service user after the click: " + p.where()
	case is == loading || is == back || so <= d.opts.Settle:
	case d.inside:
		return "this page was not expected, and stays: " + p.where()
	default:
		d.tell(fmt.Sprintf("%s: the window is at %s; should it stay there once you have logged in, open %s in it", r.Address, p.where(), r.URL))
	}
	return ""
}

// settled reports whether nothing is left to be done in the browser: a wrong
// user's token is there to be replaced.
func (d *driver) settled(i int) bool {
	statuses, _ := d.watch.Look()
	return statuses[i].Settled(true)
}

// tell tells the person once what is asked of them.
func (d *driver) tell(text string) {
	if text != d.told {
		d.told = text
		d.opts.Tell(text)
	}
}

// handBack leaves the browser to the person, until they say how to go on or
// have done it by hand.
func (d *driver) handBack(ctx context.Context, i int, problem string) Decision {
	if d.opts.Ask == nil {
		return Stop
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answer := make(chan Decision, 1)
	go func() {
		answer <- d.opts.Ask(ctx, fmt.Sprintf("%s: %s", d.watch.Requests()[i].Address, problem))
	}()
	for {
		select {
		case decision := <-answer:
			return decision
		case <-ctx.Done():
			return Stop
		case <-d.browser.gone():
			return Stop
		case <-time.After(asking):
			if d.watch.Sent(i); d.settled(i) {
				return Skip
			}
		}
	}
}
