package schema

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"
	"github.com/zclconf/go-cty/cty"

	"github.com/bbsync/bbsync/internal/names"
)

// Defaults of the language.
const (
	DefaultMaxRemovals      = 5
	DefaultVaultMount       = "secret"
	DefaultVaultPath        = "bbsync"
	DefaultTerraformAddress = "https://app.terraform.io"
)

var (
	fleetName  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	vaultPath  = regexp.MustCompile(`^[A-Za-z0-9_~@+.-]+(/[A-Za-z0-9_~@+.-]+)*$`)
	dottedPart = regexp.MustCompile(`(^|/)\.{1,2}(/|$)`)
)

func (l *loader) bbsync() {
	f := l.fleet
	f.MaxRemovals = DefaultMaxRemovals
	if len(l.top["bbsync"]) == 0 {
		l.add(problem{
			rule: ruleMissing, summary: "Missing block bbsync",
			detail: "The files hold no bbsync block, which names the fleet: the mark by which bbsync knows what it made.",
			hint:   "write bbsync { fleet = \"corp\" }",
		})
		return
	}
	n := l.top["bbsync"][0]
	v := l.view(n, l.base)
	f.Name = v.need("fleet")
	if f.Name != "" && !fleetName.MatchString(f.Name) {
		v.fail("fleet", ruleFleetName, "Invalid name of a fleet",
			fmt.Sprintf("%s is not a fleet's name: up to 63 lower-case letters, digits, dots, - and _.", shown(f.Name)), "")
	}
	f.MaxRemovals = v.integer("max_removals", 0, 1_000_000, DefaultMaxRemovals)
	f.MaxRemovalsRange = v.where("max_removals")
	f.RequiredVersion = v.text("required_version")
	l.checkVersion(v, f.RequiredVersion)
	if kid := n.one("maintenance"); kid != nil {
		l.window = v.of(kid).maintenance()
	}
}

// checkVersion compares without the pre-release part: a development build is
// taken for the version it leads to.
func (l *loader) checkVersion(v view, required string) {
	if required == "" {
		return
	}
	constraint, err := version.NewConstraint(required)
	if err != nil {
		v.fail("required_version", ruleVersion, "Not a version constraint",
			fmt.Sprintf("%s is not a version constraint.", shown(required)), `as in ">= 0.1.0" or "~> 1.2"`)
		return
	}
	if l.opts.Version == "" {
		return
	}
	have, err := version.NewVersion(l.opts.Version)
	if err != nil {
		return // a build without a version of its own
	}
	if !constraint.Check(have.Core()) {
		v.fail("required_version", ruleVersion, "Another version of bbsync is required",
			fmt.Sprintf("These files require bbsync %s, this is %s.", required, l.opts.Version), "install a version that fits, or change required_version")
	}
}

func (l *loader) vault() {
	f := l.fleet
	f.Vault = Vault{Mount: DefaultVaultMount, Path: DefaultVaultPath, Auth: VaultAuth{Method: "token"}}
	if len(l.top["vault"]) == 0 {
		return
	}
	n := l.top["vault"][0]
	v := l.view(n, l.base)
	f.Vault.Range = n.at()
	f.Vault.Address = v.vaultAddress()
	f.Vault.Gateway = v.gateway()
	f.Vault.Namespace = strings.Trim(v.text("namespace"), "/")
	f.Vault.CAFile = inFolder(l.dir, v.text("ca_file"))
	f.Vault.Mount = v.path("mount", DefaultVaultMount)
	f.Vault.Path = v.path("path", DefaultVaultPath)
	if kid := n.one("auth"); kid != nil {
		f.Vault.Auth = v.of(kid).auth()
	}
}

// vaultAddress returns the address of Vault, or of the socket of a Vault Agent or Proxy.
func (v view) vaultAddress() string {
	s := v.text("address")
	if !strings.HasPrefix(s, "unix:") {
		return v.root("address")
	}
	socket, err := names.VaultURL(s)
	if err != nil {
		v.fail("address", ruleURL, "Not a usable URL", fmt.Sprintf("address: %s.", err), "")
	}
	return socket
}

// root is url for an address that has no path.
func (v view) root(name string) string {
	s := v.url(name)
	if s == "" || strings.Count(s, "/") == 2 {
		return s
	}
	v.fail(name, ruleURL, "Not a usable URL", name+": the address has no path, only a host and perhaps a port.", "")
	return ""
}

// path returns a path in Vault without slashes at its ends.
func (v view) path(name, otherwise string) string {
	s := strings.Trim(v.text(name), "/")
	if s == "" {
		return otherwise
	}
	if !vaultPath.MatchString(s) || dottedPart.MatchString(s) {
		v.fail(name, rulePath, "Not a path in Vault",
			fmt.Sprintf("%s: %s is not a path that bbsync writes to: segments of letters, digits and _~@+.- between single slashes.", name, shown(s)), "")
		return otherwise
	}
	return s
}

func (l *loader) systems() {
	for _, n := range l.top["terraform"] {
		t := l.terraform(n)
		l.fleet.Terraforms = append(l.fleet.Terraforms, t)
		l.terraforms[t.Label] = t
	}
	for _, n := range l.top["bitbucket"] {
		b := l.bitbucket(n)
		l.fleet.Bitbuckets = append(l.fleet.Bitbuckets, b)
		l.bitbuckets[b.Label] = b
	}
	ctx := l.base
	ctx.Variables["terraform"] = systemsValue("terraform", l.terraforms, func(t *Terraform) string { return t.Address }, "address")
	ctx.Variables["bitbucket"] = systemsValue("bitbucket", l.bitbuckets, func(b *Bitbucket) string { return b.URL }, "url")
}

