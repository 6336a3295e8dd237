package cli

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/net/html"

	"github.com/bbsync/bbsync/internal/adopt"
	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/audit"
	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/doctor"
	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/metrics"
	"github.com/bbsync/bbsync/internal/notify"
	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/plan/plantest"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/page"
	"github.com/bbsync/bbsync/internal/report/terminal"
	"github.com/bbsync/bbsync/schema"
)

// hostile is what other systems may call their things, or answer, at worst: it
// begins as a command of GitHub's, and goes on as one of every other reader's.
const hostile = "::error::PLANT\n::warning file=x::PLANT\r\n##[error]PLANT ##vso[task.complete]PLANT \x1b[31mPLANT\x1b[2J\x1b]0;t\x07" +
	" \u009b2J \u202ePLANT\u2066 a\u200bb\u2028c\ufeff <script>PLANT</script> <!channel> <https://x.example|PLANT> [PLANT](https://x.example)" +
	" ![PLANT](https://x.example) `PLANT` ```PLANT *PLANT* _PLANT_ @channel @here ${PLANT} %{if PLANT} ]]> --> \" ' \\ | %0A \xff &lt;"

// A filler sets every string of a value to the hostile one.
type filler struct {
	t      *testing.T
	fields map[string]bool // type and name of each string that was set
}

// fill fills v. Named kinds of string are words of bbsync's own and stay.
func (f *filler) fill(v reflect.Value, name string) {
	switch v.Kind() { //nolint:exhaustive // nothing else holds strings
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanSet() {
			text := hostile
			if strings.HasSuffix(name, ".Address") {
				text = `connection.team["` + hostile + `"]` // as the language makes it
			}
			v.SetString(text)
			f.fields[name] = true
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				f.fill(v.Field(i), v.Type().String()+"."+v.Type().Field(i).Name)
			}
		}
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		f.fill(v.Elem(), name)
	case reflect.Slice:
		if v.IsNil() && v.Type().Elem().Kind() != reflect.Interface {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			f.fill(v.Index(i), name)
		}
	case reflect.Map:
		if v.Type() == reflect.TypeFor[map[string]string]() {
			v.Set(reflect.ValueOf(map[string]string{hostile: hostile}))
			f.fields[name] = true
		}
	case reflect.Interface:
		switch {
		case v.Type() == reflect.TypeFor[error]():
			v.Set(reflect.ValueOf(errors.Join(errors.New(hostile), errors.New(hostile))))
			f.fields[name] = true
		case v.Type().Implements(reflect.TypeFor[plan.AnyStep]()):
			switch {
			case !v.IsNil():
			case v.Type() == reflect.TypeFor[plan.SharedStep]():
				v.Set(reflect.ValueOf(plan.GrantPermission{}))
			default:
				v.Set(reflect.ValueOf(plan.CreateLink{}))
			}
			step := reflect.New(v.Elem().Type()).Elem()
			f.fill(step, name)
			v.Set(step)
		}
	default:
	}
}

// filled returns a filled T that begins as start.
func filled[T any](f *filler, start T) T {
	f.fill(reflect.ValueOf(&start).Elem(), fmt.Sprintf("%T", start))
	return start
}

// steps are all kinds of step of a connection.
func steps(t *testing.T) []plan.Step {
	t.Helper()
	out := []plan.Step{
		plan.CreateConsumerKey{},
		plan.CreateSSHKey{Role: plan.Current},
		plan.CreateLink{},
		plan.RenameLink{},
		plan.DeleteLink{},
		plan.SetConsumer{},
		plan.ProveConsumer{},
		plan.CreateClient{},
		plan.UpdateClient{},
		plan.DeleteClient{},
		plan.AddSSHKey{Role: plan.Current},
		plan.DeleteSSHKey{},
		plan.ProveSSH{Role: plan.Current},
		plan.Authorize{},
		plan.SetTokenKey{Role: plan.Current},
		plan.MarkCompromised{},
		plan.RestageKey{},
		plan.SwitchKey{},
		plan.ProveRefused{},
		plan.RetireKey{},
		plan.SwapConsumer{},
		plan.RetireConsumer{},
		plan.ProveRepositories{},
		plan.MoveWorkspaces{},
		plan.ProveFetched{},
		plan.NoteConnection{},
		plan.MoveRecord{},
		plan.ForgetRecord{},
		plan.RetireRecord{},
		plan.BreakLease{},
	}
	everyKind(t, out, plantest.ConnectionKinds(t))
	return out
}

