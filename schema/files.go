package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/sync/errgroup"
)

// Files of the folder end in ".hcl". Those that end in autoSuffix give values
// to variables and hold nothing else. Names that begin with a dot are left
// alone, as are sub-folders: one folder is one fleet.
const (
	fileSuffix = ".hcl"
	autoSuffix = ".auto.bbsync.hcl"
)

// readFiles parses the configuration; ok is false when there is nothing to go
// on with.
func (l *loader) readFiles() ([]*hclsyntax.Body, bool) {
	names, ok := l.fileNames(func(name string) bool { return !strings.HasSuffix(name, autoSuffix) })
	if !ok {
		return nil, false
	}
	if len(names) == 0 {
		l.add(problem{
			rule: ruleFiles, summary: "No configuration",
			detail: fmt.Sprintf("The folder %s holds no file that ends in %s.", shown(l.dir), fileSuffix),
			hint:   "name another folder with --chdir, or write a configuration with bbsync init",
		})
		return nil, false
	}
	files := make([]parsed, len(names))
	group := new(errgroup.Group)
	group.SetLimit(runtime.GOMAXPROCS(0)) // parsing is half of the time that reading a large fleet takes
	for i, name := range names {
		group.Go(func() error {
			files[i] = parseFile(filepath.Join(l.dir, name))
			return nil
		})
	}
	_ = group.Wait()
	var bodies []*hclsyntax.Body
	ok = true
	for _, f := range files {
		body := l.parsed(f)
		if body == nil {
			ok = false
			continue
		}
		bodies = append(bodies, body)
	}
	return bodies, ok
}

// fileNames returns the folder's names that end in .hcl and are wanted, sorted.
func (l *loader) fileNames(want func(string) bool) ([]string, bool) {
	names, err := FileNames(l.dir)
	if err != nil {
		l.add(problem{
			rule: ruleFiles, summary: "Cannot read the folder",
			detail: fmt.Sprintf("Reading the folder %s: %s.", shown(l.dir), reason(err)),
		})
		return nil, false
	}
	return slices.DeleteFunc(names, func(name string) bool { return !want(name) }), true
}

// FileNames returns the names of the folder's files, also of those that give
// values to variables, sorted.
func FileNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if name := e.Name(); isRead(name) && !e.IsDir() {
			out = append(out, name)
		}
	}
	return out, nil
}

func isRead(name string) bool {
	return strings.HasSuffix(name, fileSuffix) && !strings.HasPrefix(name, ".")
}

// IsFileName reports whether a file of this name holds blocks of the configuration
// when it is in the folder.
func IsFileName(name string) bool {
	return isRead(name) && !strings.HasSuffix(name, autoSuffix) && filepath.Base(name) == name
}

// A parsed file, or why it could not be read.
type parsed struct {
	path  string
	src   []byte
	file  *hcl.File
	diags hcl.Diagnostics
	err   error
}

func parseFile(path string) parsed {
	p := parsed{path: path}
	if p.src, p.err = os.ReadFile(path); p.err == nil {
		p.file, p.diags = parse(p.src, path, pieceSize)
	}
	return p
}

// parsed takes a file into what is known; it returns nil for one that does not
// parse, which is reported.
func (l *loader) parsed(p parsed) *hclsyntax.Body {
	if p.err != nil {
		l.add(problem{
			rule: ruleFiles, summary: "Cannot read a file",
			detail: fmt.Sprintf("Reading %s: %s.", shown(p.path), reason(p.err)),
		})
		return nil
	}
	l.mask.add(p.path, p.file, p.src)
	l.secretsIn(p.path, p.src)
	if p.diags.HasErrors() {
		l.mask.lines(p.path, p.src)
		l.syntaxProblems(p.diags)
		return nil
	}
	body, _ := p.file.Body.(*hclsyntax.Body)
	return body
}

// secretsIn reports what is a secret wherever it stands, comments too.
func (l *loader) secretsIn(path string, src []byte) {
	for _, found := range certainSecrets(src) {
		start := position(src, found.from)
		end := start
		end.Byte++
		end.Column++
		l.add(problem{
			rule: ruleSecret, at: hcl.Range{Filename: path, Start: start, End: end},
			summary: "A secret in the files",
			detail: fmt.Sprintf("This is %s. bbsync takes no secret as a value: files are read by many and kept forever. Treat it as known to others.",
				certainKind(src[found.from:found.to])),
			hint: `put it into Vault and name its place, as in token { vault = "secret/path#field" }`,
		})
	}
}

// position returns line and column (in bytes, which is near enough for a place
// that is masked) of an offset.
func position(src []byte, offset int) hcl.Pos {
	before := string(src[:offset])
	return hcl.Pos{
		Line:   strings.Count(before, "\n") + 1,
		Column: offset - strings.LastIndexByte(before, '\n'),
		Byte:   offset,
	}
}

// mostSyntaxErrors of one file are shown: behind its first errors the parser is
// often confused.
const mostSyntaxErrors = 5

// syntaxProblems reports what the parser says, once for a line. After a quote
// that is not closed nothing else it says is true.
func (l *loader) syntaxProblems(diags hcl.Diagnostics) {
	lines := map[int]bool{}
	for _, d := range diags {
		p := problem{rule: ruleSyntax, warning: d.Severity == hcl.DiagWarning, summary: d.Summary, detail: d.Detail}
		if d.Subject != nil {
			p.at = *d.Subject
		}
		if lines[p.at.Start.Line] || len(lines) == mostSyntaxErrors {
			continue
		}
		lines[p.at.Start.Line] = true
		open := strings.HasPrefix(d.Summary, "Invalid multi-line string")
		switch {
		case strings.HasPrefix(d.Summary, "Invalid single-argument block"):
			p.summary = "Several attributes on one line"
			p.detail = "A block on one line holds one attribute and no comma."
			p.hint = "write each attribute on a line of its own, and the closing brace on another"
		case open:
			p.summary = "A quote is not closed"
			p.detail = "The text that begins here does not end on its line."
			p.hint = "close the quote; for a text of several lines use <<-EOT"
			p.at.End = p.at.Start
		}
		l.add(p)
		if open {
			return
		}
	}
}
