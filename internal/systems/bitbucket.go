package systems

import (
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// A BitbucketLogin adds a login to a client's configuration.
type BitbucketLogin func(context.Context, *bitbucket.Config) error

func (s *Systems) openBitbucket(ctx context.Context, block *schema.Bitbucket) (*bitbucket.Client, error) {
	login := s.ByPassword(block)
	if block.Admin.OAuth {
		login = s.byOAuth(block)
	}
	return s.NewBitbucket(ctx, block, login)
}

// NewBitbucket returns another client of a Bitbucket, with a login of its own. The
// caller closes it.
func (s *Systems) NewBitbucket(ctx context.Context, block *schema.Bitbucket, login BitbucketLogin) (*bitbucket.Client, error) {
	client, err := s.newBitbucket(ctx, block, login)
	if err != nil {
		return nil, fmt.Errorf("bitbucket.%s: %w", block.Label, err)
	}
	return client, nil
}

func (s *Systems) newBitbucket(ctx context.Context, block *schema.Bitbucket, login BitbucketLogin) (*bitbucket.Client, error) {
	config := bitbucket.Config{
		URL: block.URL, Username: block.Admin.Username, UserAgent: s.env.UserAgent,
		Limiter: s.limiter(block.URL+" "+block.Admin.Username, block.RateLimit),
	}
	err := login(ctx, &config)
	if err != nil {
		return nil, err
	}
	if config.CA, err = s.readCA(block.CAFile); err != nil {
		return nil, err
	}
	if config.Gateway, err = s.gateway(ctx, block.Gateway); err != nil {
		return nil, err
	}
	return bitbucket.New(config)
}

// ByPassword logs in with the administrator's password and second factor.
func (s *Systems) ByPassword(block *schema.Bitbucket) BitbucketLogin {
	return func(ctx context.Context, config *bitbucket.Config) (err error) {
		if block.Admin.Password == nil {
			return errors.New("admin has no password block")
		}
		if config.Password, err = s.Credential(ctx, *block.Admin.Password); err != nil {
			return fmt.Errorf("the admin's password: %w", err)
		}
		if block.Admin.TOTP == nil {
			return nil
		}
		if config.TOTP, err = s.Credential(ctx, *block.Admin.TOTP); err != nil {
			return fmt.Errorf("the admin's totp: %w", err)
		}
		return nil
	}
}

// ErrNoLogin says that no administrator has allowed bbsync to log in by OAuth.
var ErrNoLogin = errors.New("no OAuth login is stored")

// byOAuth logs in with the token that `bbsync login` has stored.
func (s *Systems) byOAuth(block *schema.Bitbucket) BitbucketLogin {
	return func(ctx context.Context, config *bitbucket.Config) error {
		l, _, err := s.vault.ReadAdminLogin(ctx, block.Admin.Login)
		switch {
		case errors.Is(err, vault.ErrNotFound), errors.Is(err, vault.ErrDeleted), err == nil && l.Token.Empty():
			return fmt.Errorf("%w in Vault: run bbsync login %s, or take oauth out of admin", ErrNoLogin, block.Label)
		case err != nil:
			return fmt.Errorf("the admin's OAuth login: %w", err)
		case !names.SameURL(l.Bitbucket, block.URL) || !names.SameUser(l.Username, block.Admin.Username):
			return fmt.Errorf("%w for %s: the one in Vault is of %s at %s; run bbsync login %s", ErrNoLogin, block.Admin.Username, l.Username, l.Bitbucket, block.Label)
		}
		config.OAuth = &bitbucket.OAuth{ConsumerKey: l.ConsumerKey, PrivateKey: l.PrivateKey, Token: l.Token, Made: l.Made, Ends: l.Ends}
		return nil
	}
}