// sharedSteps are all kinds of step of a Bitbucket.
func sharedSteps(t *testing.T) []plan.SharedStep {
	t.Helper()
	out := []plan.SharedStep{
		plan.GrantPermission{},
		plan.InstallPlugin{},
		plan.EnablePlugin{},
		plan.EnableHook{},
		plan.RemoveUnknownKey{},
	}
	everyKind(t, out, plantest.SharedKinds(t))
	return out
}

func everyKind[S plan.AnyStep](t *testing.T, steps []S, kinds []string) {
	t.Helper()
	for _, kind := range kinds {
		if !slices.ContainsFunc(steps, func(s S) bool { return s.Type().Kind == kind }) {
			t.Errorf("the step %s is not tried here", kind)
		}
	}
}

// hostilePlan is a plan with every step, reason, block and note, in which
// everything that is a string is hostile.
func hostilePlan(f *filler, t *testing.T) plan.Plan {
	var changes []plan.Change
	for _, s := range steps(t) {
		changes = append(changes, plan.Change{Step: s})
	}
	var sharedChanges []plan.SharedChange
	for _, s := range sharedSteps(t) {
		sharedChanges = append(sharedChanges, plan.SharedChange{Step: s})
	}
	connection := func(c plan.Connection) plan.Connection { return filled(f, c) }
	blocked := connection(plan.Connection{Blocks: []plan.Block{{Kind: plan.Unreadable}}})
	refused := connection(plan.Connection{Blocks: []plan.Block{{Kind: plan.Refused}}})
	changed := connection(plan.Connection{Changes: changes})
	changed.Blocks = nil
	waits := connection(plan.Connection{Changes: []plan.Change{{Step: plan.Authorize{}}}})
	waits.Blocks = nil
	still := connection(plan.Connection{Notes: []plan.Note{{Warning: true}, {}}})
	still.Changes, still.Blocks = nil, nil
	shared := filled(f, plan.BitbucketPlan{Changes: sharedChanges})
	shared.Blocks = nil
	p := plan.Plan{Fleet: hostile, Bitbuckets: []plan.BitbucketPlan{shared, filled(f, plan.BitbucketPlan{Blocks: []plan.Block{{Kind: plan.Refused}}})}}
	for range 2 { // alike ones are grouped
		p.Connections = append(p.Connections, blocked, refused, changed, waits, still)
	}
	return p
}

func hostileResult(f *filler, t *testing.T) apply.Result {
	out := apply.Result{Halted: hostile}
	for _, status := range []apply.Status{apply.Applied, apply.Unchanged, apply.Broken, apply.Waiting, apply.Stale, apply.Blocked, apply.NotRun, apply.Leased, apply.Later} {
		out.Connections = append(out.Connections, filled(f, apply.Outcome{Status: status, Done: plan.AnySteps(steps(t)), Left: plan.AnySteps(sharedSteps(t))}))
	}
	out.Bitbuckets = out.Connections
	return out
}

// obeyed returns what a terminal or a pipeline's log would obey in text, or ""
// when it is harmless.
func obeyed(text string) string {
	for n, line := range strings.Split(text, "\n") {
		switch trimmed := strings.TrimSpace(line); {
		case plaintext.Line(strings.TrimLeft(line, "\t ")) != strings.TrimLeft(line, "\t "):
			return fmt.Sprintf("line %d: %q", n+1, line)
		case strings.HasPrefix(trimmed, "::") && !ours.MatchString(trimmed), strings.HasPrefix(line, "PLANT"):
			return fmt.Sprintf("line %d begins with what was planted: %q", n+1, line)
		}
	}
	return ""
}

