package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// forced is the least program with the three libraries that the work needs.
const forced = `package main

import (
	"fmt"

	"github.com/hashicorp/go-tfe"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/vault/api"
)

func main() {
	client, err := tfe.NewClient(tfe.DefaultConfig())
	if err != nil {
		panic(err)
	}
	fmt.Println(client.OAuthClients)
	fmt.Println(hclparse.NewParser().ParseHCLFile("x"))
	fmt.Println(api.NewClient(api.DefaultConfig()))
}
`

// sizeRow compares the binary with what its three large libraries force, built
// the same way.
func (b *measuring) sizeRow(ctx context.Context, t *table) error {
	source := filepath.Join(b.folder, "forced.go")
	if err := os.WriteFile(source, []byte(forced), 0o600); err != nil {
		return err
	}
	least := filepath.Join(b.folder, "forced")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", least, source) //nolint:gosec // a file of ours
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building a program of go-tfe, hcl and vault/api: %w\n%s", err, out)
	}
	have, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	want, err := os.Stat(least)
	if err != nil {
		return err
	}
	t.row("size of the binary", fmt.Sprintf("%.1f MB; go-tfe, hcl and vault/api alone: %.1f MB (%.2f ×)",
		mega(have), mega(want), float64(have.Size())/float64(want.Size())), "no more than that", have.Size() <= want.Size())
	return nil
}

func mega(f os.FileInfo) float64 { return float64(f.Size()) / 1e6 }
