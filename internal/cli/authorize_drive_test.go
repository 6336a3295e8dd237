package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"

	"github.com/bbsync/bbsync/internal/drive"
	"github.com/bbsync/bbsync/sandbox"
)

// A driven is bbsync authorize --drive with a guest at the same window.
type driven struct {
	*guest
	*running
	window context.Context
}

// drive starts it. The browser is a script that begins the real one without a
// screen, trusting the sandbox, and with a port for the guest, which the product
// has not.
func (e exampleWorld) drive(stdin *os.File) driven {
	e.t.Helper()
	real, err := drive.Find("", exec.LookPath)
	if err != nil {
		e.t.Fatalf(".ci/setup installs Chromium: %v", err)
	}
	folder := e.t.TempDir()
	wrapper, environment := filepath.Join(folder, "browser"), filepath.Join(folder, "environment")
	text := fmt.Sprintf("#!/bin/sh\nenv >'%s'\nexec %s --headless --remote-debugging-port=0 '%s' \"$@\"\n", environment, real, strings.Join(chromiumFlags(e.t, e.world), "' '"))
	if err := os.WriteFile(wrapper, []byte(text), 0o700); err != nil {
		e.t.Fatal(err)
	}
	d := driven{guest: &guest{t: e.t, facts: e.world.Facts}}
	d.running = e.startWith(stdin, manyFleet, []string{"TMPDIR=" + folder, "DISPLAY=:99"}, "authorize", "--drive", "--browser", wrapper)
	d.says("A browser window opens")
	d.window = attach(e.t, d.running, folder)
	if text, err := os.ReadFile(environment); err != nil || strings.Contains(string(text), "VAULT_") || strings.Contains(string(text), "canary-") {
		e.t.Errorf("the browser is given more of the environment than it needs (%v):\n%s", err, text)
	}
	return d
}

// attach joins the browser whose profile is below the folder.
func attach(t *testing.T, bbsync *running, folder string) context.Context {
	t.Helper()
	var port string
	for port == "" {
		files, _ := filepath.Glob(filepath.Join(folder, "bbsync-browser-*", "DevToolsActivePort"))
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil {
				port, _, _ = strings.Cut(string(text), "\n")
			}
		}
		select {
		case <-bbsync.ended:
			t.Fatalf("it ended (%v):\n%s", bbsync.err, bbsync)
		case <-time.After(20 * time.Millisecond):
		}
	}
	allocator, cancel := remote.NewAllocator(t.Context(), "http://127.0.0.1:"+port+"/")
	t.Cleanup(cancel)
	look, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	for enough := time.Now().Add(hangs); ; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(enough) {
			t.Fatalf("no window shows a page:\n%s", bbsync)
		}
		infos, err := chromedp.Targets(look)
		if err != nil {
			t.Fatal(err)
		}
		if id := shown(infos); id != "" {
			window, cancel := chromedp.NewContext(look, chromedp.WithTargetID(id))
			t.Cleanup(cancel)
			if err := chromedp.Do(window); err != nil {
				t.Fatal(err)
			}
			return window
		}
	}
}

// shown is the tab that shows a page of one of the systems.
func shown(infos []*target.Info) target.ID {
	for _, info := range infos {
		if info.Type == "page" && strings.HasPrefix(info.URL, "https:") {
			return info.TargetID
		}
	}
	return ""
}

// TestDrive: the person logs in, and bbsync clicks Allow for thirty
// organizations.
func TestDrive(t *testing.T) {
	t.Parallel()
	const orgs = 30
	e := waitingFleet(t, fmt.Sprint(orgs), sandbox.Options{Orgs: orgs})
	began := time.Now()
	d := e.drive(nil)
	d.logIn(d.window, sandbox.ServiceUser)
	d.ends(exitDone)
	t.Logf("%d organizations driven: %d clicks, %s", orgs, d.clicks, time.Since(began).Round(time.Second))
	if d.clicks != 2 { // the logins
		t.Errorf("%d clicks, want 2", d.clicks)
	}
	if n := e.allowed(); n != orgs {
		t.Errorf("Allow was sent %d times for %d organizations", n, orgs)
	}
	e.bbsync(manyFleet, exitDone, "apply", "--auto-approve")
	e.bbsync(manyFleet, exitDone, "plan")
}