// ours matches the workflow commands that bbsync prints on purpose.
var ours = regexp.MustCompile(`^::(error|warning|notice) (file=[^:,]+,line=\d+,)?title=[^:,]*::`)

// A rendering is one format of one result.
type rendering struct {
	name string
	text func() (string, error)
	well func(*testing.T, string) // what the format itself asks for; nil: nothing more
}

// TestHostileStrings feeds one hostile string through every field that another
// system fills into every format.
func TestHostileStrings(t *testing.T) {
	f := &filler{t: t, fields: map[string]bool{}}
	formats := map[string]bool{}
	for _, r := range renderings(f, t) {
		t.Run(r.name, func(t *testing.T) {
			text, err := r.text()
			if err != nil {
				t.Fatal(err)
			}
			if bad := obeyed(text); bad != "" {
				t.Error(bad)
			}
			if !strings.Contains(text, "PLANT") {
				t.Error("the string is not in it")
			}
			if r.well != nil {
				r.well(t, text)
			}
		})
		formats[r.name] = true
	}
	t.Logf("%d fields, %d formats", len(f.fields), len(formats))
}

func renderings(f *filler, t *testing.T) []rendering {
	p, result := hostilePlan(f, t), hostileResult(f, t)
	now := time.Unix(1e9, 0)
	seen := filled(f, drift.New(p, drift.Scope{Time: now}))
	found := filled(f, doctor.Report{Sections: []doctor.Section{
		{Kind: doctor.Connection, Checks: []doctor.Check{{Status: doctor.Failed}, {Status: doctor.OK}}}, {Kind: doctor.Vault, Checks: []doctor.Check{{Status: doctor.Warning}}},
	}})
	diags := hcl.Diagnostics{{Severity: hcl.DiagError, Summary: hostile, Detail: hostile, Subject: &hcl.Range{Filename: hostile}}}
	fleet := hostileFleet(f)
	wrong := authorize.Status{State: authorize.WrongUser, User: hostile}
	request := filled(f, authorize.Request{})
	quiet := &app{output: nil, stderr: io.Discard, getenv: func(string) string { return "" }}
	var out []rendering
	add := func(name string, well func(*testing.T, string), text func() (string, error)) {
		out = append(out, rendering{name, text, well})
	}
	plain := func(text string) func() (string, error) { return func() (string, error) { return text, nil } }
	for _, format := range report.PlanFormats() {
		add("plan "+string(format), wellFormed(format), func() (string, error) {
			return report.RenderPlan(p, format, report.PlanOptions{Options: terminal.Options{Verbose: true}, Version: "1", Now: now})
		})
	}
	add("plan grouped", nil, plain(terminal.Plan(p, terminal.Options{Style: terminal.Style{Width: 60}})))
	for _, format := range []report.Format{report.Text, report.AsJSON} {
		add("drift "+string(format), wellFormed(format), func() (string, error) {
			text, _, err := report.RenderDrift(seen, format, terminal.Style{})
			return text, err
		})
		add("doctor "+string(format), wellFormed(format), func() (string, error) {
			return report.RenderDoctor(hostile, found, format, terminal.Options{Verbose: true})
		})
	}
	for _, format := range report.ValidateFormats() {
		if format != report.Text { // the schema writes it, and has tests of its own
			add("validate "+string(format), wellFormed(format), func() (string, error) { return report.RenderDiagnostics(nil, diags, format, "1") })
		}
	}
	for _, format := range report.GraphFormats() {
		add("graph "+string(format), wellFormed(format), func() (string, error) { return report.RenderGraph(fleet, format) })
	}
	add("page with history", wellFormed(report.HTML), func() (string, error) { return page.HTML(p, now, "1", seen, seen) })
	add("apply text", nil, plain(terminal.Result(result, terminal.Options{Verbose: true})))
	add("apply grouped", nil, plain(terminal.Result(result, terminal.Options{})))
	add("apply json", wellFormed(report.AsJSON), func() (string, error) { return documents.JSON(documents.NewResult(result, 1)) })
	for _, kind := range []apply.EventKind{apply.StepDone, apply.Failed, apply.Warning, apply.Finished} {
		e := filled(f, apply.Event{Kind: kind, Step: plan.CreateLink{}})
		add("event json "+string(kind), wellFormed(report.AsJSON), func() (string, error) { return documents.Line(documents.EventLine(e, now)) })
		if kind != apply.Finished {
			add("event text "+string(kind), nil, plain(terminal.Event(e, terminal.Style{})))
		}
	}
	add("warnings held back", nil, func() (string, error) {
		r := terminal.NewRepeated()
		r.First(hostile, hostile)
		r.First(hostile, hostile)
		return r.Rest(terminal.Style{}), nil
	})
	add("error", nil, plain(terminal.Style{}.Error(errors.Join(errors.New(hostile), fmt.Errorf("%s: %w", hostile, errors.New(hostile))))))
	add("authorize", nil, plain(quiet.changeLine(request, authorize.Status{}, wrong)))
	add("import text", nil, func() (string, error) {
		return terminal.Unmatched([]adopt.Unmatched{filled(f, adopt.Unmatched{})}), nil
	})
	add("import json", wellFormed(report.AsJSON), func() (string, error) { return documents.JSON(filled(f, documents.Import{})) })
	add("import hcl", wellFormedHCL, func() (string, error) {
		text, _ := adopt.Files([]adopt.Match{hostileMatch(f)}, nil)
		return string(text), nil
	})
	add("authorize json", wellFormed(report.AsJSON), func() (string, error) { return documents.JSON(filled(f, documents.NewAuthorize())) })
	add("audit json", wellFormed(report.AsJSON), func() (string, error) { return documents.JSON(filled(f, documents.Audit{})) })
	add("audit trail", wellFormed(report.AsJSON), func() (string, error) { return trailOf(filled(f, audit.Entry{})) })
	_, changed := drift.Snapshot{}.Next(seen, true)
	add("webhook", wellFormedChat, func() (string, error) {
		return notify.Text(notify.Message(seen, changed, true)) + notify.Text(notify.Failure(hostile, errors.New(hostile))), nil
	})
	add("metrics", wellFormedMetrics, func() (string, error) {
		file := t.TempDir() + "/m.prom"
		run := metrics.Run{Fleet: hostile, Shard: hostile, Drift: seen, Requests: map[string]int64{hostile: 1}, Complete: true}
		if err := run.WriteFile(file); err != nil {
			return "", err
		}
		text, err := os.ReadFile(file)
		return string(text), err
	})
	return out
}

