package live

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// EndsOptions say of which systems is read what ends. The requests for it are a few
// for each system and credential, however many connections there are.
type EndsOptions struct {
	Of       []*schema.Connection // the systems of these; none: nothing is read
	EveryOne bool                 // the tokens of single organizations, too, which may be one for each connection
}

// Ends reads what ends of the systems, beside what each connection has. A system that
// does not answer is left out: its connections say so.
func Ends(ctx context.Context, sys *systems.Systems, opts EndsOptions) []expiry.End {
	var reads []func() []expiry.End
	if len(opts.Of) > 0 {
		reads = append(reads, func() []expiry.End { return vaultEnds(ctx, sys.Vault()) })
	}
	for _, c := range sys.Credentials(opts.Of) {
		if !c.Own || opts.EveryOne {
			reads = append(reads, func() []expiry.End { return terraformEnds(ctx, sys, c) })
		}
	}
	var labels []string
	for _, c := range opts.Of {
		if !slices.Contains(labels, c.Bitbucket.Label) {
			labels = append(labels, c.Bitbucket.Label)
			reads = append(reads, func() []expiry.End { return bitbucketEnds(ctx, sys, c.Bitbucket.Label) })
		}
	}
	found := make([][]expiry.End, len(reads))
	var group sync.WaitGroup
	for i, read := range reads {
		group.Go(func() { found[i] = read() })
	}
	group.Wait()
	return unique(slices.Concat(found...))
}

// unique leaves out what was seen twice, as the certificates of a server are with each
// token.
func unique(ends []expiry.End) []expiry.End {
	seen := map[expiry.End]bool{}
	var out []expiry.End
	for _, e := range ends {
		if !seen[e] {
			seen[e] = true
			out = append(out, e)
		}
	}
	return out
}

func certificateEnds(system string, certificates []httpx.Certificate) []expiry.End {
	var out []expiry.End
	for _, c := range certificates {
		out = append(out, expiry.OfCertificate(system, c.Subject, c.Begins, c.Until, c.Own))
	}
	return out
}

func vaultEnds(ctx context.Context, client *vault.Client) []expiry.End {
	out := certificateEnds("vault", client.Certificates())
	token, err := client.TokenInfo(ctx)
	switch {
	case token.Agent, err != nil && !errors.Is(err, vault.ErrForbidden):
		return out
	case err != nil:
		return append(out, expiry.CannotKnow(expiry.VaultToken, "vault", "", "the token may not look itself up"))
	}
	out = append(out, expiry.OfVaultToken(expiry.Vault{Login: token.Login, Created: token.Created, Expires: token.Expires}))
	switch id, err := client.SecretIDInfo(ctx, token.Role); {
	case err == nil:
		out = append(out, expiry.OfSecretID(id.Created, id.Expires, id.Uses))
	case errors.Is(err, vault.ErrForbidden):
		out = append(out, expiry.CannotKnow(expiry.SecretID, "vault", "", "the policy has no line for its lookup (docs/vault-policy.hcl)"))
	}
	return out
}

func terraformEnds(ctx context.Context, sys *systems.Systems, c systems.Credential) []expiry.End {
	client, err := sys.Terraform(ctx, c.Label, c.Organization)
	if err != nil {
		return nil
	}
	token, err := client.OwnToken(ctx)
	out := certificateEnds("terraform."+c.Label, client.Certificates())
	cannot := func(why string) []expiry.End {
		return append(out, expiry.CannotKnow(expiry.APIToken, "terraform."+c.Label, c.Name(), why))
	}
	switch {
	case errors.Is(err, tfe.ErrForbidden) && token.Owner.Kind == tfe.OrganizationToken:
		return cannot("an organization's token cannot read itself; see its settings, API tokens")
	case errors.Is(err, tfe.ErrForbidden):
		return cannot("the team may not manage its tokens")
	case errors.Is(err, tfe.ErrUnsupported):
		return cannot("this release of Terraform does not tell which token is used")
	case err != nil:
		return out
	}
	return append(out, expiry.OfAPIToken("terraform."+c.Label, c.Name(), token.Created, token.Expires, token.Owner.Kind.SeveralTokens() && c.Ref.Vault != ""))
}

func bitbucketEnds(ctx context.Context, sys *systems.Systems, label string) []expiry.End {
	client, err := sys.Bitbucket(ctx, label)
	if err != nil {
		return nil
	}
	license, err := client.License(ctx)
	out := certificateEnds("bitbucket."+label, client.Certificates())
	if login := client.LoginState(); login.OAuth {
		out = append(out, expiry.OfAdminLogin(label, login.Made, login.Ends))
	}
	switch {
	case err == nil:
		return append(out, expiry.OfLicense("bitbucket."+label, license.Created, license.Expires, license.Grace))
	case errors.Is(err, bitbucket.ErrNotFound):
		return append(out, expiry.CannotKnow(expiry.License, "bitbucket."+label, "", "Bitbucket has none"))
	case errors.Is(err, bitbucket.ErrForbidden), errors.Is(err, bitbucket.ErrNotServed):
		return append(out, expiry.CannotKnow(expiry.License, "bitbucket."+label, "", "the administrator's account may not read it"))
	}
	return out
}
