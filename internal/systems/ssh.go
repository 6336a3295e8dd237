package systems

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/bbsync/bbsync/schema"
)

// An SSHServer is where a Bitbucket's SSH is and which host keys are its own.
type SSHServer struct {
	Address  string   // host:port
	HostKeys []string // pinned in the files; none: whoever connects decides
}

// SSHServer returns Bitbucket's SSH address: from the files, else from
// Bitbucket's own settings.
func (s *Systems) SSHServer(ctx context.Context, label string) (SSHServer, error) {
	client, err := s.Bitbucket(ctx, label)
	if err != nil {
		return SSHServer{}, err
	}
	want := find(s.fleet.Bitbuckets, func(b *schema.Bitbucket) bool { return b.Label == label }).SSH
	host, port := want.Host, want.Port
	if host == "" || port == 0 {
		settings, err := client.SSHSettings(ctx)
		if err != nil {
			return SSHServer{}, err
		}
		if !settings.Enabled {
			return SSHServer{}, fmt.Errorf("SSH is switched off on %s, and Terraform clones over SSH: enable it under Administration, SSH access", client.URL())
		}
		if host == "" {
			host = settings.Host
		}
		if port == 0 {
			port = settings.Port
		}
	}
	return SSHServer{Address: net.JoinHostPort(host, strconv.Itoa(port)), HostKeys: want.HostKeys}, nil
}
