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

// load reads the configuration and reports its errors as text, or, when the command
// prints JSON, as the document of validate.
func (a *app) load() (*schema.Fleet, error) {
	fleet, source, diags := a.read()
	if fleet == nil && a.output != nil {
		if err := a.reportErrors(a.output, diags); err != nil || a.output.machine() {
			return nil, &exitError{code: exitConfig, err: err}
		}
	}
	if err := a.explain(source, diags); err != nil {
		return nil, err
	}
	return fleet, a.valid(fleet, nil)
}

// reportErrors writes the document of validate in the formats that were asked for.
// Standard output gets JSON in place of a format that validate does not have, and
// nothing when it is text. Files get no JSON: drift's reports are kept in them.
func (a *app) reportErrors(o *outputFlags, diags hcl.Diagnostics) error {
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

// whileReading is GOGC while the configuration is read. Nearly everything allocated
// then is kept, so that collections find nothing. Ten thousand blocks take 200 MB.
const whileReading = 200

// read reads the configuration.
func (a *app) read() (*schema.Fleet, *schema.Source, hcl.Diagnostics) {
	if a.getenv("GOGC") == "" && a.getenv("GOMEMLIMIT") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(whileReading))
	}
	return schema.Load(a.dir, schema.Options{
		Version: strings.TrimSuffix(version(), "-dev"), Vars: a.vars, VarFiles: a.varFiles, Env: schema.VarsFromEnv(a.environ()),
	})
}
