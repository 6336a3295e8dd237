package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/adopt"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/replace"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/terminal"
	"github.com/bbsync/bbsync/schema"
)

type importFlags struct {
	terraforms, bitbuckets []string
	out                    string
	dry                    bool
	output                 *outputFlags
}

func (a *app) importCommand() *cobra.Command {
	f := &importFlags{}
	c := &cobra.Command{
		Use:   "import",
		Short: "Take over connections that were made by hand, as they are",
		Long: "import looks at what people made in Terraform and on Bitbucket, pairs the two sides, and writes the\n" +
			"connections into a file and what can be known of them into Vault. It changes neither Terraform nor\n" +
			"Bitbucket, and the plan after it is empty. What fits nothing is listed.\n\n" +
			"The folder needs a bbsync, a vault, and the terraform and bitbucket blocks to look at; bbsync init\n" +
			"writes them. Private keys stay where they are, with Terraform alone, until bbsync rotate.",
	}
	a.variableFlags(c)
	c.Flags().StringArrayVar(&f.terraforms, "terraform", nil, "label of a terraform block to look at; repeatable; none: all")
	c.Flags().StringArrayVar(&f.bitbuckets, "bitbucket", nil, "label of a bitbucket block to look at; repeatable; none: all")
	c.Flags().StringVar(&f.out, "out", "imported.hcl", "file to write, in the folder of the configuration; it must not be there yet")
	c.Flags().BoolVar(&f.dry, "dry-run", false, "print the file, and write nothing anywhere")
	f.output = a.outputFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := a.use(f.output); err != nil {
			return err
		}
		ctx, cancel := a.untilStopped(c.Context())
		defer cancel()
		return interruptible(ctx, a.importAll(ctx, f))
	}
	return c
}

func (a *app) importAll(ctx context.Context, f *importFlags) error {
	run, err := a.openRun(ctx, newScopeFlags())
	if err != nil {
		return err
	}
	defer run.Close()
	terraforms, err := labelled("terraform", run.Configuration.Terraforms, f.terraforms, func(t *schema.Terraform) string { return t.Label })
	if err != nil {
		return err
	}
	bitbuckets, err := labelled("bitbucket", run.Configuration.Bitbuckets, f.bitbuckets, func(b *schema.Bitbucket) string { return b.Label })
	if err != nil {
		return err
	}
	file, err := a.newFile(f.out)
	if err != nil && !f.dry {
		return err
	}
	found, err := adopt.Read(ctx, run.Systems, terraforms, bitbuckets)
	if err != nil {
		return err
	}
	if found.Ours, err = adopt.ReadOurs(ctx, run.Systems.Vault(), run.Configuration.Connections); err != nil {
		return err
	}
	matches, odd := adopt.Pair(found, bitbuckets)
	matches = undescribed(run.Configuration, matches)
	text, places := adopt.Files(matches, blockLabels(run.Configuration))
	doc := importDocument(places, odd)
	tally := exitcode.Tally{}
	tally.Import(len(places), odd)
	code := int(tally.Code())
	if f.dry {
		return cmp.Or(a.tellImport(f.output, doc, func(w io.Writer) {
			_, _ = w.Write(text)
			tellOdd(w, odd)
			if len(places) == 0 {
				plaintext.Fprintf(w, "%s\n", nothingToImport)
			}
		}), exit(code))
	}
	if len(places) > 0 {
		if err := replace.File(file, text, 0o600); err != nil {
			return err
		}
		if doc.Records, err = a.keepAll(ctx, run, file, places); err != nil {
			return err
		}
		doc.File = file
	}
	return cmp.Or(a.tellImport(f.output, doc, func(w io.Writer) {
		tellOdd(w, odd)
		plaintext.Fprintf(w, "%s\n", imported(len(places), doc.Records, file))
	}), exit(code))
}

func (a *app) tellImport(output *outputFlags, doc documents.Import, text func(io.Writer)) error {
	return a.deliver(output, func(format report.Format, _ terminal.Style) (string, error) {
		if format == report.AsJSON {
			return documents.JSON(doc)
		}
		var b strings.Builder
		text(&b)
		return b.String(), nil
	})
}

