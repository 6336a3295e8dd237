package adopt

import (
	"context"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// A Proposal is what an import would write, and what it could not match.
type Proposal struct {
	HCL       []byte
	Places    []Place // of the connections in it
	Unmatched []Unmatched
}

// Propose reads what people created in these Terraforms and Bitbuckets and matches
// the two sides. It leaves out what the configuration has already.
func Propose(ctx context.Context, sys *systems.Systems, terraforms []*schema.Terraform, bitbuckets []*schema.Bitbucket) (Proposal, error) {
	connections := sys.Fleet().Connections
	found, err := Read(ctx, sys, terraforms, bitbuckets)
	if err != nil {
		return Proposal{}, err
	}
	if found.Existing, err = readExisting(ctx, sys.Vault(), connections); err != nil {
		return Proposal{}, err
	}
	matches, unmatched := Pair(found, bitbuckets)
	matches = slices.DeleteFunc(matches, func(m Match) bool {
		return slices.ContainsFunc(connections, func(c *schema.Connection) bool {
			return c.Terraform == m.Client.Terraform && c.Bitbucket == m.Bitbucket && names.SameOrganization(c.Organization, m.Client.Organization)
		})
	})
	var labels []string
	for _, c := range connections {
		labels = append(labels, c.Block)
	}
	out := Proposal{Unmatched: unmatched}
	out.HCL, out.Places = Files(matches, labels)
	return out, nil
}

// WriteRecords writes the records of imported connections, which the configuration
// has by now. It returns how many, and the connections that had one already.
func WriteRecords(ctx context.Context, v *vault.Client, configuration *schema.Fleet, places []Place) (written int, existing []*schema.Connection, err error) {
	byAddress := map[string]*schema.Connection{}
	for _, c := range configuration.Connections {
		byAddress[c.Address] = c
	}
	for _, p := range places {
		c := byAddress[p.Address]
		if c == nil {
			return written, existing, fmt.Errorf("%s was written and is not in the configuration", p.Address)
		}
		wrote, err := writeRecord(ctx, v, c.Record, Record(configuration.Name, c, p.Match))
		switch {
		case err != nil:
			return written, existing, err
		case wrote:
			written++
		default:
			existing = append(existing, c)
		}
	}
	return written, existing, nil
}
