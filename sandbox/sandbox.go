// Package sandbox assembles a world to try bbsync in: a Terraform, one or more
// Bitbuckets with SSH and git, and a Vault, each speaking its system's own
// protocol and refusing what the real one refuses, with organizations, users
// and repositories to begin with. All of it listens on loopback. It is for the
// demo, the tests, and for whoever wants to see what bbsync does before it is
// let near a real system; it protects nothing.
package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/sandbox/terraformd"
	"github.com/bbsync/bbsync/sandbox/vaultd"
)

// Options of a world. The zero value is a small one.
type Options struct {
	State       string   // folder that keeps the world from run to run; "": nothing is kept
	Orgs        int      // organizations acme-01, acme-02, ...; 0: 12
	Bitbuckets  []string // versions; none: 9.4.0 and 5.3.1
	ContextPath string   // of the Bitbuckets' addresses, such as /git; "": none
	Latency     time.Duration
	RateLimit   float64       // requests per second and credential, of Terraform and Bitbucket; 0: none
	Gateway     string        // in front of Terraform and the Bitbuckets: one of GatewayKinds; "": none
	Vault       ExternalVault // a real Vault to use; zero: the built-in one
	Log         io.Writer     // access log; nil: none
	Terraform   terraformd.Options
	Bitbucket   bitbucketd.Options // of each Bitbucket; version and addresses are set

	// SecondFactor has Bitbucket's administrator enrolled in two-step verification.
	SecondFactor bool
}

// ExternalVault is a Vault that somebody else runs.
type ExternalVault struct{ Address, Token string }

// A World is a running sandbox.
type World struct {
	Terraform  *terraformd.Server
	Bitbuckets []*bitbucketd.Server
	Vault      *vaultd.Server // nil when an external one is used
	Fronts     map[string]*front.Front
	Facts      Facts

	opts    Options
	folder  string
	temp    bool
	ca      *authority
	client  *http.Client
	servers []*http.Server
	ssh     []net.Listener
	sshDone []chan struct{}
}

// Start starts a world.
func Start(ctx context.Context, opts Options) (*World, error) {
	if opts.Orgs == 0 {
		opts.Orgs = 12
	}
	if len(opts.Bitbuckets) == 0 {
		opts.Bitbuckets = []string{"9.4.0", "5.3.1"}
	}
	w := &World{opts: opts, Fronts: map[string]*front.Front{}}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) start(ctx context.Context) error {
	if err := w.openFolder(); err != nil {
		return err
	}
	if err := w.loadFacts(); err != nil {
		return err
	}
	var err error
	if w.ca, err = openAuthority(w.folder); err != nil {
		return err
	}
	w.Facts.CAFile = w.ca.file
	if err := w.openGateway(); err != nil {
		return fmt.Errorf("making the sandbox's gateway: %w", err)
	}
	if err := w.openClient(); err != nil {
		return err
	}
	if err := w.startVault(); err != nil {
		return err
	}
	for i, version := range w.opts.Bitbuckets {
		if err := w.startBitbucket(i, version); err != nil {
			return err
		}
	}
	if err := w.startTerraform(); err != nil {
		return err
	}
	if err := w.startControl(); err != nil {
		return err
	}
	if err := w.seed(ctx); err != nil {
		return err
	}
	return w.Save()
}

// openFolder makes the folder. Its path is absolute: whoever is told of a file in
// it may be in another folder.
func (w *World) openFolder() (err error) {
	if w.opts.State == "" {
		w.temp = true
		w.folder, err = os.MkdirTemp("", "bbsync-sandbox-")
		return err
	}
	if w.folder, err = filepath.Abs(w.opts.State); err != nil {
		return err
	}
	return os.MkdirAll(w.folder, 0o700)
}

func (w *World) startVault() error {
	if w.opts.Vault.Address != "" {
		w.Facts.Vault = VaultFacts(w.opts.Vault)
		return nil
	}
	folder := filepath.Join(w.folder, "vault")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	var err error
	w.Vault, err = vaultd.New(vaultd.Options{RootToken: w.Facts.Vault.Token, Folder: folder})
	if err != nil {
		return err
	}
	address, err := w.serve("vault", w.Facts.Vault.Address, false, front.New(w.Vault.Handler(), front.Options{Name: "vault", Log: w.opts.Log}))
	if err != nil {
		return err
	}
	w.Facts.Vault = VaultFacts{Address: address, Token: w.Vault.RootToken}
	return nil
}

