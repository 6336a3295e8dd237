// Package bitbucketd is the sandbox's Bitbucket Server / Data Center: the REST
// resources, OAuth 1.0a servlets, login and Allow pages, and the SSH server with
// git that connecting Terraform to Bitbucket touches, for any version from 4.9.
//
// It refuses what the real server refuses, and answers 404 to whatever it does not
// know, so that nothing is proven by a server that says yes to all. Where the real
// server's behaviour is not certain, the code that decides says so ("Doubt:").
//
// It does not listen by itself, keeps no log and injects no faults (package front
// does), has no merge requests, no web interface beyond the pages named, no access
// keys, and no git over HTTP.
package bitbucketd

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// Options configure a Server. The zero value is a Bitbucket 9.4.0.
type Options struct {
	Version string // "": "9.4.0"
	BaseURL string // as clients reach it, with the context path if any; SetAddresses may give it later
	GitDir  string // where the repositories lie; must exist before the first AddRepo
	Now     func() time.Time

	// Client calls webhooks; nil: one that trusts what the machine trusts.
	Client *http.Client

	// HostKeys are the SSH server's private keys in PEM; nil: new ones, which take
	// a moment to make.
	HostKeys []string

	// ShortPages makes pages shorter than asked, with a nextPageStart that is
	// neither start+limit nor start+size, as filtered pages are.
	ShortPages bool
	// Basic switches Basic authentication on or off to begin with, as an administrator
	// may later. By default it is on before 10.
	Basic Switch
	// LoginForm switches the old login form on or off. By default it is there before 10.
	LoginForm Switch
	// SSO lets people log in by an identity provider only. Passwords still count for
	// Basic authentication.
	SSO bool
	// SessionTimeout ends idle sessions; zero: 30 minutes.
	SessionTimeout time.Duration
	// WebSudo asks administrators with a session for their password again. By default
	// it is on where the version has it.
	WebSudo Switch
	// WebSudoTimeout ends what they confirmed; zero: 10 minutes.
	WebSudoTimeout time.Duration
	// ElevateSettingsOnly lets the elevation over the tsv resources open nothing but a
	// user's own two-step verification. Doubt: the vendor's document knows no other use.
	ElevateSettingsOnly bool
	// AdminWithoutWebSudo opens /rest/api/…/admin without it. Doubt: whether these are
	// guarded; one report says so, and one script did without, on an unknown version.
	AdminWithoutWebSudo bool
	// WebSudoFirst asks everybody for WebSudo, also who is nobody or no administrator.
	// Doubt: which of the two checks of a guarded resource comes first.
	WebSudoFirst bool
	// SignedNeedsWebSudo refuses OAuth 1.0a calls where WebSudo guards. Doubt: sibling
	// products let them through.
	SignedNeedsWebSudo bool
	// SignedNotOnLinks refuses OAuth 1.0a calls on application links. Doubt: nobody was
	// seen to make one there.
	SignedNotOnLinks bool
	// NoLinkProperties has the newest list of application links show no properties. Doubt:
	// seen in the code of the generation before 9 alone.
	NoLinkProperties bool
	// NoXSRFCheck lets a POST pass that a form on another site could have sent. Doubt:
	// whether 9 and newer refuse it.
	NoXSRFCheck bool
	// CodesCountAgain takes a code of two-step verification more than once while it is
	// valid. Doubt: whether the real server remembers the last one.
	CodesCountAgain bool
	// Nodes is how many nodes there are behind a load balancer with sticky sessions;
	// zero: one, and no load balancer.
	Nodes int
	// CaptchaAfter is how many bad passwords in a row lock an account; zero: 5.
	CaptchaAfter int

	// OldApplinks serves application links as their plugin did before version 5:
	// no 3.0 resources, consumers below /rest/applinks/2.0. Doubt: which Bitbucket
	// was the last of these is not known; 4.9 and 5.x are taken to be newer.
	OldApplinks bool
	// DropTokensOnKeyChange lets OAuth tokens die when a consumer is put with the
	// same key and another public key. Doubt: the consumer is stored by key and the
	// tokens refer to it by key, so they should survive; it was not seen.
	DropTokensOnKeyChange bool
	// BasicOnServlets lets Basic credentials stand in for a session on the OAuth
	// servlets' pages. Doubt: plausible for the real server, not seen.
	BasicOnServlets bool
	// HookNeedsURL refuses to enable the web post hook without settings. Doubt:
	// the procedure leaves the URL blank in the dialog; over REST it was not seen.
	HookNeedsURL bool

	// Check sees every answer of a REST resource before it is sent, with the path
	// as it is without context path; its error becomes a 500. For tests that hold
	// the answers against the vendor's document.
	Check func(r *http.Request, status int, header http.Header, body []byte) error
}

