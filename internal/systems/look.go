package systems

import (
	"context"

	"github.com/bbsync/bbsync/internal/reach"
	"github.com/bbsync/bbsync/schema"
)

// Looking at how the servers can be reached from here takes no login.

// LookAtBitbucket looks at the server of the bitbucket block with this label.
func (s *Systems) LookAtBitbucket(ctx context.Context, label string) (reach.Sight, error) {
	block := find(s.fleet.Bitbuckets, func(b *schema.Bitbucket) bool { return b.Label == label })
	return s.look(ctx, block.URL, block.CAFile)
}

// LookAtTerraform looks at the server of the terraform block with this label.
func (s *Systems) LookAtTerraform(ctx context.Context, label string) (reach.Sight, error) {
	block := find(s.fleet.Terraforms, func(t *schema.Terraform) bool { return t.Label == label })
	return s.look(ctx, block.Address, block.CAFile)
}

// LookAtVault looks at the Vault of the files or the environment.
func (s *Systems) LookAtVault(ctx context.Context) (reach.Sight, error) {
	address, err := VaultAddress(s.fleet.Vault, s.env.Getenv)
	if err != nil {
		return reach.Sight{}, err
	}
	return s.look(ctx, address, firstOf(s.fleet.Vault.CAFile, s.env.Getenv("VAULT_CACERT")))
}

func (s *Systems) look(ctx context.Context, address, caFile string) (reach.Sight, error) {
	ca, err := s.readCA(caFile)
	if err != nil {
		return reach.Sight{Address: address}, err
	}
	return reach.Look(ctx, address, ca), nil
}
