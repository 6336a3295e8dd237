package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/adopt"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/replace"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/terminal"
	"github.com/bbsync/bbsync/internal/vault"
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
		Short: "Import connections that were created manually",
		Long: "import reads the OAuth clients in Terraform and the application links in Bitbucket, matches them, and\n" +
			"writes the connections to a file and their records to Vault. It changes neither Terraform nor\n" +
			"Bitbucket; a plan afterwards shows no changes. Objects that match no connection are listed.\n\n" +
			"The folder needs a bbsync, a vault, and the terraform and bitbucket blocks to import from; bbsync init\n" +
			"writes them. Terraform never returns private keys: run bbsync rotate to have them in Vault.",
	}
	a.variableFlags(c)
	c.Flags().StringArrayVar(&f.terraforms, "terraform", nil, "import from the terraform block with this label; repeatable; default: all")
	c.Flags().StringArrayVar(&f.bitbuckets, "bitbucket", nil, "import from the bitbucket block with this label; repeatable; default: all")
	c.Flags().StringVar(&f.out, "out", "imported.hcl", "new file to write, in the folder of the configuration")
	c.Flags().BoolVar(&f.dry, "dry-run", false, "print the file and write nothing")
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
	found, err := adopt.Propose(ctx, run.Systems, terraforms, bitbuckets)
	if err != nil {
		return err
	}
	doc := documents.NewImport(found)
	if !f.dry && len(found.Places) > 0 {
		if doc.Records, err = a.writeImport(ctx, run.Systems.Vault(), file, found); err != nil {
			return err
		}
		doc.File = file
	}
	tally := exitcode.Tally{}
	tally.Import(len(found.Places), found.Unmatched)
	return cmp.Or(a.deliver(f.output, func(format report.Format, _ terminal.Style) (string, error) {
		switch {
		case format == report.AsJSON:
			return documents.JSON(doc)
		case f.dry:
			return terminal.ImportPreview(found), nil
		}
		return terminal.Import(found, doc.File, doc.Records), nil
	}), exit(int(tally.Code())))
}

// writeImport writes the file, loads it with the others, and writes the records. It
// removes a file that does not load with the others.
func (a *app) writeImport(ctx context.Context, v *vault.Client, file string, found adopt.Proposal) (int, error) {
	if err := replace.File(file, found.HCL, 0o600); err != nil {
		return 0, err
	}
	configuration, err := a.load()
	if err != nil {
		err = errors.Join(err, os.Remove(file))
		return 0, fmt.Errorf("the imported connections do not load with the other files: %w", err)
	}
	written, existing, err := adopt.WriteRecords(ctx, v, configuration, found.Places)
	for _, c := range existing {
		a.tellf("%s has a record already (%s), which stays\n", c.Address, c.Record)
	}
	return written, err
}

// labelled returns the blocks with these labels; none: all.
func labelled[T any](kind string, blocks []T, names []string, label func(T) string) ([]T, error) {
	if len(blocks) == 0 {
		return nil, &exitError{code: exitConfig, err: fmt.Errorf("the configuration has no %s block to import from; bbsync init writes one", kind)}
	}
	if len(names) == 0 {
		return blocks, nil
	}
	var out []T
	for _, name := range names {
		i := slices.IndexFunc(blocks, func(b T) bool { return label(b) == name })
		if i < 0 {
			return nil, &exitError{code: exitUsage, err: errors.New("the configuration has no block " + kind + "." + name)}
		}
		out = append(out, blocks[i])
	}
	return out, nil
}
