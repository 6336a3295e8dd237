package cli

import (
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/terminal"
	"github.com/bbsync/bbsync/schema"
)

// load reads the configuration and shows its mistakes: to a person, or in a
// verb that prints JSON as the document that validate prints.
func (a *app) load() (*schema.Fleet, error) {
	fleet, source, diags := a.read()
	if fleet == nil && a.output != nil {
		if err := a.tellMistakes(a.output, diags); err != nil || a.output.machine() {
			return nil, &exitError{code: exitConfig, err: err}
		}
	}
	if err := a.explain(source, diags); err != nil {
		return nil, err
	}
	return fleet, a.valid(fleet, nil)
}

// tellMistakes gives to programs the document that validate prints, in the forms
// that were asked for as far as mistakes have them. Standard output has JSON in
// place of a form that mistakes have not, and nothing where a person reads. Files
// get no JSON: whoever keeps drift's reports expects nothing else among them.
func (a *app) tellMistakes(o *outputFlags, diags hcl.Diagnostics) error {
	known := func(f report.Format) bool {
		return f != report.Text && slices.Contains(report.ValidateFormats(), f)
	}
	told := &outputFlags{format: o.format}
	if o.machine() && !known(report.Format(o.format)) {
		told.format = string(report.AsJSON)
	}
	for _, s := range o.sinks() {
		if known(s.format) && s.format != report.AsJSON {
			told.also = append(told.also, string(s.format)+"="+s.file)
		}
	}
	return a.deliver(told, func(format report.Format, _ terminal.Style) (string, error) {
		if format == report.Text {
			return "", nil
		}
		return report.RenderDiagnostics(nil, diags, format, version())
	})
}

// whileReading is the percentage by which memory may grow before garbage is
// collected, while the files are read: nearly all that is made then stays, so that
// each collection is work for nothing. Ten thousand blocks take 200 MB with it.
const whileReading = 200

// read loads the configuration.
func (a *app) read() (*schema.Fleet, *schema.Source, hcl.Diagnostics) {
	if a.getenv("GOGC") == "" && a.getenv("GOMEMLIMIT") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(whileReading))
	}
	return schema.Load(a.dir, schema.Options{
		Version: strings.TrimSuffix(version(), "-dev"), Vars: a.vars, VarFiles: a.varFiles, Env: schema.VarsFromEnv(a.environ()),
	})
}
