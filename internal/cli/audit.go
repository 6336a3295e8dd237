package cli

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/audit"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

func (a *app) auditCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Check the trail that apply --audit leaves",
		Long:  "apply, rotate, destroy and authorize --apply, with --audit FILE, write one line for each step done,\neach naming the hash of the line before it.",
	}
	var contains string
	verify := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check that no line of the trail was changed, removed, added or moved",
		Long: "verify reads a trail from its beginning and names the first line that does not follow from those\n" +
			"before it. It prints the newest entry's hash: kept elsewhere, and given to --contains at the next\n" +
			"check, it shows that the trail was not cut off or rewritten since. It exits with 8 when the trail\n" +
			"ends in an unfinished line, as a crash or a full disk leaves it.",
		Args: cobra.ExactArgs(1),
	}
	verify.Flags().StringVar(&contains, "contains", "", "hash of an entry that must be in the trail")
	output := a.outputFlags(verify)
	verify.RunE = func(_ *cobra.Command, args []string) error {
		if err := a.use(output); err != nil {
			return err
		}
		if hash, err := hex.DecodeString(contains); err != nil || contains != "" && len(hash) != sha256.Size {
			return &exitError{code: exitUsage, err: fmt.Errorf("--contains %s is no hash of an entry: 64 hexadecimal digits, as apply and verify print them", contains)}
		}
		return a.verifyTrail(output, args[0], contains)
	}
	c.AddCommand(verify)
	return c
}

func (a *app) verifyTrail(output *outputFlags, file, contains string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading the audit trail: %w", err)
	}
	defer func() { _ = f.Close() }()
	v, err := audit.Verify(f, strings.ToLower(contains))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if contains != "" && !v.Found {
		return fmt.Errorf("%s: no entry has the hash %s: the trail was cut off or rewritten", file, contains)
	}
	err = a.deliver(output, func(format report.Format, _ terminal.Style) (string, error) {
		if format == report.AsJSON {
			return documents.JSON(documents.NewAudit(file, v))
		}
		torn := ""
		if v.Torn > 0 {
			torn = fmt.Sprintf(", unfinished lines: %d", v.Torn)
		}
		return fmt.Sprintf("%s: whole, %d entries%s; the newest has hash %s\n", file, v.Entries, torn, v.Head), nil
	})
	if err == nil && v.Open {
		return &exitError{code: exitTorn, err: fmt.Errorf("%s ends in an unfinished line, as a crash or a full disk leaves it. "+
			"Nothing shows who wrote that line or that it is true: compare it with the systems. The next run records that it was there", file)}
	}
	return err
}

// auditFlag adds the flag to a verb that carries steps out.
func (a *app) auditFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.trailFile, "audit", "", "append a line of JSON for each step done to this file; -: to standard error")
}

// A trail is what one run writes to the audit trail. A nil one writes nothing.
type trail struct {
	*audit.Trail
	stamp audit.Entry // what all entries of the run have in common
	app   *app
}

// openTrail opens the trail that --audit names and writes that a run begins: if
// that cannot be written, nothing else is.
func (a *app) openTrail(fleet string) (*trail, error) {
	if a.trailFile == "" {
		return nil, nil //nolint:nilnil // a nil trail is one that was not asked for
	}
	t := &trail{app: a, stamp: audit.Entry{Run: rand.Text(), Who: holder(), Fleet: fleet}}
	var err error
	if a.trailFile == "-" {
		t.Trail = audit.To(a.stderr)
	} else if t.Trail, err = audit.Open(a.trailFile); err != nil {
		return nil, err
	}
	if t.Torn() {
		a.tellf("Warning: the audit trail %s ends in an unfinished line, as a crash leaves it; check that line, nothing vouches for what it says\n", a.trailFile)
	}
	return t, t.run(audit.Began, "bbsync "+version())
}

func (t *trail) run(result audit.Result, what string) error {
	e := t.stamp
	e.Time, e.Step, e.What, e.Result = t.app.now(), "run", what, result
	return t.Append(e)
}

// keep returns what apply calls for each deed.
func (t *trail) keep() func(apply.Deed) error {
	if t == nil {
		return nil
	}
	return func(d apply.Deed) error {
		e := t.stamp
		e.Time, e.Address, e.Result, e.What = t.app.now(), d.Address, audit.Done, d.Step.String()
		e.Step = d.Step.Type().Kind
		e.Fingerprints, e.Proof = d.Fingerprints, d.Proof
		if d.Err != nil {
			e.Result, e.Error = audit.Failed, d.Err.Error()
		}
		return t.Append(e)
	}
}

// end writes how the run ended, and tells the head, which is worth noting
// elsewhere.
func (t *trail) end(result apply.Result) error {
	if t == nil {
		return nil
	}
	n := map[apply.Status]int{}
	for _, o := range result.Connections {
		n[o.Status]++
	}
	var counts []string
	for _, s := range []apply.Status{
		apply.Applied, apply.Unchanged, apply.Waiting, apply.Broken, apply.Stale, apply.Blocked, apply.NotRun, apply.Leased, apply.Later,
	} {
		if n[s] > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	if err := t.run(audit.Ended, "connections: "+strings.Join(counts, ", ")); err != nil {
		return err
	}
	entries, head := t.Head()
	t.app.tellf("Audit trail: %d entries, the newest has hash %s\n", entries, head)
	return nil
}
