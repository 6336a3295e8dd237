package page

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/reporttest"
)

var screenshots = flag.String("screenshots", "", "folder to keep pictures of the pages in")

func pageNow() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

// fleetOf is a fleet of n connections over two Bitbuckets in all states, with
// keys of all ages.
func fleetOf(n int) plan.Plan {
	p := plan.Plan{Fleet: "corp", Bitbuckets: reporttest.Mixed().Bitbuckets}
	p.Bitbuckets = append(p.Bitbuckets, plan.BitbucketPlan{Label: "old", URL: "https://stash.example.com/git"})
	for i := range n {
		name := fmt.Sprintf("acme-%04d", i+1)
		c := reporttest.Connection(name)
		switch {
		case i%40 == 7:
			c = reporttest.Waiting(name)
		case i%40 == 13:
			c = reporttest.Renamed(name, fmt.Sprint("Hand-made ", i%3))
		case i%100 == 51:
			c = reporttest.Unreadable(name, "terraform: reading organization "+name+": 404 Not Found")
		case i%25 == 24:
			c = reporttest.Fresh(name)
		}
		if i%5 == 4 {
			c.Bitbucket, c.BitbucketURL, c.Terraform = "old", "https://stash.example.com/git", "enterprise"
		}
		for _, repository := range []string{"vpc", "dns"}[:1+i%2] {
			c.Needs = append(c.Needs, plan.GrantPermission{User: "svc-terraform", Project: "INFRA", Repository: repository, Permission: "REPO_ADMIN"})
		}
		if len(c.Changes) == 0 || c.State() == plan.StateWaiting {
			created := pageNow().AddDate(0, 0, -(i*37)%500)
			c.Ages = []plan.Age{
				{Key: plan.ServiceKey, Role: plan.Current, Created: created, Due: created.AddDate(0, 0, 365)},
				{Key: plan.ConsumerPair, Role: plan.Current, Created: created.AddDate(0, 0, -20)},
			}
		}
		p.Connections = append(p.Connections, c)
	}
	return p
}

// A browser is a Chromium that notes what a page should not do.
type browser struct {
	context.Context
	mu  sync.Mutex
	bad []string
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.NoFirstRun,
		chromedp.WSURLReadTimeout(2*time.Minute))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &browser{Context: ctx}
	err := chromedp.Listen(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "file://") {
				b.bad = append(b.bad, "request to "+e.Request.URL)
			}
		case *runtime.EventExceptionThrown:
			b.bad = append(b.bad, "exception "+e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			b.bad = append(b.bad, fmt.Sprint("console ", e.Type))
		case *page.EventJavascriptDialogOpening:
			b.bad = append(b.bad, "dialog "+e.Message)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, runtime.Enable, cdp.Empty{})
	return b
}

