// Command release builds what a release of bbsync is made of: a binary for each
// platform, what each is built from (CycloneDX), the man pages, and the checksums
// of all. The
// same commit gives the same bytes, on whatever machine and in whatever folder.
//
// It publishes nothing.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	version := flag.String("version", "", "of the release, as in 1.2.3")
	out := flag.String("out", "dist", "folder for what is built")
	check := flag.Bool("check", false, "build the first platform twice, from copies in two folders and with an empty cache, and compare")
	only := flag.String("only", "", "one platform, as in linux/amd64; none: all")
	root := flag.String("root", "../..", "folder of the repository")
	flag.Parse()
	r := releaser{ctx: context.Background(), version: *version, out: *out, root: *root, only: *only}
	do := r.release
	if *check {
		do = r.check
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// platforms returns what is built, as GOOS/GOARCH.
func platforms() []string {
	return []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}
}

type releaser struct {
	ctx                      context.Context
	version, out, root, only string
}

func (r *releaser) release() (err error) {
	if !regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`).MatchString(r.version) {
		return fmt.Errorf("-version %q is not of the form 1.2.3", r.version)
	}
	if err := r.clean(); err != nil {
		return err
	}
	if r.out, err = filepath.Abs(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o750); err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "bbsync-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	tree, err := r.clone(filepath.Join(temp, "bbsync"))
	if err != nil {
		return err
	}
	var files []string
	for _, p := range platforms() {
		if r.only != "" && p != r.only {
			continue
		}
		name := r.name(p)
		fmt.Println(name)
		if err := r.build(tree, p, filepath.Join(r.out, name), nil); err != nil {
			return err
		}
		if err := r.run("", nil, "go", "tool", "cyclonedx-gomod", "bin", "-json", "-noserial", "-notimestamp", "-version", "v"+r.version,
			"-output", filepath.Join(r.out, name+".cdx.json"), filepath.Join(r.out, name)); err != nil {
			return err
		}
		if err := anonymous(filepath.Join(r.out, name+".cdx.json")); err != nil {
			return err
		}
		files = append(files, name, name+".cdx.json")
	}
	man, err := r.manPages(tree, temp)
	if err != nil {
		return err
	}
	return r.checksums(append(files, man))
}

// clone copies the commit: in a linked work tree the Go tool does not see it.
func (r *releaser) clone(into string) (string, error) {
	root, err := filepath.Abs(r.root)
	if err != nil {
		return "", err
	}
	return into, r.run("", nil, "git", "clone", "-q", root, into)
}

// anonymous drops the checksums of the tool that wrote the file: they differ
// from machine to machine.
func anonymous(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if metadata, ok := doc["metadata"].(map[string]any); ok {
		delete(metadata, "tools")
	}
	if text, err = json.MarshalIndent(doc, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644) //nolint:gosec // for everybody
}

// clean refuses a tree with changes: nobody could build the same from its commit.
func (r *releaser) clean() error {
	var status bytes.Buffer
	c := exec.CommandContext(r.ctx, "git", "status", "--porcelain")
	c.Dir, c.Stdout, c.Stderr = r.root, &status, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("git status: %w", err)
	}
	if status.Len() > 0 {
		return fmt.Errorf("the tree has changes that are not committed:\n%s", status.String())
	}
	return nil
}

func (r *releaser) name(platform string) string {
	name := fmt.Sprintf("bbsync_%s_%s", r.version, strings.ReplaceAll(platform, "/", "_"))
	if strings.HasPrefix(platform, "windows/") {
		name += ".exe"
	}
	return name
}

// build builds one platform without C, without paths, with the commit.
func (r *releaser) build(root, platform, file string, env []string) error {
	system, arch, _ := strings.Cut(platform, "/")
	env = append(env, "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch, "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0")
	return r.run(root, env, "go", "build", "-trimpath", "-tags=grpcnotrace", "-buildvcs=true", "-ldflags=-s -w -buildid= -X github.com/bbsync/bbsync/internal/cli.release="+r.version, "-o", file, "./cmd/bbsync")
}

func (r *releaser) run(dir string, env []string, name string, args ...string) error {
	c := exec.CommandContext(r.ctx, name, args...)
	c.Dir, c.Env, c.Stdout, c.Stderr = dir, append(os.Environ(), env...), os.Stdout, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return nil
}

// checksums writes what sha256sum --check reads.
func (r *releaser) checksums(files []string) error {
	slices.Sort(files)
	var text strings.Builder
	for _, name := range files {
		sum, err := sumOf(filepath.Join(r.out, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s  %s\n", sum, name)
	}
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(text.String()), 0o644) //nolint:gosec // for everybody
}

func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// check builds the commit twice, as two people would, and compares.
func (r *releaser) check() (err error) {
	temp, err := os.MkdirTemp("", "bbsync-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	r.version = "0.0.0-check"
	var sums []string
	for _, folder := range []string{"one", "another/somewhere/else"} {
		tree, err := r.clone(filepath.Join(temp, folder))
		if err != nil {
			return err
		}
		var env []string
		if len(sums) > 0 {
			env = []string{"GOCACHE=" + filepath.Join(temp, "cache")}
		}
		file := filepath.Join(temp, fmt.Sprint("bbsync-", len(sums)))
		if err := r.build(tree, platforms()[0], file, env); err != nil {
			return err
		}
		sum, err := sumOf(file)
		if err != nil {
			return err
		}
		fmt.Println(sum, tree)
		sums = append(sums, sum)
	}
	if sums[0] != sums[1] {
		return errors.New("two builds of one commit differ")
	}
	fmt.Println("two builds of one commit are the same")
	return nil
}
