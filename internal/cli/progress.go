package cli

import (
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/bbsync/bbsync/internal/limit"
)

// showAfter is how long work takes before a bar is drawn.
const showAfter = 400 * time.Millisecond

// A progress is a progress bar. Without a terminal its methods do nothing.
type progress struct {
	console *console
	bars    *mpb.Progress
	bar     *mpb.Bar
	begin   func() // drawing
	once    sync.Once
}

// progress starts a bar: "Reading", 500, "connections". figures returns those of the
// systems' limiters; nil: none.
func (a *app) progress(doing string, total int, things string, figures func() map[string]limit.Figures) *progress {
	terminal, ok := a.stderr.(*console)
	if !ok || total == 0 || !isTerminal(a.stderr) || a.getenv("TERM") == "dumb" || a.output.machine() && isTerminal(a.stdout) {
		return &progress{}
	}
	delay := make(chan struct{})
	var begun sync.Once
	begin := func() { begun.Do(func() { close(delay) }) }
	bars := mpb.New(mpb.WithOutput(terminal.stream), mpb.WithRenderDelay(delay))
	rate := newProgressRate(time.Now(), things, figures)
	bar := bars.New(int64(total), mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"),
		mpb.BarWidth(24), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(doing+" ")),
		mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return rate.text(time.Now(), s.Current, s.Total) })))
	time.AfterFunc(showAfter, begin)
	terminal.show(bars)
	return &progress{console: terminal, bars: bars, bar: bar, begin: begin}
}

// Done counts n more things.
func (p *progress) Done(n int) {
	if p.bar != nil {
		p.bar.IncrBy(n)
	}
}

// live reports whether there is a bar.
func (p *progress) live() bool { return p.bar != nil }

// Close removes the bar. Printed lines stay.
func (p *progress) Close() {
	if p.bar == nil {
		return
	}
	p.once.Do(func() {
		p.begin()
		p.bar.Abort(true)
		p.bars.Wait()
		p.console.show(nil)
	})
}