func (w *World) startBitbucket(i int, version string) error {
	opts := w.opts.Bitbucket
	opts.Version, opts.GitDir = version, filepath.Join(w.folder, "bitbucket-"+version, "git")
	if err := os.MkdirAll(opts.GitDir, 0o700); err != nil {
		return err
	}
	if opts.Client == nil {
		opts.Client = w.HTTPClient()
	}
	server, err := bitbucketd.New(opts)
	if err != nil {
		return err
	}
	if _, err := server.Load(filepath.Dir(opts.GitDir)); err != nil {
		return err
	}
	w.Bitbuckets = append(w.Bitbuckets, server)
	name := "bitbucket-" + version
	rate := front.Rate{}
	if w.opts.RateLimit > 0 && server.Rate() != rate { // the server has none before 6.6
		rate = front.Rate{PerSecond: w.opts.RateLimit, Burst: max(1, int(w.opts.RateLimit))}
	}
	address, err := w.serve(name, w.Facts.bitbucket(i).URL, true, front.New(server.Handler(), front.Options{
		Name: name, Log: w.opts.Log, Latency: w.opts.Latency, Rate: rate, TooMany: server.TooMany, Gateway: w.Facts.Gateway.front(),
	}))
	if err != nil {
		return err
	}
	address += w.opts.ContextPath
	ssh, err := w.serveSSH(server, w.Facts.bitbucket(i).SSH)
	if err != nil {
		return err
	}
	w.Facts.setBitbucket(i, BitbucketFacts{Version: version, URL: address, SSH: ssh.String()})
	return server.SetAddresses(address, ssh.IP.String(), ssh.Port)
}

// HTTPClient returns a client that trusts the sandbox's authority and passes its
// gateway: what the servers call each other with.
func (w *World) HTTPClient() *http.Client { return w.client }

func (w *World) openClient() error {
	base := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // net/http's own
	base.TLSClientConfig = &tls.Config{RootCAs: w.ca.pool(), MinVersion: tls.VersionTLS12}
	transport, err := w.Facts.Gateway.Through(base)
	w.client = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return err
}

func (w *World) startTerraform() error {
	opts := w.opts.Terraform
	if opts.HTTPClient == nil {
		opts.HTTPClient = w.HTTPClient()
	}
	if opts.RateLimit == 0 {
		opts.RateLimit = -1 // without a front that limits, no limit is announced
	}
	server := terraformd.New(opts)
	w.Terraform = server
	if err := server.Load(w.sub("terraform")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	options := front.Options{Name: "terraform", Log: w.opts.Log, Latency: w.opts.Latency, Gateway: w.Facts.Gateway.front()}
	if w.opts.RateLimit > 0 {
		options.Rate = front.Rate{PerSecond: w.opts.RateLimit, Burst: max(1, int(w.opts.RateLimit))}
		options.TooMany, options.Announce = terraformd.TooMany, terraformd.Announce
	}
	address, err := w.serve("terraform", w.Facts.Terraform.Address, true, front.New(server.Handler(), options))
	if err != nil {
		return err // the facts stay those of the last run
	}
	w.Facts.Terraform.Address = address
	server.SetAddress(address)
	return nil
}

func (w *World) sub(name string) string { return filepath.Join(w.folder, name) }

// Save keeps the world in its folder.
func (w *World) Save() error {
	if w.Terraform == nil {
		return nil
	}
	if err := os.MkdirAll(w.sub("terraform"), 0o700); err != nil {
		return err
	}
	errs := []error{w.Terraform.Save(w.sub("terraform")), w.saveFacts()}
	for i, server := range w.Bitbuckets {
		errs = append(errs, server.Save(w.sub("bitbucket-"+w.opts.Bitbuckets[i])))
	}
	if w.Vault != nil {
		errs = append(errs, w.Vault.Save())
	}
	return errors.Join(errs...)
}

// Close stops the servers and, when the world has a folder of its own, keeps
// it; else everything is gone.
func (w *World) Close() error {
	var errs []error
	if w.Terraform != nil {
		w.Terraform.Close()
	}
	for _, s := range w.servers {
		errs = append(errs, s.Close())
	}
	for _, l := range w.ssh {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) { // its port may have been closed before
			errs = append(errs, err)
		}
	}
	for _, done := range w.sshDone {
		<-done
	}
	if w.temp {
		return errors.Join(append(errs, os.RemoveAll(w.folder))...)
	}
	if err := w.Save(); err != nil {
		errs = append(errs, fmt.Errorf("saving the sandbox: %w", err))
	}
	return errors.Join(errs...)
}
