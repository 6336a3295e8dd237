package person

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/bbsync/bbsync/sandbox"
)

// misfortunes befall a server: the sandbox's controls let them happen.
func misfortunes() []Breakage {
	var out []Breakage
	for _, m := range [][2]string{
		{"slow-clock", "put Bitbucket's clock back by ten minutes"},
		{"stop-ssh", "close Bitbucket's SSH port"},
		{"disable-ssh", "switch SSH off in Bitbucket"},
		{"change-host-key", "give Bitbucket's SSH server new host keys"},
		{"wrong-base-url", "configure another base URL in Bitbucket"},
		{"maintenance", "put Bitbucket into maintenance"},
		{"block-basic-auth", "switch Basic authentication off in Bitbucket"},
		{"allow-basic-auth", "switch Basic authentication on in Bitbucket"},
		{"require-second-factor", "enrol Bitbucket's administrator in two-step verification"},
		{"enforce-second-factor", "refuse Bitbucket logins without a second factor"},
		{"end-sessions", "end all sessions of Bitbucket, as a restart does"},
		{"lock-account", "lock Bitbucket's administrator behind a CAPTCHA"},
		{"demote-admin", "take the administrator's global permission away"},
		{"move-repository", "rename the first repository: its old address redirects"},
		{"transfer-repository", "move the first repository to another project"},
		{"rename-project", "give the project another key: the old addresses of all in it redirect"},
		{"moved-conflict", "have Bitbucket answer 409 for what was moved, instead of a redirect"},
		{"moved-error", "have Bitbucket answer 500 for what was moved, as plugins do"},
		{"freeze-repository", "archive the first repository, on a Bitbucket that refuses all its changes with 409"},
		{"archive-repository", "archive the first repository (from 8.0): lists leave it out unless asked for it"},
		{"deactivate-user", "deactivate the service user"},
		{"unlicense-user", "take the service user out of the licensed group"},
		{"expire-ssh-key", "let the organization's SSH key end"},
		{"take-ssh-key", "move the organization's SSH key to the administrator"},
		{"key-policy-length", "ask for RSA keys of 4096 bits"},
		{"key-policy-type", "forbid RSA keys"},
		{"key-policy-expiry", "let keys end after 90 days at most"},
		{"disable-plugin", "disable the webhook plugin (before 5.4)"},
		{"remove-plugin", "uninstall the webhook plugin (before 5.4)"},
	} {
		out = append(out, Breakage{m[0], m[1], func(ctx context.Context, p *Person, v victim) error {
			return p.suffer(ctx, m[0], v)
		}})
	}
	return out
}

func (p *Person) suffer(ctx context.Context, name string, v victim) error {
	query := url.Values{"organization": {v.org}, "bitbucket": {v.base}}
	return p.call(ctx, http.MethodPost, p.facts.Control+"/misfortune/"+name+"?"+query.Encode(), nil, nil, func(*http.Request) {})
}

// groupGrant takes the direct permissions away and gives them to a group that the
// service user is in: effectively nothing changes.
func groupGrant(ctx context.Context, p *Person, v victim) error {
	const group = "terraform-admins"
	if err := revokeGrants(ctx, p, v); err != nil {
		return err
	}
	if err := p.bitbucket(ctx, v.base, http.MethodPost, "/api/1.0/admin/groups?name="+group, nil, nil); err != nil {
		return err
	}
	in := map[string]any{"user": sandbox.ServiceUser, "groups": []string{group}}
	if err := p.bitbucket(ctx, v.base, http.MethodPost, "/api/1.0/admin/users/add-groups", in, nil); err != nil {
		return err
	}
	for _, repo := range sandbox.Repositories() {
		path := "/api/1.0/projects/" + sandbox.Project + "/repos/" + repo + "/permissions/groups?permission=REPO_ADMIN&name=" + group
		if err := p.bitbucket(ctx, v.base, http.MethodPut, path, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// fillHooks gives the webhook plugin's hook as many URLs as it takes.
func fillHooks(ctx context.Context, p *Person, v victim) error {
	urls := map[string]string{}
	for n := range 5 {
		urls["hook-url-"+strconv.Itoa(n)] = fmt.Sprintf("https://ci.example.com/%d", n)
	}
	hook := "com.atlassian.stash.plugin.stash-web-post-receive-hooks-plugin:postReceiveHook"
	path := "/api/1.0/projects/" + sandbox.Project + "/repos/" + sandbox.Repositories()[0] + "/settings/hooks/" + hook + "/settings"
	return p.bitbucket(ctx, v.base, http.MethodPut, path, urls, nil)
}

// mainLink connects the organization as the vendor's procedure says for the first
// one: a link on the main URL, keys typed by hand, nothing in Vault.
func mainLink(ctx context.Context, p *Person, v victim) error {
	private, public, err := pair()
	if err != nil {
		return err
	}
	const key = "a-key-of-the-first-organization"
	name, main := "Terraform Cloud ("+v.org+")", p.facts.Terraform.Address
	var made struct {
		Resources []struct {
			Href string `json:"href"`
		} `json:"resources-created"`
	}
	in := map[string]any{"name": name, "rpcUrl": main, "displayUrl": main, "typeId": "generic"}
	if err := p.bitbucket(ctx, v.base, http.MethodPut, "/applinks/3.0/applicationlink", in, &made); err != nil {
		return err
	}
	if len(made.Resources) == 0 {
		return fmt.Errorf("no link was made")
	}
	href := made.Resources[0].Href
	v.link = link{ID: href[strings.LastIndexByte(href, '/')+1:], Name: name}
	consumer := map[string]any{"key": key, "name": name, "publicKey": public, "outgoing": false}
	if err := p.bitbucket(ctx, v.base, http.MethodPut, "/applinks-oauth/1.0/applicationlink/"+v.link.ID+"/authentication/consumer", consumer, nil); err != nil {
		return err
	}
	client := map[string]any{"data": map[string]any{"type": "oauth-clients", "attributes": map[string]any{
		"name": "made by hand", "http-url": v.base, "api-url": v.base, "service-provider": "bitbucket_data_center",
		"key": key, "secret": private, "rsa-public-key": public,
	}}}
	return p.terraform(ctx, http.MethodPost, "/organizations/"+v.org+"/oauth-clients", client, nil)
}

// oauth2Link puts an "External application" link, which is OAuth 2.0, where
// Terraform's own was.
func oauth2Link(ctx context.Context, p *Person, v victim) error {
	if v.link.ID != "" {
		if err := deleteLink(ctx, p, v); err != nil {
			return err
		}
	}
	return p.suffer(ctx, "oauth2-link", v)
}

// changePassword changes the administrator's password, so that the one in Vault is
// wrong.
func changePassword(ctx context.Context, p *Person, v victim) error {
	password := p.facts.People.Admin + "-changed"
	in := map[string]string{"name": sandbox.AdminUser, "password": password, "passwordConfirm": password}
	return p.bitbucket(ctx, v.base, http.MethodPut, "/api/1.0/admin/users/credentials", in, nil)
}
