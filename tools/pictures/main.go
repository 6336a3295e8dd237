// Command pictures makes the README's pictures from what the program prints: it
// starts a sandbox, connects a fleet in it, breaks some of it by hand, and keeps
// what bbsync says as drawings of a terminal, and the page as Chromium shows it.
// The sandbox's addresses are replaced by ones that people can read.
//
//	make pictures
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const orgs = "12"

func main() {
	inside := flag.Bool("inside", false, "what this program starts itself with, in the sandbox")
	flag.Parse()
	studio, err := open()
	if err == nil {
		if *inside {
			err = studio.shoot(context.Background())
		} else {
			err = studio.sandbox(context.Background())
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// A studio is where the pictures are made: the repository's root.
type studio struct {
	program, fleet, out string
	readable            *strings.Replacer
}

func open() (studio, error) {
	root, err := os.Getwd()
	if err != nil {
		return studio{}, err
	}
	return studio{
		program: filepath.Join(root, "bin", "bbsync"), fleet: filepath.Join(root, "examples", "fleet"), out: filepath.Join(root, "docs", "pictures"),
		readable: strings.NewReplacer(
			os.Getenv("BBSYNC_VAR_terraform_address"), "https://app.terraform.io",
			os.Getenv("BBSYNC_VAR_bitbucket_url"), "https://bitbucket.corp.example",
			os.Getenv("BBSYNC_VAR_bitbucket_2_url"), "https://stash.corp.example",
		),
	}, os.MkdirAll(filepath.Join(root, "docs", "pictures"), 0o750)
}

// sandbox runs this program again, in a sandbox.
func (s studio) sandbox(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, s.program, "sandbox", "--orgs", orgs, "--bitbucket", "9.4.0,5.3.1", "--", self, "-inside") //nolint:gosec // this program
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	return c.Run()
}

// shoot tells the story and keeps its pictures.
func (s studio) shoot(ctx context.Context) error {
	steps := []func() error{
		func() error { return s.run(ctx, "apply", "--auto-approve") },
		func() error { return s.run(ctx, "sandbox", "approve") },
		func() error { return s.run(ctx, "apply", "--auto-approve") },
		func() error { return s.run(ctx, "sandbox", "break", "rename-client", "acme-02") },
		func() error { return s.run(ctx, "sandbox", "break", "delete-ssh-keys", "acme-03") },
		func() error { return s.run(ctx, "sandbox", "break", "revoke-grants", "acme-04") },
		func() error { return s.terminal(ctx, "plan", "plan") },
		func() error { return s.page(ctx) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// bbsync runs the program and returns what it printed. Its exit code says how
// the fleet is, and is not looked at.
func (s studio) bbsync(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, s.program, append([]string{"-C", s.fleet, "--color", "always"}, args...)...) //nolint:gosec // the program that is pictured
	c.Env = os.Environ()
	out, err := c.Output()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return "", err
	}
	return s.readable.Replace(string(out)), nil
}

func (s studio) run(ctx context.Context, args ...string) error {
	_, err := s.bbsync(ctx, args...)
	return err
}

// terminal draws what a command prints.
func (s studio) terminal(ctx context.Context, name string, args ...string) error {
	text, err := s.bbsync(ctx, args...)
	if err != nil {
		return err
	}
	prompt := "$ bbsync " + strings.Join(args, " ") + "\n"
	return os.WriteFile(filepath.Join(s.out, name+".svg"), []byte(drawing(prompt+text)), 0o644) //nolint:gosec // for everybody
}

// page keeps the fleet's page as a browser shows it.
func (s studio) page(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "pictures")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	file := filepath.Join(folder, "page.html")
	if err := s.run(ctx, "report", "--html", file); err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(s.readable.Replace(string(text))), 0o600); err != nil { //nolint:gosec // a folder of ours
		return err
	}
	return exec.CommandContext(ctx, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", //nolint:gosec // a file of ours
		"--window-size=1280,1000", "--screenshot="+filepath.Join(s.out, "page.png"), "file://"+file).Run()
}
