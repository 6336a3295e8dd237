package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox"
)

// manyFleet is a fleet of organizations with small keys, to be quick.
const manyFleet = "testdata/many"

// hangs is how long nothing may happen before a test gives up: far more than a
// slow machine takes, as it is there to tell what hangs and not what is slow.
const hangs = 3 * time.Minute

// counted is the number of organizations whose clicks are counted, or ORGS, to
// see that each costs the same.
func counted(t *testing.T, usual int) int {
	t.Helper()
	text := os.Getenv("ORGS")
	if text == "" {
		return usual
	}
	orgs, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return orgs
}

// waitingFleet returns a world where so many organizations wait for a person.
func waitingFleet(t *testing.T, orgs string, opts sandbox.Options) exampleWorld {
	t.Helper()
	v := vaulttest.Start(t)
	opts.Bitbuckets, opts.Vault = []string{"9.4.0"}, sandbox.ExternalVault{Address: v.Address, Token: v.RootToken}
	world, err := sandbox.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	e := exampleWorld{t: t, vault: v, world: world, env: append(os.Environ(), world.Facts.Environment()...)}
	e.env = append(e.env, "BBSYNC_VAR_orgs="+orgs)
	e.bbsync(manyFleet, exitWaiting, "apply", "--auto-approve")
	return e
}

// chromiumFlags are what Chromium needs on a machine of tests: root, no screen,
// little shared memory, and the sandbox's own certificate.
func chromiumFlags(t *testing.T, world *sandbox.World) []string {
	t.Helper()
	return []string{
		"--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--ignore-certificate-errors-spki-list=" + certificateHash(t, world.Facts.Terraform.Address),
	}
}

// certificateHash names the public key of the sandbox's certificate, which all
// of its servers share.
func certificateHash(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // only to look at it
	conn, err := dialer.DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	sum := sha256.Sum256(conn.(*tls.Conn).ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// startChromium opens a browser with one tab.
func startChromium(t *testing.T, world *sandbox.World) context.Context {
	t.Helper()
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	for _, flag := range chromiumFlags(t, world) {
		name, value, found := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		if found {
			options = append(options, chromedp.Flag(name, value))
		} else {
			options = append(options, chromedp.Flag(name, true))
		}
	}
	options = append(options, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1000, 900))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting Chromium, which .ci/setup installs: %v", err)
	}
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	return ctx
}

// A guest is a person at a browser: it logs in and clicks, and counts.
type guest struct {
	t      *testing.T
	facts  sandbox.Facts
	clicks int
}

func (g *guest) do(ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, hangs)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		look, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer stop()
		at, _ := chromedp.Run(look, chromedp.Location())
		body, _ := chromedp.Run(look, chromedp.Text(chromedp.CSS("body")))
		g.t.Fatalf("at %s: %v; it shows:\n%s", at, err, body)
	}
}

func (g *guest) click(ctx context.Context, selector string) {
	g.t.Helper()
	g.do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	g.clicks++
}

// logIn does so on both systems' pages, from a Connect link on.
func (g *guest) logIn(ctx context.Context, as string) {
	g.t.Helper()
	g.do(ctx, chromedp.WaitVisible(chromedp.CSS("#user_password")),
		chromedp.SendKeys(chromedp.CSS("#user_login"), sandbox.PlatformUser), chromedp.SendKeys(chromedp.CSS("#user_password"), g.facts.People.Platform))
	g.click(ctx, "#login button")
	g.logInToBitbucket(ctx, as)
}

func (g *guest) logInToBitbucket(ctx context.Context, as string) {
	g.t.Helper()
	password := map[string]string{sandbox.ServiceUser: g.facts.People.ServiceUser, sandbox.AdminUser: g.facts.People.Admin}[as]
	g.do(ctx, chromedp.WaitVisible(chromedp.CSS("#j_password")),
		chromedp.SendKeys(chromedp.CSS("#j_username"), as), chromedp.SendKeys(chromedp.CSS("#j_password"), password))
	g.click(ctx, "#submit")
}

// newTab returns the tab that the next action opens.
func newTab(t *testing.T, ctx context.Context, open func()) context.Context { //nolint:revive // t first, as everywhere
	t.Helper()
	found := chromedp.WaitNewTarget(ctx, func(info *target.Info) bool { return info.Type == "page" && strings.HasPrefix(info.URL, "https:") })
	open()
	select {
	case id := <-found:
		tab, cancel := chromedp.NewContext(ctx, chromedp.WithTargetID(id))
		t.Cleanup(cancel)
		if err := chromedp.Do(tab); err != nil { // the first lasts as long as the tab
			t.Fatal(err)
		}
		return tab
	case <-time.After(hangs):
		t.Fatal("no tab was opened")
		return nil
	}
}

// A running bbsync is waited for, and read meanwhile.
type running struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // once it has ended

	mu   sync.Mutex
	text bytes.Buffer
}

func (e exampleWorld) start(folder string, env []string, args ...string) *running {
	e.t.Helper()
	return e.startWith(nil, folder, env, args...)
}

func (e exampleWorld) startWith(stdin *os.File, folder string, env []string, args ...string) *running {
	e.t.Helper()
	r := &running{t: e.t, ended: make(chan struct{})}
	r.cmd = exec.CommandContext(e.t.Context(), "bbsync", append([]string{"-C", folder}, args...)...)
	r.cmd.Env = append(append(e.env, "BBSYNC_TEST_HEARD="+e.t.TempDir(), "NO_COLOR=1"), env...)
	r.cmd.Stdout, r.cmd.Stderr = r, r
	if stdin != nil { // a nil file would not be a nil reader
		r.cmd.Stdin = stdin
	}
	r.cmd.WaitDelay = 10 * time.Second
	if err := r.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	go func() { r.err = r.cmd.Wait(); close(r.ended) }()
	return r
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *running) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// says waits until it has said so.
func (r *running) says(text string) {
	r.t.Helper()
	enough := time.After(hangs)
	for over := false; !strings.Contains(r.String(), text); {
		if over {
			r.t.Fatalf("it ended (%v) and did not say %q:\n%s", r.err, text, r)
		}
		select {
		case <-r.ended:
			over = true // it may have said so last
		case <-enough:
			r.t.Fatalf("it does not say %q:\n%s", text, r)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// line waits for a line with this beginning and returns it.
func (r *running) line(beginning string) string {
	r.t.Helper()
	r.says(beginning)
	_, rest, _ := strings.Cut(r.String(), beginning)
	line, _, whole := strings.Cut(rest, "\n")
	for !whole {
		time.Sleep(10 * time.Millisecond)
		_, rest, _ = strings.Cut(r.String(), beginning)
		line, _, whole = strings.Cut(rest, "\n")
	}
	return beginning + line
}

// ends waits until it has ended, as long as it goes on saying something.
func (r *running) ends(code int) {
	r.t.Helper()
	for said, over := -1, false; !over; {
		select {
		case <-r.ended:
			over = true
		case <-time.After(hangs):
			if len(r.String()) == said {
				r.t.Fatalf("it does not end:\n%s", r)
			}
			said = len(r.String())
		}
	}
	have := 0
	if exited, ok := errors.AsType[*exec.ExitError](r.err); ok {
		have = exited.ExitCode()
	}
	if have != code {
		r.t.Fatalf("exit code %d (%v), want %d:\n%s", have, r.err, code, r)
	}
}

// listening reports whether something still listens there.
func listening(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	conn, err := net.DialTimeout("tcp", u.Host, time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}
