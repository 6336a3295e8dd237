package schema

import (
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Options are what Load is told besides the files. The zero value loads the
// files alone.
type Options struct {
	Version  string            // of the running bbsync, checked against required_version; "" is not checked
	Vars     []string          // name=value, as given by --var; later ones win
	VarFiles []string          // paths of files with values, as given by --var-file; Vars win over them
	Env      map[string]string // variable name → value, from BBSYNC_VAR_name (see VarsFromEnv); the files' *.auto.bbsync.hcl win over them
}

// A Source is the text behind a Fleet and its diagnostics, for printing. It
// holds no secret that bbsync could recognize: where one was written into the
// files by mistake there are stars.
type Source struct {
	Dir   string
	Files map[string]*hcl.File // by the names in ranges; Bytes and Nav only
}

// mostWritten is how many diagnostics are printed: more help nobody, and each
// costs a pass over its file.
const mostWritten = 100

// Write prints diagnostics with the lines they are about, errors before
// warnings where there are too many for all. A width of 0 does not wrap.
func (s *Source) Write(w io.Writer, diags hcl.Diagnostics, width uint, color bool) error {
	left := len(diags) - mostWritten
	if left > 0 {
		diags = slices.Clone(diags)
		slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int { return int(a.Severity) - int(b.Severity) })
		diags = diags[:mostWritten]
	}
	for _, f := range s.Files {
		tame(f.Bytes)
	}
	if err := hcl.NewDiagnosticTextWriter(w, s.Files, width, color).WriteDiagnostics(diags); err != nil {
		return err
	}
	if left > 0 {
		_, err := fmt.Fprintf(w, "... and %d more.\n", left)
		return err
	}
	return nil
}

// SourceOf returns the Source of one file, for the diagnostics of Format.
func SourceOf(filename string, src []byte) *Source {
	m := newMasker()
	f, diags := parseConfig(src, filename, hcl.InitialPos)
	m.add(filename, f, src)
	if diags.HasErrors() {
		m.lines(filename, src)
	}
	return &Source{Files: m.files}
}

// Load reads the *.hcl files of the folder, evaluates them, and checks the
// whole fleet as far as that can be done without network. It collects all
// mistakes, each with its place and its Rule (RuleOf). The Fleet is nil if and
// only if there is an error among them; the Source never is.
func Load(dir string, opts Options) (*Fleet, *Source, hcl.Diagnostics) {
	l := newLoader(dir, opts)
	if bodies, ok := l.readFiles(); ok {
		l.load(bodies)
	}
	src := &Source{Dir: dir, Files: l.mask.files}
	diags := l.diagnostics()
	if diags.HasErrors() {
		return nil, src, diags
	}
	return l.fleet, src, diags
}

// A loader holds what is known while a folder is read.
type loader struct {
	*reporter
	dir   string
	opts  Options
	fleet *Fleet
	top   map[string][]*node // blocks of the files by type, in order
	base  *hcl.EvalContext   // functions, path, var, local

	locals     map[string]*local
	terraforms map[string]*Terraform
	bitbuckets map[string]*Bitbucket
	window     *Maintenance // of the bbsync block, for connections without their own
	blocks     map[string]*connectionBlock
	broken     map[*Connection]map[string]bool
	answers    map[string]bool // see remember
}

func newLoader(dir string, opts Options) *loader {
	return &loader{
		reporter: newReporter(newMasker()),
		dir:      dir, opts: opts, fleet: &Fleet{}, top: map[string][]*node{},
		base: &hcl.EvalContext{
			Functions: functions(dir),
			// file() reads relative to the folder, so that the folder is ".".
			Variables: map[string]cty.Value{"path": cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal(".")})},
		},
		locals: map[string]*local{}, terraforms: map[string]*Terraform{}, bitbuckets: map[string]*Bitbucket{},
		blocks: map[string]*connectionBlock{}, broken: map[*Connection]map[string]bool{}, answers: map[string]bool{},
	}
}

// load goes from what nothing depends on to what depends on everything.
func (l *loader) load(bodies []*hclsyntax.Body) {
	for _, b := range bodies {
		l.mask.named(b)
	}
	l.sort(bodies)
	l.variables()
	l.evaluateLocals()
	l.bbsync()
	l.vault()
	l.systems()
	l.connections()
	l.addresses()
	l.lint()
}

// sort files the blocks of all files under their types.
func (l *loader) sort(bodies []*hclsyntax.Body) {
	s := fileShape()
	once := map[string]hcl.Range{}
	labels := map[string]hcl.Range{}
	for _, body := range bodies {
		for _, a := range attributes(body) {
			l.unknownAttribute(a, s, "a file")
		}
		for _, b := range body.Blocks {
			bs, ok := s.blocks[b.Type]
			if !ok {
				l.unknownBlock(b, s, "a file")
				continue
			}
			n := l.node(b, bs)
			if b.Type == "bbsync" || b.Type == "vault" {
				if first, twice := once[b.Type]; twice {
					l.duplicate(n.at(), first, b.Type+" block")
					continue
				}
				once[b.Type] = n.at()
			}
			if bs.labels == 1 && n.label() != "" {
				if first, twice := labels[n.title()]; twice {
					l.duplicate(n.at(), first, n.title())
					continue
				}
				labels[n.title()] = n.at()
			}
			l.top[b.Type] = append(l.top[b.Type], n)
		}
	}
}