// systemsValue makes the blocks known to expressions, as objects by label with
// what may be of use there.
func systemsValue[T any](kind string, systems map[string]T, url func(T) string, urlName string) cty.Value {
	out := map[string]cty.Value{}
	for label, s := range systems {
		out[label] = cty.ObjectVal(map[string]cty.Value{
			"kind": cty.StringVal(kind), "label": cty.StringVal(label), urlName: cty.StringVal(url(s)),
		})
	}
	return cty.ObjectVal(out)
}

func (l *loader) systemNames(kind string) []string {
	if kind == "terraform" {
		return slices.Sorted(maps.Keys(l.terraforms))
	}
	return slices.Sorted(maps.Keys(l.bitbuckets))
}

func (l *loader) terraform(n *node) *Terraform {
	v := l.view(n, l.base)
	t := &Terraform{
		Label:     n.label(),
		Address:   v.root("address"),
		CAFile:    inFolder(l.dir, v.text("ca_file")),
		RateLimit: v.rate("rate_limit"),
		Token:     SecretRef{CredentialsFile: true, Range: n.at()},
		Gateway:   v.gateway(),
		Range:     n.at(),
	}
	if t.Address == "" && !v.broken["address"] {
		t.Address = DefaultTerraformAddress
	}
	if kid := n.one("token"); kid != nil {
		t.Token = v.of(kid).secret()
	}
	return t
}

func (l *loader) bitbucket(n *node) *Bitbucket {
	v := l.view(n, l.base)
	b := &Bitbucket{
		Label:           n.label(),
		URL:             v.url("url"),
		CAFile:          inFolder(l.dir, v.text("ca_file")),
		ServiceProvider: v.serviceProvider(),
		RateLimit:       v.rate("rate_limit"),
		KnownSSHKeys:    v.knownSSHKeys(),
		Gateway:         v.gateway(),
		Range:           n.at(),
	}
	if b.URL == "" && !v.broken["url"] && n.args["url"] != nil {
		v.fail("url", ruleMissing, "Empty url", n.title()+" needs url, and here it is empty.", "")
	}
	if kid := n.one("admin"); kid != nil {
		b.Admin = v.of(kid).admin()
		b.Admin.Login = l.fleet.Name + "/logins/" + hostOf(b.URL)
	}
	if kid := n.one("ssh"); kid != nil {
		b.SSH = v.of(kid).ssh(b.URL)
	}
	if kid := n.one("webhook_plugin"); kid != nil {
		b.WebhookPlugin = v.of(kid).webhookPlugin()
	}
	return b
}

func (v view) admin() Admin {
	a := Admin{Username: v.need("username"), OAuth: v.boolean("oauth", false)}
	if kid := v.n.one("password"); kid != nil {
		ref := v.of(kid).secret()
		a.Password = &ref
	}
	if kid := v.n.one("totp"); kid != nil {
		ref := v.of(kid).secret()
		a.TOTP = &ref
	}
	if a.Password == nil && !a.OAuth && !slices.Contains(v.n.meant, "password") && !v.broken[v.prefix+"oauth"] {
		v.l.add(problem{
			rule: ruleMissing, at: v.n.at(), summary: "Missing block password",
			detail: v.n.title() + " needs the block password, or oauth = true.", hint: "oauth = true takes the login that bbsync login has stored in Vault",
		})
	}
	return a
}

func (v view) webhookPlugin() WebhookPlugin {
	p := WebhookPlugin{Install: v.boolean("install", false), URL: v.url("url")}
	if p.Install && p.URL == "" && !v.broken[v.prefix+"url"] {
		v.fail("install", ruleMissing, "Missing attribute url",
			"To install the plugin bbsync must know where its artefact is.", "add url, or install the plugin by hand and leave install out")
	}
	return p
}

func (v view) ssh(bitbucket string) SSHServer {
	host := v.text("host")
	s := SSHServer{Host: strings.ToLower(host), Port: v.integer("port", 1, 65535, 0)}
	if strings.ContainsAny(host, ":/@ \t\n") && net.ParseIP(host) == nil {
		v.fail("host", ruleURL, "Not a host", fmt.Sprintf("%s is not a host name or address.", shown(host)), "the port has an attribute of its own, a user and a scheme have no place here")
	}
	s.HostKeys = v.hostKeys(sshNames(s, bitbucket))
	return s
}

// Providers that Terraform knows for Bitbucket Server and Data Center.
func serviceProviders() []string {
	return []string{"bitbucket_data_center", "bitbucket_server", "bitbucket_server_legacy"}
}

func (v view) serviceProvider() string {
	s := v.text("service_provider")
	if s == "" || slices.Contains(serviceProviders(), s) {
		return s
	}
	hint := nearest(s, serviceProviders())
	if hint == "" || s == "bitbucket_hosted" {
		hint = "leave it out, and bbsync chooses by Bitbucket's version"
	}
	v.fail("service_provider", ruleProvider, "Unknown service provider",
		fmt.Sprintf("%s is none of %s.", shown(s), strings.Join(serviceProviders(), ", ")), hint)
	return ""
}