func trailOf(e audit.Entry) (string, error) {
	var b strings.Builder
	err := audit.To(&b).Append(e)
	return b.String(), err
}

func hostileFleet(f *filler) *schema.Fleet {
	c := &schema.Connection{
		Address: hostile, Block: hostile, Organization: hostile, ServiceUser: hostile,
		Terraform: &schema.Terraform{Label: hostile, Address: hostile}, Bitbucket: &schema.Bitbucket{Label: hostile, URL: hostile},
		Grants: []schema.Grant{filled(f, schema.Grant{})},
	}
	return &schema.Fleet{Name: hostile, Connections: []*schema.Connection{c}}
}

func hostileMatch(f *filler) adopt.Match {
	m := filled(f, adopt.Match{Client: adopt.Client{Terraform: &schema.Terraform{}}, Bitbucket: &schema.Bitbucket{}})
	m.Client.Terraform = &schema.Terraform{Label: "hcp", Address: hostile}
	m.Bitbucket = &schema.Bitbucket{Label: "corp"}
	return m
}

// wellFormed returns what a format asks for.
func wellFormed(format report.Format) func(*testing.T, string) {
	switch format {
	case report.AsJSON, report.CodeInsights:
		return wellFormedJSON
	case report.SARIF:
		return func(t *testing.T, text string) {
			wellFormedJSON(t, text)
			if strings.Contains(text, "](") {
				t.Error("a link is active")
			}
		}
	case report.JUnit, report.SVG:
		return wellFormedXML
	case report.HTML:
		return wellFormedHTML
	case report.Markdown, report.MarkdownBitbucket:
		return wellFormedMarkdown
	case report.DOT:
		return linesMatch(`^(digraph bbsync \{|}|  \w+=LR;|  (node|edge) \[.*];|  n\d+( -> n\d+)? \[label="([^"\\]|\\.)*"];|)$`)
	case report.Mermaid:
		return linesMatch(`^(flowchart LR|  n\d+\["([\pL\pN _.,:/-]|#\d+;|<br/>)*"]|  n\d+ -->(\|"([\pL\pN _.,:/-]|#\d+;)*"\|)? n\d+|)$`)
	case report.GitHub:
		return linesMatch(ours.String() + `|^$`)
	case report.Text:
	}
	return nil
}