// allowed is how often a form of an Allow page was sent, whatever came of it.
func (e exampleWorld) allowed() int {
	e.t.Helper()
	for line := range strings.Lines(e.bbsync(manyFleet, exitDone, "sandbox", "counts", "--routes")) {
		if count, route, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasSuffix(route, "POST /plugins/servlet/oauth/authorize") {
			n, err := strconv.Atoi(count)
			if err != nil {
				e.t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// TestDriveWrongAccount: nothing is allowed by the wrong user.
func TestDriveWrongAccount(t *testing.T) {
	t.Parallel()
	e := waitingFleet(t, "2", sandbox.Options{Orgs: 2})
	d := e.drive(nil)
	d.logIn(d.window, sandbox.AdminUser)
	d.ends(exitWaiting)
	d.says("admin is logged in to Bitbucket, and not svc-terraform: log out there")
	d.says("stopped where a person is needed")
	if n := e.allowed(); n != 0 {
		t.Errorf("Allow was sent %d times", n)
	}
	e.bbsync(manyFleet, exitWaiting, "plan")
}

// TestDriveUnexpectedPage: while the person logs in, the second organization's
// consumer is broken, so that Terraform shows an error. The walk stops there.
func TestDriveUnexpectedPage(t *testing.T) {
	t.Parallel()
	e := waitingFleet(t, "3", sandbox.Options{Orgs: 3})
	d := e.drive(nil)
	e.bbsync(manyFleet, exitDone, "sandbox", "break", "change-consumer-public-key", "acme-02")
	d.logIn(d.window, sandbox.ServiceUser)
	d.ends(exitWaiting)
	d.says(`acme-01"]: authorized by svc-terraform`)
	d.says(`acme-02"]: the page answers 500: https://127.0.0.1:`)
	if text := d.String(); strings.Contains(text, "oauth_token") || strings.Contains(text, `acme-03"]: authorized`) {
		t.Errorf("it said or did too much:\n%s", text)
	}
	if n := e.allowed(); n != 1 {
		t.Errorf("Allow was sent %d times, want once, for acme-01", n)
	}
}

// TestDriveHandsBack: at a terminal the walk asks. The person mends what is
// wrong in the window and has the link opened again, or skips it. Who is logged
// in is looked at on every page: here it changes on the way.
func TestDriveHandsBack(t *testing.T) {
	t.Parallel()
	e := waitingFleet(t, "3", sandbox.Options{Orgs: 3})
	person, program, err := openTerminal()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	d := e.drive(program)
	e.bbsync(manyFleet, exitDone, "sandbox", "break", "change-consumer-public-key", "acme-02")
	becomes := func(user string) {
		t.Helper()
		d.do(d.window, chromedp.Navigate(e.world.Facts.Bitbuckets[0].URL+"/login"))
		d.logInToBitbucket(d.window, user)
		d.do(d.window, chromedp.WaitVisible(fmt.Sprintf("//h1[text()='Bitbucket']/preceding::*[@id='current-user' and @data-username='%s']", user)))
	}
	answer := func(text string) {
		t.Helper()
		if _, err := person.WriteString(text + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	d.logIn(d.window, sandbox.AdminUser)
	d.says(`acme-01"]: admin is logged in to Bitbucket, and not svc-terraform`)
	becomes(sandbox.ServiceUser)
	answer("")
	d.says(`acme-02"]: the page answers 500`)
	becomes(sandbox.AdminUser)
	answer("s")
	d.says(`acme-03"]: admin is logged in to Bitbucket, and not svc-terraform`)
	if n := e.allowed(); n != 1 {
		t.Errorf("Allow was sent %d times, want once, for acme-01", n)
	}
	becomes(sandbox.ServiceUser)
	answer("")
	d.says(`acme-03"]: authorized by svc-terraform`)
	d.ends(exitWaiting)
	d.says(`acme-01"]: authorized by svc-terraform`)
}
