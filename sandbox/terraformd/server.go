// Package terraformd is the sandbox's Terraform: an HCP Terraform or Terraform
// Enterprise server for organizations, OAuth clients and tokens, and workspaces
// that follow a repository. It speaks the real API (go-tfe's own tests and the
// tfe provider run against it), signs its calls to Bitbucket with the keys it was
// given, and clones over SSH with the key it holds.
//
// It runs no Terraform: a workspace fetches its configuration and stops there. It
// limits no rate (package front does), and it knows other VCS providers than
// Bitbucket Server only as names. Where the real server's behaviour is not known
// for certain, the code says so where it decides.
package terraformd

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Options configure a Server. The zero value is HCP Terraform of today.
type Options struct {
	// Version is the release of Terraform Enterprise to be, such as "v202410-1";
	// empty: HCP Terraform.
	Version string
	// RateLimit is what X-RateLimit-Limit tells where no front announces its own
	// limit; zero: 30, the documented limit; negative: no such headers, as from a
	// Terraform Enterprise without a limit.
	RateLimit int
	// HTTPClient calls Bitbucket; nil: a client that gives up after 30 seconds.
	HTTPClient *http.Client
	// HostKeys checks Bitbucket's SSH host key. Nil accepts any: Terraform is not
	// told of a host key for a VCS connection and so cannot check one.
	HostKeys ssh.HostKeyCallback
	// Missing names what this server lacks, as an older release would.
	Missing Missing
	// Choices settle what is not known of the real server.
	Choices Choices
	// OnWrite is called after each change of state, with a word on what changed,
	// before the one who made it has its answer. It runs without the server's lock
	// and may read (Save, CanClone, Connections).
	OnWrite func(what string)
	// Log tells what a person at the real server could not see: why a connection
	// or a clone failed. Nil: discarded.
	Log *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Missing is what an older server lacks.
type Missing struct {
	AffectedWorkspaces bool // show_affected_workspaces is ignored
	AuthorizedRepos    bool // 404
	RepositoryCheck    bool // organizations/:o/vcs/repo: 404
	Events             bool // vcs-events: 404
	PolicySets         bool // 404
	RegistryModules    bool // 404
	Stacks             bool // 404
	AuthTokenLink      bool // account/details does not tell which token is used
	TeamTokens         bool // a team has its legacy token alone: teams/:id/authentication-tokens is 404
}

// Choices are points where no source says what the real server does. Zero is the
// more likely.
type Choices struct {
	// KeepTokenOnReconnect: connecting a connected client again keeps the token's
	// id, its SSH key and its workspaces. Zero: the old token goes, as when it is
	// deleted, and a new one appears.
	KeepTokenOnReconnect bool
	// NoKeyGeneration: a client created without key and secret has none. Zero: the
	// server generates them, as its user interface says it does.
	NoKeyGeneration bool
	// AcceptEncryptedSSHKey: a key with a passphrase is accepted and the clone
	// fails. Zero: it is refused as invalid.
	AcceptEncryptedSSHKey bool
	// IgnoreUnknownAttributes: as Rails servers often do. Zero: 422, so that a
	// client's mistake shows.
	IgnoreUnknownAttributes bool
	// TeamTokenManagesNone: a team's token does not count as a member who may manage
	// the team's tokens. Zero: it does.
	TeamTokenManagesNone bool
	// CutOpener: the pages let go of the tab that opened theirs, by
	// Cross-Origin-Opener-Policy. Zero: they do not.
	CutOpener bool
}

// Server is a Terraform. It is safe for concurrent use.
type Server struct {
	opts Options

	mu     sync.RWMutex
	state  state
	index  index
	base   string
	logins logins
	emails map[string][]time.Time // deletions of OAuth tokens by user

	fetching   chan struct{} // a place for each clone at a time
	background sync.WaitGroup
	ctx        context.Context //nolint:containedctx // ends background clones at Close
	stop       context.CancelFunc
}

// New returns a server without users or organizations.
func New(opts Options) *Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.RateLimit == 0 {
		opts.RateLimit = 30
	}
	if opts.HTTPClient == nil {
		opts.HTTPClient = &http.Client{Timeout: 30 * time.Second}
	}
	if opts.HostKeys == nil {
		opts.HostKeys = ssh.InsecureIgnoreHostKey() //nolint:gosec // see Options.HostKeys
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.OnWrite == nil {
		opts.OnWrite = func(string) {}
	}
	s := &Server{opts: opts, base: "http://localhost", emails: map[string][]time.Time{}}
	s.state = newState()
	s.index = newIndex(&s.state)
	s.logins = newLogins()
	s.fetching = make(chan struct{}, fetchers)
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// IsCloud reports whether the server is HCP Terraform.
func (s *Server) IsCloud() bool { return s.opts.Version == "" }

// SetAddress tells the server the URL that browsers and Bitbucket reach it at.
func (s *Server) SetAddress(baseURL string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = strings.TrimRight(baseURL, "/")
}

func (s *Server) address() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.base
}

// Close ends the clones under way and waits for them.
func (s *Server) Close() {
	s.stop()
	s.background.Wait()
}

// Settle waits until no clone is under way.
func (s *Server) Settle() { s.background.Wait() }

// now is the time as the API tells it: UTC, milliseconds.
func (s *Server) now() time.Time { return s.opts.Now().UTC().Truncate(time.Millisecond) }

// write runs change under the lock and, when it succeeds, tells what changed.
func (s *Server) write(what string, change func() error) error {
	s.mu.Lock()
	err := change()
	s.mu.Unlock()
	if err == nil {
		s.opts.OnWrite(what)
	}
	return err
}

// read runs look under the read lock.
func (s *Server) read(look func() error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return look()
}

// errExists says that a name is taken.
var errExists = errors.New("already exists")