// call runs a command of the protocol.
func call[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) R {
	t.Helper()
	out, err := chromedp.Call(b, command, params)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// get runs an action that returns something.
func get[T any](t *testing.T, b *browser, action chromedp.Action[T]) T {
	t.Helper()
	out, err := chromedp.Run(b, action)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// show opens a fleet's page from a file.
func (b *browser) show(t *testing.T, p plan.Plan) {
	t.Helper()
	text, err := HTML(p, pageNow(), "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	b.open(t, text)
}

func (b *browser) open(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.Navigate("file://"+file), chromedp.WaitReady("footer"))
}

// shoot keeps a picture of the page, when asked to.
func (b *browser) shoot(t *testing.T, name string, whole bool) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	action := chromedp.CaptureScreenshot()
	if whole {
		action = chromedp.FullScreenshot(100)
	}
	picture := get(t, b, action)
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}

// value evaluates an expression in the page.
func value[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	return get(t, b, chromedp.Evaluate[T](expression))
}

func (b *browser) harmless(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, bad := range b.bad {
		t.Error(bad)
	}
	b.bad = nil
}

// until waits for an expression to become true.
func (b *browser) until(t *testing.T, expression string) {
	t.Helper()
	for range 600 {
		if value[bool](t, b, expression) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not so: %s", expression)
}

const visibleRows = `Array.from(document.querySelectorAll("#connections tbody tr")).filter(r => !r.hidden).length`

func TestPage(t *testing.T) {
	b := openBrowser(t)
	for _, n := range []int{12, 500, 5000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			b.do(t, chromedp.EmulateViewport(1280, 900))
			p := fleetOf(n)
			b.show(t, p)
			if got := value[int](t, b, visibleRows); got != n {
				t.Errorf("%d rows", got)
			}
			if got := value[int](t, b, `document.querySelectorAll(".map .cell").length`); got != n {
				t.Errorf("%d cells on the map", got)
			}
			b.shoot(t, fmt.Sprintf("page-%d", n), n < 100)
			b.do(t, chromedp.Focus("#search"), chromedp.KeyEvent("acme-0003"))
			b.until(t, visibleRows+" === 1")
			if got := value[string](t, b, `document.querySelector("#shown").textContent`); got != fmt.Sprintf("1 of %d shown", n) {
				t.Errorf("says %q", got)
			}
			b.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelector("#search").value = ""; document.querySelector("#search").dispatchEvent(new Event("input"))`))
			b.until(t, fmt.Sprint(visibleRows, " === ", n))
			b.do(t, chromedp.Click(`.states button.in_sync`))
			want := n - p.Summary().States[plan.StateInSync]
			if got := value[int](t, b, visibleRows); got != want {
				t.Errorf("%d rows without those in sync, want %d", got, want)
			}
			b.do(t, chromedp.Click(`.states button.in_sync`))
			b.harmless(t)
		})
	}
}

func TestPageSorts(t *testing.T) {
	b := openBrowser(t)
	b.do(t, chromedp.EmulateViewport(1280, 900))
	b.show(t, fleetOf(60))
	ages := `Array.from(document.querySelectorAll("#connections tbody tr")).map(r => Number(r.cells[6].dataset.sort))`
	head := `#connections thead th:nth-child(7)`
	// With the keyboard alone: the heading is a button.
	b.do(t, chromedp.Focus(head+" button"), chromedp.KeyEvent(kb.Enter))
	up := value[[]int](t, b, ages)
	b.do(t, chromedp.KeyEvent(" "))
	down := value[[]int](t, b, ages)
	for i := range up[1:] {
		if up[i] > up[i+1] || down[i] < down[i+1] {
			t.Fatalf("not sorted: %v %v", up, down)
		}
	}
	if got := value[string](t, b, `document.querySelector("`+head+`").getAttribute("aria-sort")`); got != "descending" {
		t.Errorf("aria-sort is %s", got)
	}
	b.harmless(t)
}

// Whoever cannot see the page hears it: the accessibility tree has the names.
func TestPageIsRead(t *testing.T) {
	b := openBrowser(t)
	b.show(t, fleetOf(12))
	nodes := call(t, b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes
	heard := map[string]int{}
	names := map[string]bool{}
	for _, n := range nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role := strings.Trim(string(n.Role.Value), `"`)
		heard[role]++
		if n.Name != nil {
			names[role+" "+strings.Trim(string(n.Name.Value), `"`)] = true
		}
	}
	for _, name := range []string{"heading Map", "heading Ages of keys", "heading Connections", "columnheader Organization", "rowheader acme-0003", "region Connections"} {
		if !names[name] {
			t.Errorf("nobody hears %q", name)
		}
	}
	if heard["columnheader"] != 9 || heard["main"] != 1 || heard["searchbox"] != 1 || heard["status"] != 1 {
		t.Errorf("%v", heard)
	}
	for _, role := range []string{"button", "link", "image", "searchbox"} {
		if names[role+" "] {
			t.Errorf("a %s without a name", role)
		}
	}
}

// fleetRuns are n looks at a fleet, the newest last, in which the same and other
// connections drifted.
func fleetRuns(n int) []drift.Report {
	var runs []drift.Report
	for i := range n {
		p := plan.Plan{Fleet: "corp"}
		for j := range 40 {
			name := fmt.Sprintf("acme-%04d", j+1)
			c := reporttest.Connection(name)
			switch {
			case j < i%4:
				c = reporttest.Renamed(name, "by hand")
			case j == 9 && i%3 > 0:
				c = reporttest.Waiting(name)
			case j == 20 && i == 5:
				c = reporttest.Unreadable(name, "404 Not Found")
			}
			p.Connections = append(p.Connections, c)
		}
		runs = append(runs, drift.New(p, drift.Scope{Time: pageNow().AddDate(0, 0, i-n)}))
	}
	return runs
}

// What earlier runs saw is a picture that can be heard, too.
func TestPageHistory(t *testing.T) {
	b := openBrowser(t)
	b.do(t, chromedp.EmulateViewport(1280, 900))
	text, err := HTML(fleetOf(40), pageNow(), "1.2.3", fleetRuns(35)...)
	if err != nil {
		t.Fatal(err)
	}
	b.open(t, text)
	rows := value[[]string](t, b, `Array.from(document.querySelectorAll(".history [role=row]")).map(r => r.innerText.replace(/\s+/g, " "))`)
	if len(rows) != mostRuns || !strings.HasPrefix(rows[0], "2026-05-03 12:00") || !strings.Contains(rows[0], "2 to change, 1 waiting for a person") {
		t.Errorf("%d rows, the first is %q", len(rows), rows[0])
	}
	if often := value[string](t, b, `document.querySelector(".history .repos li").innerText`); !strings.Contains(often, "acme-0001") {
		t.Errorf("most often: %s", often)
	}
	if widest := value[float64](t, b, `Math.max(...Array.from(document.querySelectorAll(".stack")).map(s => Array.from(s.children).reduce((n, c) => n + c.getBoundingClientRect().width, 0) / s.getBoundingClientRect().width))`); widest < .95 || widest > 1.05 {
		t.Errorf("the widest run fills %v of its track", widest)
	}
	b.do(t, chromedp.ScrollIntoView("#runs-title"))
	b.shoot(t, "page-history", false)
	b.harmless(t)
}

func TestPageLooks(t *testing.T) {
	b := openBrowser(t)
	b.do(t, chromedp.EmulateViewport(400, 800))
	b.show(t, fleetOf(500))
	if got := value[bool](t, b, `document.documentElement.scrollWidth <= innerWidth`); !got {
		t.Error("a narrow window scrolls sideways")
	}
	b.shoot(t, "page-narrow", false)
	const paper = `getComputedStyle(document.body).backgroundColor`
	light := value[string](t, b, paper)
	b.do(t, chromedp.EmulateViewport(1280, 900))
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	if dark := value[string](t, b, paper); dark == light {
		t.Errorf("%s by day and night", dark)
	}
	b.shoot(t, "page-dark", false)
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	if got := value[string](t, b, `getComputedStyle(document.querySelector(".tools")).display`); got != "none" {
		t.Error("the search is printed")
	}
	b.harmless(t)
}

// What other systems say stays text.
func TestHostilePage(t *testing.T) {
	b := openBrowser(t)
	p := reporttest.Hostile()
	const attack = `"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>{{.}}` + "\u202e"
	for i := range p.Connections {
		c := &p.Connections[i]
		c.Organization, c.ServiceUser, c.Client = attack, attack, attack
		c.Needs = []plan.GrantPermission{{Project: attack, Repository: attack}}
	}
	p.Fleet = attack
	p.Bitbuckets = []plan.BitbucketPlan{{Label: "new", URL: "javascript:window.hacked=1"}}
	b.show(t, p)
	b.do(t, chromedp.Click(".box a[href]"))
	if value[bool](t, b, `window.hacked === 1`) {
		t.Error("a name ran as a script")
	}
	if n := value[int](t, b, `document.querySelectorAll("img, main script").length`); n != 0 {
		t.Errorf("%d elements came in with names", n)
	}
	if !value[bool](t, b, `document.querySelector("h1").textContent.includes("<img src=x")`) {
		t.Error("the name is not shown as it is")
	}
}
