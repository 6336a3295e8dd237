package apply

import (
	"context"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// servers is what an apply needs of the systems. opened gives the real ones.
type servers interface {
	Terraform(ctx context.Context, label, organization string) (terraformServer, error)
	Bitbucket(ctx context.Context, label string) (bitbucketServer, error)
	SSHServer(ctx context.Context, label string) (systems.SSHServer, error)
	Secret(ctx context.Context, ref schema.SecretRef) (secret.Text, error)
	// Lease is Break of the Vault client.
	Lease(ctx context.Context, path, holder string, ttl time.Duration, seed record.Record, broken *record.Lease) (lease, error)
	DestroyOlder(ctx context.Context, path string, newest vault.Version) error
	Known
}

// Known is what the records of the whole fleet tell.
type Known interface {
	// PinnedLogin logs in to a Bitbucket's SSH server with the host keys that the
	// configuration, the connection's record or another record of the fleet has.
	PinnedLogin(ctx context.Context, bitbucket string, files, own []string, login func(pinned []string) (string, error)) error
	// FindUnknownKey reports whether a user still has an SSH key that nothing knows.
	FindUnknownKey(ctx context.Context, label, user string, id int, fingerprint string) (bool, error)
}

// terraformServer is what the steps need of one organization's Terraform.
type terraformServer interface {
	workspaces
	Clients(ctx context.Context, organization string) ([]tfe.OAuthClient, error)
	CreateClient(ctx context.Context, organization string, want tfe.NewClient) (tfe.OAuthClient, error)
	UpdateClient(ctx context.Context, id string, update tfe.ClientUpdate) error
	DeleteClient(ctx context.Context, id string) error
	Affected(ctx context.Context, organization, clientID string) (tfe.Affected, error)
	Projects(ctx context.Context, organization string) (map[string]string, error)
	AgentPools(ctx context.Context, organization string) (map[string]string, error)
	SetSSHKey(ctx context.Context, tokenID string, private secret.Text) error
	AuthorizedRepos(ctx context.Context, tokenID string) ([]string, error)
	WorkspacesByToken(ctx context.Context, organization, tokenID string) ([]tfe.Workspace, error)
}

// bitbucketServer is what the steps need of one Bitbucket.
type bitbucketServer interface {
	Links(ctx context.Context) ([]bitbucket.Link, error)
	CreateLink(ctx context.Context, name, url string) (bitbucket.Link, error)
	RenameLink(ctx context.Context, link bitbucket.Link, name string) error
	DeleteLink(ctx context.Context, id string) error
	Consumer(ctx context.Context, linkID string) (bitbucket.Consumer, error)
	SetConsumer(ctx context.Context, linkID string, consumer bitbucket.Consumer) error
	ProveConsumer(ctx context.Context, consumerKey string, private secret.Text) error
	DeleteOrphanedConsumer(ctx context.Context, key string) error
	KeyPolicy(ctx context.Context) (bitbucket.KeyPolicy, error)
	AddSSHKey(ctx context.Context, user, line, label string, expiryDays int) (bitbucket.SSHKey, error)
	DeleteSSHKey(ctx context.Context, user string, id int) error
	SSHKeys(ctx context.Context, user string) ([]bitbucket.SSHKey, error)
	WhoamiSSH(ctx context.Context, address string, key secret.Text, hostKeys []string) (bitbucket.SSHProof, error)
	Clock() (skew time.Duration, known bool)
	Grant(ctx context.Context, user string, p bitbucket.Permission) error
	HasPermissions(ctx context.Context, user string, wants []bitbucket.Permission) ([]bitbucket.Holding, error)
	InstallPlugin(ctx context.Context, uri string) error
	EnablePlugin(ctx context.Context, key string) error
	EnableHook(ctx context.Context, project, repository, key string) error
}

// lease is a record whose lease is held: *vault.Held.
type lease interface {
	Err() error
	Lost() <-chan struct{}
	Record() record.Record
	Version() vault.Version
	Update(ctx context.Context, change func(*record.Record) error) error
	DestroyOlder(ctx context.Context) error
	Release(ctx context.Context) error
}

// opened are the real systems.
type opened struct {
	*systems.Systems
	Known
}

func (o opened) Terraform(ctx context.Context, label, organization string) (terraformServer, error) {
	return o.Systems.Terraform(ctx, label, organization)
}

func (o opened) Bitbucket(ctx context.Context, label string) (bitbucketServer, error) {
	return o.Systems.Bitbucket(ctx, label)
}

func (o opened) Lease(ctx context.Context, path, holder string, ttl time.Duration, seed record.Record, broken *record.Lease) (lease, error) {
	return o.Vault().Break(ctx, path, holder, ttl, seed, broken)
}

func (o opened) DestroyOlder(ctx context.Context, path string, newest vault.Version) error {
	return o.Vault().DestroyOlder(ctx, path, newest)
}