// Server is one Bitbucket. It is safe for concurrent use.
type Server struct {
	opts    Options
	version version
	mux     *http.ServeMux // set by Handler

	mu       sync.Mutex
	st       *State
	sessions map[string]*session
	// remembered are users by the cookie that remembers them.
	remembered    map[string]string
	conversations map[string]*conversation
	nextNode      int
	basicKnown    map[int]basicSeen // by node
	nonces        map[string]time.Time
	tasks         map[string]*task
	base          *url.URL
	ssh           endpoint
	signers       []ssh.Signer
	sshd          sshListeners

	listenMu  sync.Mutex
	listeners []func(what string)

	behind   atomic.Int64 // nanoseconds that the clock is slow by
	requests atomic.Int64
	sending  sync.WaitGroup // webhooks under way
}

// endpoint is where the SSH server is reached.
type endpoint struct {
	host string
	port int
}

// New returns a server without any user.
func New(opts Options) (*Server, error) {
	if opts.Version == "" {
		opts.Version = "9.4.0"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Client == nil {
		opts.Client = &http.Client{}
	}
	if opts.CaptchaAfter == 0 {
		opts.CaptchaAfter = 5
	}
	if opts.SessionTimeout == 0 {
		opts.SessionTimeout = 30 * time.Minute
	}
	if opts.WebSudoTimeout == 0 {
		opts.WebSudoTimeout = 10 * time.Minute
	}
	if opts.BaseURL == "" {
		opts.BaseURL = "http://localhost:7990"
	}
	v, err := parseVersion(opts.Version)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: opts, version: v, st: newState(v, !opts.Basic.or(!v.since(10, 0, 0))),
		sessions: map[string]*session{}, remembered: map[string]string{}, conversations: map[string]*conversation{}, basicKnown: map[int]basicSeen{}, nonces: map[string]time.Time{}, tasks: map[string]*task{},
	}
	if err := s.SetAddresses(opts.BaseURL, "localhost", 7999); err != nil {
		return nil, err
	}
	s.st.HostKeys = opts.HostKeys
	if s.st.HostKeys == nil {
		if s.st.HostKeys, err = newHostKeys(); err != nil {
			return nil, err
		}
	}
	s.signers, err = parseHostKeys(s.st.HostKeys)
	return s, err
}

// SetAddresses tells the server how clients reach it. The path of baseURL is its
// context path. An sshPort of 0 leaves SSH as it was.
func (s *Server) SetAddresses(baseURL, sshHost string, sshPort int) error {
	base, err := url.Parse(strings.TrimRight(baseURL, "/"))
	if err != nil {
		return fmt.Errorf("base URL: %w", err)
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return fmt.Errorf("base URL %q: want http(s)://host[:port][/context]", baseURL)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = base
	if sshPort != 0 {
		s.ssh = endpoint{host: sshHost, port: sshPort}
	}
	return nil
}

// BaseURL returns the address that clients use, without a trailing slash.
func (s *Server) BaseURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base.String()
}

// Version returns the version that the server plays.
func (s *Server) Version() string { return s.opts.Version }

// OnWrite adds a listener that is called after every write to the state, whoever
// made it, before the writer has its answer. It runs without the server's lock: it
// may ask the server anything, over the network too. Use of an SSH key (which sets
// lastAuthenticated) and failed logins are not told.
func (s *Server) OnWrite(listener func(what string)) {
	s.listenMu.Lock()
	defer s.listenMu.Unlock()
	s.listeners = append(s.listeners, listener)
}

func (s *Server) tell(writes []string) {
	s.listenMu.Lock()
	listeners := s.listeners
	s.listenMu.Unlock()
	for _, what := range writes {
		for _, listener := range listeners {
			listener(what)
		}
	}
}

// Inspect calls look with the state, which it must neither change nor keep.
func (s *Server) Inspect(look func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	look(s.st)
}

// Change calls edit with the state, to do what a person or another program does
// behind bbsync's back. If edit returns an error, the state is as edit left it.
func (s *Server) Change(what string, edit func(*State) error) error {
	s.mu.Lock()
	err := edit(s.st)
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	s.tell([]string{what})
	return nil
}

// Snapshot returns a copy of the state.
func (s *Server) Snapshot() (*State, error) {
	s.mu.Lock()
	data, err := json.Marshal(s.st)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return decodeState(data)
}

func (s *Server) now() time.Time { return s.opts.Now().Add(-time.Duration(s.behind.Load())) }

// SlowClock puts the clock back by so much. What was signed or made before keeps
// its time.
func (s *Server) SlowClock(by time.Duration) { s.behind.Store(int64(by)) }

// random returns 2n hexadecimal digits.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// digest is what is kept of passwords and tokens.
func digest(salt, text string) string {
	sum := sha256.Sum256([]byte(salt + "\x00" + text))
	return hex.EncodeToString(sum[:])
}
