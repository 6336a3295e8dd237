package person

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/bbsync/bbsync/sandbox"
)

// A Breakage is something a person does behind bbsync's back to one
// organization's connection.
type Breakage struct {
	Name string
	What string
	do   func(context.Context, *Person, victim) error
}

// A victim is the connection that something is done to.
type victim struct {
	org    string
	client Client
	base   string // of its Bitbucket
	link   link
}

// Breakages returns what can be broken.
func Breakages() []Breakage {
	return append([]Breakage{
		{"delete-link", "delete the application link", deleteLink},
		{"rename-link", "rename the application link", renameLink},
		{"change-consumer-key", "put another consumer key into the link", changeConsumerKey},
		{"change-consumer-public-key", "put another public key into the consumer", changeConsumerPublicKey},
		{"delete-client", "delete the OAuth client", deleteClient},
		{"rename-client", "rename the OAuth client", renameClient},
		{"change-client-key", "give the OAuth client another key pair", changeClientKey},
		{"revoke-token", "revoke the OAuth token", revokeToken},
		{"remake-token", "connect again, which makes a new OAuth token", remakeToken},
		{"rename-organization", "rename the organization in Terraform, to NAME-renamed", renameOrganization},
		{"rename-user", "rename the service user on Bitbucket to svc-renamed", renameUser},
		{"wrong-user", "connect again as Bitbucket's administrator", wrongUser},
		{"delete-ssh-keys", "delete the organization's SSH keys from the service user", deleteSSHKeys},
		{"revoke-grants", "take the service user's permissions on the repositories away", revokeGrants},
		{"foreign-link", "make a link of one's own on the organization's URL", foreignLink},
		{"delete-record", "delete the newest version of the record in Vault", deleteRecord},
		{"group-grant", "give the permissions to a group that the service user is in, instead of to the user", groupGrant},
		{"main-link", "connect the organization by hand, with a link on the main URL", mainLink},
		{"oauth2-link", "replace the application link by an OAuth 2.0 one", oauth2Link},
		{"change-password", "change the administrator's password on Bitbucket", changePassword},
		{"fill-hooks", "give the webhook plugin's hook five URLs (before 5.4)", fillHooks},
	}, append(intruder(), misfortunes()...)...)
}

// Break does it.
func (p *Person) Break(ctx context.Context, name, org string) error {
	for _, b := range Breakages() {
		if b.Name != name {
			continue
		}
		v, err := p.victim(ctx, org)
		if err != nil {
			return err
		}
		if err := b.do(ctx, p, v); err != nil {
			return fmt.Errorf("%s of %s: %w", name, org, err)
		}
		return nil
	}
	return fmt.Errorf("nothing is named %q; bbsync sandbox break --help lists what can be broken", name)
}

func (p *Person) victim(ctx context.Context, org string) (victim, error) {
	clients, err := p.Clients(ctx, org)
	if err != nil {
		return victim{}, err
	}
	v := victim{org: org, base: p.facts.Bitbuckets[0].URL}
	if len(clients) > 0 {
		v.client, v.base = clients[0], clients[0].HTTPURL
	}
	v.link, err = p.link(ctx, v.base, org)
	return v, err
}

// A link is an application link as the REST resource shows it.
type link struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	RPCURL     string `json:"rpcUrl"`
	DisplayURL string `json:"displayUrl"`
}

func (p *Person) link(ctx context.Context, base, org string) (link, error) {
	var links []link
	if err := p.bitbucket(ctx, base, http.MethodGet, "/applinks/3.0/applinks", nil, &links); err != nil {
		return link{}, err
	}
	for _, l := range links {
		if strings.HasSuffix(l.RPCURL, "/app/"+org) {
			return l, nil
		}
	}
	return link{}, nil
}

func deleteLink(ctx context.Context, p *Person, v victim) error {
	return p.bitbucket(ctx, v.base, http.MethodDelete, "/applinks/3.0/applinks/"+v.link.ID, nil, nil)
}

func renameLink(ctx context.Context, p *Person, v victim) error {
	return p.bitbucket(ctx, v.base, http.MethodPost, "/applinks/3.0/applicationlink/"+v.link.ID, map[string]any{
		"id": v.link.ID, "typeId": "generic", "name": "renamed by hand", "rpcUrl": v.link.RPCURL, "displayUrl": v.link.DisplayURL,
	}, nil)
}

func changeConsumerKey(ctx context.Context, p *Person, v victim) error {
	have, err := p.consumer(ctx, v)
	if err != nil {
		return err
	}
	have.Key = "a-key-typed-by-hand"
	return p.putConsumer(ctx, v, have)
}

func changeConsumerPublicKey(ctx context.Context, p *Person, v victim) error {
	have, err := p.consumer(ctx, v)
	if err != nil {
		return err
	}
	return p.putConsumer(ctx, v, have)
}

// foreignLink makes a link on the organization's URL, as somebody did years ago.
func foreignLink(ctx context.Context, p *Person, v victim) error {
	address := p.facts.Terraform.Address + "/app/" + v.org
	err := p.bitbucket(ctx, v.base, http.MethodPut, "/applinks/3.0/applicationlink", map[string]any{
		"name": "Made by hand", "rpcUrl": address, "displayUrl": address, "typeId": "generic",
	}, nil)
	if err != nil {
		return err
	}
	if v.link, err = p.link(ctx, v.base, v.org); err != nil {
		return err
	}
	return p.putConsumer(ctx, v, consumer{Key: "a-key-typed-by-hand", Name: "Made by hand"})
}

