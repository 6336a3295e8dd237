package person

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/sandbox"
)

// Mishaps returns what goes wrong, one in each of the last organizations, when
// people connect a fleet by hand over years.
func Mishaps() []string {
	return []string{
		"link-alone", "client-alone", "shared-link", "elsewhere", "never-authorized", "no-ssh-key", "other-key", "empty-link", "second-client", "unnamed",
	}
}

// ByHand connects the sandbox's organizations to its first Bitbucket, as people
// do: with keys that are gone from wherever they were made. The last ones have a
// mishap each, if mishaps are wanted.
func (p *Person) ByHand(ctx context.Context, mishaps bool, progress func(org, what string)) error {
	orgs, err := p.Organizations(ctx)
	if err != nil {
		return err
	}
	h := &hand{Person: p, base: p.facts.Bitbuckets[0].URL}
	err = h.bitbucket(ctx, h.base, http.MethodPut, "/api/1.0/projects/"+sandbox.Project+"/permissions/users?permission=PROJECT_ADMIN&name="+sandbox.ServiceUser, nil, nil)
	if err != nil {
		return err
	}
	if h.sshPrivate, err = h.sshKey(ctx, "terraform, all organizations"); err != nil {
		return err
	}
	wrong := map[string]string{}
	if mishaps {
		for i, what := range Mishaps() {
			if n := len(orgs) - len(Mishaps()) + i; n >= 0 {
				wrong[orgs[n]] = what
			}
		}
		if _, err := h.sshKey(ctx, "laptop of somebody who left"); err != nil {
			return err
		}
	}
	for i, org := range orgs {
		if err := h.connect(ctx, org, wrong[org], i%7 == 3); err != nil {
			return fmt.Errorf("connecting %s by hand: %w", org, err)
		}
		progress(org, wrong[org])
	}
	return nil
}

// A hand is somebody at work.
type hand struct {
	*Person
	base       string // of the Bitbucket
	sshPrivate string // the one that most organizations share
	firstKey   string // consumer key of the first connection
	firstPair  [2]string
}

// connect does the vendor's procedure for one organization; some get an SSH key
// of their own and a name that somebody thought better.
func (h *hand) connect(ctx context.Context, org, mishap string, own bool) error {
	private, public, err := pair()
	if err != nil {
		return err
	}
	key, name, linkName := "terraform-"+strings.ToLower(rand.Text())[:8], "Bitbucket", "HCP Terraform "+org
	if own {
		name, linkName = "Bitbucket of "+org, org+" (own key)"
	}
	switch mishap {
	case "client-alone":
	case "shared-link":
		key, private, public = h.firstKey, h.firstPair[0], h.firstPair[1]
	case "elsewhere":
		return h.client(ctx, org, name, key, private, public, "https://old-bitbucket.example.com")
	case "other-key":
		_, other, err := pair()
		if err != nil {
			return err
		}
		if err := h.linked(ctx, org, linkName, key, other); err != nil {
			return err
		}
	case "empty-link":
		return h.linked(ctx, org, linkName, "", "")
	default:
		if err := h.linked(ctx, org, linkName, key, public); err != nil {
			return err
		}
	}
	if h.firstKey == "" {
		h.firstKey, h.firstPair = key, [2]string{private, public}
	}
	if mishap == "link-alone" {
		return nil
	}
	if mishap == "unnamed" {
		name = ""
	}
	if err := h.client(ctx, org, name, key, private, public, h.base); err != nil {
		return err
	}
	if mishap == "client-alone" || mishap == "never-authorized" || mishap == "other-key" {
		return nil
	}
	if err := h.authorize(ctx, org, mishap != "no-ssh-key", own); err != nil {
		return err
	}
	if mishap == "second-client" {
		return h.second(ctx, org)
	}
	return nil
}

// second makes another link and client beside the first.
func (h *hand) second(ctx context.Context, org string) error {
	private, public, err := pair()
	if err != nil {
		return err
	}
	address := h.facts.Terraform.Address + "/app/" + org + "-again"
	if err := h.linkOn(ctx, address, org+" again", "second-"+org, public); err != nil {
		return err
	}
	if err := h.client(ctx, org, "Bitbucket again", "second-"+org, private, public, h.base); err != nil {
		return err
	}
	return h.authorize(ctx, org, true, false)
}

func (h *hand) linked(ctx context.Context, org, name, key, public string) error {
	return h.linkOn(ctx, h.facts.Terraform.Address+"/app/"+org, name, key, public)
}

func (h *hand) linkOn(ctx context.Context, address, name, key, public string) error {
	err := h.bitbucket(ctx, h.base, http.MethodPut, "/applinks/3.0/applicationlink", map[string]any{
		"name": name, "rpcUrl": address, "displayUrl": address, "typeId": "generic",
	}, nil)
	if err != nil || key == "" {
		return err
	}
	var links []link
	if err := h.bitbucket(ctx, h.base, http.MethodGet, "/applinks/3.0/applinks", nil, &links); err != nil {
		return err
	}
	for _, l := range links {
		if l.RPCURL == address {
			return h.bitbucket(ctx, h.base, http.MethodPut, consumerPath(victim{link: l}), map[string]any{
				"key": key, "name": name, "description": "", "publicKey": public, "outgoing": false,
			}, nil)
		}
	}
	return fmt.Errorf("the link on %s is not there", address)
}

func (h *hand) client(ctx context.Context, org, name, key, private, public, base string) error {
	attributes := map[string]any{
		"service-provider": "bitbucket_data_center", "http-url": base, "api-url": base,
		"key": key, "secret": private, "rsa-public-key": public,
	}
	if name != "" {
		attributes["name"] = name
	}
	return h.terraform(ctx, http.MethodPost, "/organizations/"+org+"/oauth-clients",
		map[string]any{"data": map[string]any{"type": "oauth-clients", "attributes": attributes}}, nil)
}

// authorize clicks Allow for every client of the organization that nobody has
// authorized, and gives the token an SSH key.
func (h *hand) authorize(ctx context.Context, org string, withKey, own bool) error {
	clients, err := h.Clients(ctx, org)
	if err != nil {
		return err
	}
	for _, c := range clients {
		if c.Token != "" {
			continue
		}
		if _, err := h.Approve(ctx, c.Connect, sandbox.ServiceUser); err != nil {
			return err
		}
	}
	if !withKey {
		return nil
	}
	private := h.sshPrivate
	if own {
		if private, err = h.sshKey(ctx, "terraform "+org); err != nil {
			return err
		}
	}
	if clients, err = h.Clients(ctx, org); err != nil {
		return err
	}
	for _, c := range clients {
		err := h.terraform(ctx, http.MethodPatch, "/oauth-tokens/"+c.Token,
			map[string]any{"data": map[string]any{"type": "oauth-tokens", "attributes": map[string]any{"ssh-key": private}}}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// sshKey makes a key, gives the service user its public half and returns the
// private one.
func (h *hand) sshKey(ctx context.Context, label string) (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	public, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		return "", err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	err = h.bitbucket(ctx, h.base, http.MethodPost, "/ssh/1.0/keys?user="+sandbox.ServiceUser, map[string]any{"text": line, "label": label}, nil)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})), nil
}