func importDocument(places []adopt.Place, odd []adopt.Oddity) documents.Import {
	doc := documents.NewImport()
	for _, p := range places {
		doc.Connections = append(doc.Connections, documents.ImportedConnection{
			Address: p.Address, Terraform: p.Client.Terraform.Label, Organization: p.Client.Organization, Bitbucket: p.Bitbucket.Label,
		})
	}
	for _, o := range odd {
		doc.Left = append(doc.Left, documents.Left{Kind: string(o.Kind), Text: o.Text, Remedy: o.Remedy})
	}
	return doc
}

const nothingToImport = "Nothing to import."

func imported(n, records int, file string) string {
	if n == 0 {
		return nothingToImport
	}
	return fmt.Sprintf("Imported %d connections into %s, %d records into Vault. Neither Terraform nor Bitbucket was changed; bbsync plan shows what is left.", n, file, records)
}

// keepAll loads the files with what was written, and writes the records. A file
// that does not load beside the others is taken back.
func (a *app) keepAll(ctx context.Context, run *fleet.Run, file string, places []adopt.Place) (int, error) {
	configuration, err := a.load()
	if err != nil {
		err = errors.Join(err, os.Remove(file))
		return 0, fmt.Errorf("what was written does not load beside the other files: %w", err)
	}
	byAddress := map[string]*schema.Connection{}
	for _, c := range configuration.Connections {
		byAddress[c.Address] = c
	}
	written := 0
	for _, p := range places {
		c := byAddress[p.Address]
		if c == nil {
			return written, fmt.Errorf("%s was written and is not in the files", p.Address)
		}
		wrote, err := adopt.Keep(ctx, run.Systems.Vault(), c.Record, adopt.Record(configuration.Name, c, p.Match))
		if err != nil {
			return written, err
		}
		if wrote {
			written++
		} else {
			a.tellf("%s has a record already (%s), which stays\n", p.Address, c.Record)
		}
	}
	return written, nil
}

// undescribed leaves out what the files describe already.
func undescribed(fleet *schema.Fleet, matches []adopt.Match) []adopt.Match {
	return slices.DeleteFunc(matches, func(m adopt.Match) bool {
		return slices.ContainsFunc(fleet.Connections, func(c *schema.Connection) bool {
			return c.Terraform == m.Client.Terraform && c.Bitbucket == m.Bitbucket && names.SameOrganization(c.Organization, m.Client.Organization)
		})
	})
}

func blockLabels(fleet *schema.Fleet) []string {
	var out []string
	for _, c := range fleet.Connections {
		out = append(out, c.Block)
	}
	return out
}

// labelled returns the blocks with these labels; none: all.
func labelled[T any](kind string, blocks []T, names []string, label func(T) string) ([]T, error) {
	if len(blocks) == 0 {
		return nil, &exitError{code: exitConfig, err: fmt.Errorf("the files have no %s block to look at; bbsync init writes one", kind)}
	}
	if len(names) == 0 {
		return blocks, nil
	}
	var out []T
	for _, name := range names {
		i := slices.IndexFunc(blocks, func(b T) bool { return label(b) == name })
		if i < 0 {
			return nil, &exitError{code: exitUsage, err: errors.New("the files have no block " + kind + "." + name)}
		}
		out = append(out, blocks[i])
	}
	return out, nil
}

// tellOdd lists what fits nothing, by kind.
func tellOdd(w io.Writer, odd []adopt.Oddity) {
	slices.SortStableFunc(odd, func(a, b adopt.Oddity) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	for i, o := range odd {
		if i == 0 || odd[i-1].Kind != o.Kind { //nolint:gosec // i is at least 1 there
			n := 0
			for _, x := range odd[i:] {
				if x.Kind == o.Kind {
					n++
				}
			}
			plaintext.Fprintf(w, "%s (%d)\n", o.Kind, n)
			if o.Remedy != "" {
				plaintext.Fprintf(w, "  %s\n", plaintext.LineStart(o.Remedy))
			}
		}
		plaintext.Fprintf(w, "  - %s\n", o.Text)
	}
	if len(odd) > 0 {
		plaintext.Fprintf(w, "\n")
	}
}