// A consumer is what the link's form shows: whoever changes one field keeps the
// others.
type consumer struct {
	Key         string `json:"key"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

func consumerPath(v victim) string {
	return "/applinks-oauth/1.0/applicationlink/" + v.link.ID + "/authentication/consumer"
}

func (p *Person) consumer(ctx context.Context, v victim) (consumer, error) {
	var have struct {
		Consumers []consumer `json:"consumers"`
	}
	if err := p.bitbucket(ctx, v.base, http.MethodGet, consumerPath(v), nil, &have); err != nil {
		return consumer{}, err
	}
	if len(have.Consumers) == 0 {
		return consumer{}, fmt.Errorf("link %s has no consumer", v.link.Name)
	}
	return have.Consumers[0], nil
}

// putConsumer puts the consumer with a new public key.
func (p *Person) putConsumer(ctx context.Context, v victim, c consumer) error {
	_, public, err := pair()
	if err != nil {
		return err
	}
	return p.bitbucket(ctx, v.base, http.MethodPut, consumerPath(v), map[string]any{
		"key": c.Key, "name": c.Name, "description": c.Description, "publicKey": public, "outgoing": false,
	}, nil)
}

func pair() (private, public string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", "", err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", "", err
	}
	private = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	return private, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

func deleteClient(ctx context.Context, p *Person, v victim) error {
	return p.terraform(ctx, http.MethodDelete, "/oauth-clients/"+v.client.ID, nil, nil)
}

func renameClient(ctx context.Context, p *Person, v victim) error {
	return p.patchClient(ctx, v, map[string]any{"name": "renamed by hand"})
}

func changeClientKey(ctx context.Context, p *Person, v victim) error {
	private, public, err := pair()
	if err != nil {
		return err
	}
	return p.patchClient(ctx, v, map[string]any{"key": "a-key-typed-by-hand", "secret": private, "rsa-public-key": public})
}

func (p *Person) patchClient(ctx context.Context, v victim, attributes map[string]any) error {
	return p.terraform(ctx, http.MethodPatch, "/oauth-clients/"+v.client.ID,
		map[string]any{"data": map[string]any{"type": "oauth-clients", "attributes": attributes}}, nil)
}

func revokeToken(ctx context.Context, p *Person, v victim) error {
	return p.terraform(ctx, http.MethodDelete, "/oauth-tokens/"+v.client.Token, nil, nil)
}

func remakeToken(ctx context.Context, p *Person, v victim) error {
	_, err := p.Approve(ctx, v.client.Connect, sandbox.ServiceUser)
	return err
}

func renameOrganization(ctx context.Context, p *Person, v victim) error {
	return p.terraform(ctx, http.MethodPatch, "/organizations/"+v.org, map[string]any{
		"data": map[string]any{"type": "organizations", "attributes": map[string]any{"name": v.org + "-renamed"}},
	}, nil)
}

func renameUser(ctx context.Context, p *Person, v victim) error {
	in := map[string]string{"name": sandbox.ServiceUser, "newName": "svc-renamed"}
	return p.bitbucket(ctx, v.base, http.MethodPost, "/api/1.0/admin/users/rename", in, nil)
}

func wrongUser(ctx context.Context, p *Person, v victim) error {
	_, err := p.Approve(ctx, v.client.Connect, sandbox.AdminUser)
	return err
}

func deleteSSHKeys(ctx context.Context, p *Person, v victim) error {
	var page struct {
		Values []struct {
			ID    int    `json:"id"`
			Label string `json:"label"`
			Text  string `json:"text"`
		} `json:"values"`
	}
	if err := p.bitbucket(ctx, v.base, http.MethodGet, "/ssh/1.0/keys?limit=1000&user="+sandbox.ServiceUser, nil, &page); err != nil {
		return err
	}
	for _, k := range page.Values {
		if !strings.Contains(k.Label+" "+k.Text+"/", "/"+v.org+"/") {
			continue
		}
		if err := p.bitbucket(ctx, v.base, http.MethodDelete, "/ssh/1.0/keys/"+strconv.Itoa(k.ID), nil, nil); err != nil {
			return err
		}
	}
	return nil
}

func revokeGrants(ctx context.Context, p *Person, v victim) error {
	for _, repo := range sandbox.Repositories() {
		path := "/api/1.0/projects/" + sandbox.Project + "/repos/" + repo + "/permissions/users?name=" + sandbox.ServiceUser
		if err := p.bitbucket(ctx, v.base, http.MethodDelete, path, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// deleteRecord finds the record below bbsync's usual path by the organization's
// name.
func deleteRecord(ctx context.Context, p *Person, v victim) error {
	path, err := p.findRecord(ctx, "bbsync/", v)
	if err != nil {
		return err
	}
	return p.vault(ctx, http.MethodDelete, "/v1/secret/data/"+path, nil, nil)
}

func (p *Person) findRecord(ctx context.Context, folder string, v victim) (string, error) {
	var doc struct {
		Data struct {
			Keys []string `json:"keys"`
		} `json:"data"`
	}
	if err := p.vault(ctx, "LIST", "/v1/secret/metadata/"+folder, nil, &doc); err != nil {
		return "", err
	}
	host := strings.NewReplacer("https://", "", ":", "-", "/", "-").Replace(v.base) // as bbsync names it
	for _, name := range doc.Data.Keys {
		path := folder + name
		if strings.HasSuffix(name, "/") {
			if found, err := p.findRecord(ctx, path, v); err == nil {
				return found, nil
			}
		} else if strings.Contains(path, "/"+v.org+"/") && strings.Contains(path, host) || strings.HasSuffix(path, "/"+v.org) {
			return path, nil
		}
	}
	return "", fmt.Errorf("no record of %s", v.org)
}

func (p *Person) vault(ctx context.Context, method, path string, in, out any) error {
	return p.call(ctx, method, p.facts.Vault.Address+path, in, out, func(r *http.Request) {
		r.Header.Set("X-Vault-Token", p.facts.Vault.Token)
	})
}
