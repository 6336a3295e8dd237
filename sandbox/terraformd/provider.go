package terraformd

import (
	"fmt"
	"net/url"
	"strings"
)

// provider is a kind of VCS server.
type provider struct {
	name    string // service-provider
	display string // service-provider-display-name
	// connects: the token appears when a person has authorized it, rather than by
	// an oauth-token-string.
	connects bool
	// oldHooks: no webhooks of its own (Bitbucket before 5.4), only those of the
	// plugin "Web Post Hooks for Bitbucket Server".
	oldHooks bool
}

// providers lists the values go-tfe has. Whether the real server still accepts
// bitbucket_server for a new client is not known; this one does. Of the display
// names only the first is certain.
func providers() []provider {
	return []provider{
		{name: "github", display: "GitHub"},
		{name: "github_enterprise", display: "GitHub Enterprise"},
		{name: "gitlab_hosted", display: "GitLab.com"},
		{name: "gitlab_community_edition", display: "GitLab Community Edition"},
		{name: "gitlab_enterprise_edition", display: "GitLab Enterprise Edition"},
		{name: "ado_server", display: "Azure DevOps Server"},
		{name: "ado_services", display: "Azure DevOps Services"},
		{name: "bitbucket_hosted", display: "Bitbucket Cloud"},
		{name: "bitbucket_data_center", display: "Bitbucket Data Center", connects: true},
		{name: "bitbucket_server", display: "Bitbucket Server", connects: true},
		{name: "bitbucket_server_legacy", display: "Bitbucket Server (v5.3.0 and below)", connects: true, oldHooks: true},
	}
}

func providerNamed(name string) (provider, bool) {
	for _, p := range providers() {
		if p.name == name {
			return p, true
		}
	}
	return provider{}, false
}

func (c *client) provider() provider {
	p, _ := providerNamed(c.ServiceProvider)
	return p
}

// checkURL accepts an absolute http or https URL.
func checkURL(attribute, text string) error {
	u, err := url.Parse(text)
	label := strings.ToUpper(attribute[:1]) + strings.ReplaceAll(attribute[1:], "-", " ")
	switch {
	case text == "":
		return invalid(attribute, label+" can't be blank")
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https", u.RawQuery != "", u.Fragment != "":
		return invalid(attribute, label+" is invalid")
	}
	return nil
}

// checkProvider checks what depends on the provider at creation. That each kind
// checks its URLs is documented for GitHub Enterprise alone.
func checkProvider(in clientInput) error {
	name := in.ServiceProvider.or("")
	p, known := providerNamed(name)
	switch {
	case name == "":
		return invalid("service-provider", "Service provider can't be blank")
	case !known:
		return invalid("service-provider", "Service provider is not included in the list")
	}
	if err := checkURL("http-url", in.HTTPURL.or("")); err != nil {
		return err
	}
	if err := checkURL("api-url", in.APIURL.or("")); err != nil {
		return err
	}
	if u, err := url.Parse(in.HTTPURL.or("")); err == nil && p.name == "github_enterprise" && u.Hostname() == "github.com" {
		return invalid("http-url", "Http url must not point to github.com")
	}
	return checkCredentials(p, in)
}

func checkCredentials(p provider, in clientInput) error {
	personal := in.OAuthTokenString.or("")
	switch {
	case in.PrivateKey.or("") != "" && p.name != "ado_server":
		return invalid("private-key", "Private key is only supported for Azure DevOps Server")
	case !p.connects && personal == "":
		return invalid("oauth-token-string", "Oauth token string can't be blank")
	case p.connects && personal != "":
		// OAuth 1.0a needs a token and a secret; one string cannot hold them. What
		// the real server does with it is not documented.
		return invalid("oauth-token-string", fmt.Sprintf("Oauth token string is not supported for %s", p.display))
	case p.connects && in.Secret.or("") != "" && in.RSAPublicKey.or("") == "":
		return invalid("rsa-public-key", fmt.Sprintf("The RSA public key is required for %s in conjunction with the secret", p.display))
	}
	return nil
}