func linesMatch(pattern string) func(*testing.T, string) {
	return func(t *testing.T, text string) {
		for line := range strings.SplitSeq(text, "\n") {
			if !regexp.MustCompile(pattern).MatchString(line) {
				t.Errorf("line %q", line)
			}
		}
	}
}

func wellFormedJSON(t *testing.T, text string) {
	for d := json.NewDecoder(strings.NewReader(text)); ; {
		var v any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func wellFormedXML(t *testing.T, text string) {
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "script" {
			t.Error("a script")
		}
	}
}

func wellFormedHTML(t *testing.T, text string) {
	page, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for n := range page.Descendants() {
		if n.Type == html.ElementNode && n.Data == "script" && n.FirstChild != nil && strings.Contains(n.FirstChild.Data, "PLANT") {
			t.Error("a script of others")
		}
	}
}

// wellFormedMarkdown leaves out fences and code, where nothing means anything:
// nothing of others may be elsewhere.
func wellFormedMarkdown(t *testing.T, text string) {
	fences := regexp.MustCompile("(?ms)^(````*)diff\n.*?^(````*)$")
	text = fences.ReplaceAllStringFunc(text, func(block string) string {
		open, _, _ := strings.Cut(block, "diff\n")
		if body := strings.TrimSuffix(block[len(open):], open); strings.Contains(body, open) {
			t.Errorf("a fence ends too early: %q", block)
		}
		return ""
	})
	text = regexp.MustCompile("`[^`\n]*`|<code>[^<\n]*</code>").ReplaceAllString(text, "")
	for _, mark := range []string{"PLANT", "@", "](", "<script", "<!"} {
		if strings.Contains(text, mark) {
			t.Errorf("%q outside of code: %s", mark, text)
		}
	}
}

func wellFormedChat(t *testing.T, text string) {
	for _, mark := range []string{"@channel", "@here", "](", "<", ">"} {
		if strings.Contains(text, mark) {
			t.Errorf("%q in %s", mark, text)
		}
	}
}

func wellFormedMetrics(t *testing.T, text string) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	if _, err := parser.TextToMetricFamilies(bytes.NewReader([]byte(text))); err != nil {
		t.Error(err)
	}
}

func wellFormedHCL(t *testing.T, text string) {
	file, diags := hclsyntax.ParseConfig([]byte(text), "x.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok || len(body.Blocks) != 1 {
		t.Fatal("not one block")
	}
	value, diags := body.Blocks[0].Body.Attributes["name"].Expr.Value(nil) // a template would need its variables
	if want := strings.ToValidUTF8(hostile, "\ufffd"); diags.HasErrors() || value.AsString() != want {
		t.Errorf("name is %q, want %q: %v", value.AsString(), want, diags)
	}
}
