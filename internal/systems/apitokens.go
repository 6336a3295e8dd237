package systems

import (
	"context"
	"slices"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/schema"
)

// A Credential is an API token with which connections reach Terraform.
type Credential struct {
	Label        string // of the terraform block
	Ref          schema.SecretRef
	Organization string // one that is reached with it
	Own          bool   // a connection names it, not the block
}

// Name says where the token is kept.
func (c Credential) Name() string { return refName(c.Ref) }

// Credentials returns the API tokens that these connections use, each once.
func (s *Systems) Credentials(connections []*schema.Connection) []Credential {
	seen := map[terraformKey]bool{}
	var out []Credential
	for _, c := range connections {
		ref, own := s.tokenRef(c.Terraform, c.Organization)
		key := terraformKey{c.Terraform.Label, refName(ref)}
		if !seen[key] {
			seen[key] = true
			out = append(out, Credential{Label: c.Terraform.Label, Ref: ref, Organization: c.Organization, Own: own})
		}
	}
	return out
}

// TerraformWith opens a client of its own with another token than the configuration's.
func (s *Systems) TerraformWith(ctx context.Context, label string, token secret.Text) (*tfe.Client, error) {
	i := slices.IndexFunc(s.fleet.Terraforms, func(t *schema.Terraform) bool { return t.Label == label })
	return s.terraformClient(ctx, s.fleet.Terraforms[i], token, nil)
}
