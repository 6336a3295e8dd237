// Command bench measures bbsync against the sandbox and prints one table: what
// was measured, what it came to, what it must reach. The sandbox runs in a
// process of its own, so that its CPU and memory are not bbsync's.
//
//	go run ./tools/bench                 everything about bbsync itself
//	go run ./tools/bench -peers          bbsync beside Terraform's own provider
//	go run ./tools/bench -only plan,size some rows
//
// A figure is the least of several runs, since what else the machine does can
// only add to it. It judges nothing but against the bounds it prints, and it
// fails when one is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// providerVariable names the file of Terraform's own provider.
const providerVariable = "TFE_PROVIDER"

func main() {
	var b measuring
	flag.StringVar(&b.binary, "bbsync", "bin/bbsync", "the program to measure")
	flag.StringVar(&b.only, "only", "", "rows to measure, by the word they begin with, with commas; none: all")
	flag.IntVar(&b.runs, "runs", 3, "runs of each command")
	flag.StringVar(&b.profiles, "profiles", "", "folder for profiles of a plan of 10,000; none: no profiles")
	peers := flag.Bool("peers", false, "measure beside Terraform's own provider, a binary that "+providerVariable+" names")
	serve := flag.String("serve", "", "what this program starts itself with")
	kind := flag.String("profile", "", "what this program starts itself with to profile a plan")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, &b, *serve, *kind, *peers)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, b *measuring, serve, profile string, peers bool) error {
	switch {
	case serve != "":
		return host(ctx, serve, os.Stdin, os.Stdout)
	case profile != "":
		return planProfiled(ctx, profile, b.profiles)
	}
	binary, err := filepath.Abs(b.binary)
	if err != nil {
		return err
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%w; make build builds it", err)
	}
	b.binary = binary
	if b.folder, err = os.MkdirTemp("", "bbsync-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.folder)
	rows := b.rows
	if peers {
		rows = b.peerRows
	}
	t := &table{out: os.Stdout}
	t.machine()
	err = rows(ctx, t)
	t.print()
	if err == nil && t.missed > 0 {
		err = fmt.Errorf("%d of %d bounds are missed", t.missed, t.bounds)
	}
	return err
}

// A measuring is one run of this program.
type measuring struct {
	binary, only, profiles, folder string
	runs                           int
}

func (b *measuring) wanted(word string) bool {
	if b.only == "" {
		return true
	}
	for name := range strings.SplitSeq(b.only, ",") {
		if name == word {
			return true
		}
	}
	return false
}

// A table is the rows in the order they were measured.
type table struct {
	out            io.Writer
	lines          [][3]string
	missed, bounds int
}

// row adds what was measured. want is the bound in words, "" for none.
func (t *table) row(what, have, want string, met bool) {
	if want != "" {
		t.bounds++
		if met {
			want += "  met"
		} else {
			want += "  MISSED"
			t.missed++
		}
	}
	t.lines = append(t.lines, [3]string{what, have, want})
	fmt.Fprintf(os.Stderr, "%s: %s   %s\n", what, have, want) // as it comes; the table is last
}

func (t *table) machine() {
	fmt.Fprintf(t.out, "%s, %d processors, %s/%s, %s, load %s\n", time.Now().Format(time.DateOnly), runtime.NumCPU(),
		runtime.GOOS, runtime.GOARCH, runtime.Version(), load())
}

// load is the load average, where the system tells.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if errors.Is(err, os.ErrNotExist) || len(text) == 0 {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:2], " ")
}

func (t *table) print() {
	if len(t.lines) == 0 {
		return
	}
	fmt.Fprintln(t.out, "\n| what | measured | must reach |\n|---|---|---|")
	for _, l := range t.lines {
		fmt.Fprintf(t.out, "| %s | %s | %s |\n", l[0], l[1], l[2])
	}
}
