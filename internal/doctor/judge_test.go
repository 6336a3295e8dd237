package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/reach"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// A judgement is a check that was made of facts, and what it has to be. Whatever is
// not well has a cause, and what failed a remedy too.
type judgement struct {
	name string
	have Check
	want Status
	says string // in what was found, the cause or the remedy
}

func judge(t *testing.T, all []judgement) {
	t.Helper()
	for _, j := range all {
		c := j.have
		switch text := c.Found + "\n" + c.Cause + "\n" + c.Remedy; {
		case c.Status != j.want, !strings.Contains(text, j.says):
			t.Errorf("%s: have %+v, want %s that says %q", j.name, c, j.want, j.says)
		case c.Status != OK && c.Cause == "", (c.Status == Failed || c.Status == Warning) && c.Remedy == "":
			t.Errorf("%s: no cause or no remedy: %+v", j.name, c)
		case c.Status == OK && c.Cause+c.Remedy != "", c.Name == "" || c.Found == "":
			t.Errorf("%s: have %+v", j.name, c)
		}
	}
}

func TestNetwork(t *testing.T) {
	refused := errors.New("connection refused")
	at := func(s reach.Sight) reach.Sight {
		s.Address = "https://bitbucket.example:8443"
		return s
	}
	chain := func(end time.Time) []reach.Certificate {
		return []reach.Certificate{{Subject: "CN=bitbucket.example", Issuer: "CN=corp", Names: []string{"bitbucket.example"}, NotAfter: end}}
	}
	judge(t, []judgement{
		{"well", network(at(reach.Sight{IPs: []string{"10.0.0.1"}}), nil), OK, "10.0.0.1"},
		{"no such name", network(at(reach.Sight{Name: errors.New("no such host")}), nil), Failed, "name service"},
		{"port closed", network(at(reach.Sight{Port: refused}), nil), Failed, "firewalls"},
		{"proxy closed", network(at(reach.Sight{Port: refused, Proxy: "proxy:3128"}), nil), Failed, "HTTPS_PROXY"},
		{"proxy", network(at(reach.Sight{Proxy: "proxy:3128"}), nil), OK, "through the proxy proxy:3128"},
		{"no CA file", network(at(reach.Sight{}), refused), Failed, "ca_file"},
		{"valid", certificate(at(reach.Sight{Chain: chain(noon.AddDate(1, 0, 0))}), nil, noon), OK, "valid until 2027-07-01"},
		{"ends soon", certificate(at(reach.Sight{Chain: chain(noon.AddDate(0, 0, 10))}), nil, noon), Warning, "valid for 10 days more"},
		{"unknown authority", certificate(at(reach.Sight{Chain: chain(noon), TLS: x509.UnknownAuthorityError{}}), nil, noon), Failed, "CA bundle"},
		{"other name", certificate(at(reach.Sight{Chain: chain(noon), TLS: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}}), nil, noon), Failed, "bitbucket.example"},
		{"expired", certificate(at(reach.Sight{Chain: chain(noon), TLS: x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{}}}), nil, noon), Failed, "renew the certificate"},
		{"no TLS", certificate(at(reach.Sight{TLS: refused}), nil, noon), Failed, "does not look like TLS"},
		{"old TLS", certificate(at(reach.Sight{TLS: httpx.ErrOldTLS}), nil, noon), Failed, "enable TLS 1.2"},
		{"not reached", certificate(at(reach.Sight{Port: refused}), nil, noon), Unknown, "no connection"},
	})
}

func version(t *testing.T, text string) *bitbucketFacts {
	t.Helper()
	v, err := bitbucket.ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	b := &bitbucketFacts{want: &schema.Bitbucket{Label: "corp", URL: "https://bitbucket.example/git", Admin: schema.Admin{Username: "admin"}}}
	b.properties.value.Version = v
	return b
}

// TestVersion has the vendor's table.
func TestVersion(t *testing.T) {
	var all []judgement
	for text, want := range map[string]Status{
		"3.11.6": Failed, "4.9.0": Failed, "4.9.1": Warning, "5.3.1": Warning, "5.4.0": Warning, "7.21.0": Warning, "8.0.0": OK, "9.4.0": OK, "10.2.1-eap": OK,
	} {
		all = append(all, judgement{text, version(t, text).version(), want, text})
	}
	judge(t, all)
}

func TestBitbucketChecks(t *testing.T) {
	b := func(edit func(*bitbucketFacts)) *bitbucketFacts {
		facts := version(t, "9.4.0")
		edit(facts)
		return facts
	}
	old := func(edit func(*bitbucketFacts)) *bitbucketFacts {
		facts := version(t, "5.3.1")
		edit(facts)
		return facts
	}
	skew := func(d time.Duration, known bool) Check {
		return b(func(b *bitbucketFacts) { b.skew, b.skewKnown = d, known }).clock()
	}
	manifest := func(url string) Check {
		return b(func(b *bitbucketFacts) { b.manifest.value.URL = url }).baseURL()
	}
	policy := func(p bitbucket.KeyPolicy, connections ...*schema.Connection) Check {
		return b(func(b *bitbucketFacts) { b.policy.value, b.connections = p, connections }).keyPolicy()
	}
	bits := func(n int, rotate time.Duration) *schema.Connection {
		return &schema.Connection{SSHKey: schema.SSHKey{Bits: n, RotateAfter: rotate}}
	}
	rsa := func(allowed bool, least int) bitbucket.KeyPolicy {
		return bitbucket.KeyPolicy{Restrictions: []bitbucket.KeyRestriction{{Algorithm: "RSA", Allowed: allowed, MinLength: least}}}
	}
	judge(t, []judgement{
		{"same clock", skew(0, true), OK, "within 1s"},
		{"clock ahead", skew(10*time.Minute, true), Failed, "NTP"},
		{"clock behind", skew(-10*time.Minute, true), Failed, "10m"},
		{"no date", skew(0, false), Unknown, ""},
		{"base URL", manifest("https://bitbucket.example/git/"), OK, "API URL for Terraform is https://bitbucket.example"},
		{"base URL without the context path", manifest("https://bitbucket.example"), Failed, "context path count"},
		{"base URL with a port", manifest("https://bitbucket.example:8443/git"), Failed, "8443"},
		{"no rules", policy(bitbucket.KeyPolicy{}, bits(3072, 0)), OK, "allowed"},
		{"RSA forbidden", policy(rsa(false, 0), bits(3072, 0)), Failed, "allow RSA keys"},
		{"too short", policy(rsa(true, 4096), bits(3072, 0), bits(4096, 0)), Failed, "set bits = 4096"},
		{"brought, and so measured elsewhere", policy(rsa(true, 4096), &schema.Connection{SSHKey: schema.SSHKey{Private: &schema.SecretRef{}}}), OK, ""},
		{"keys that are brought end", policy(bitbucket.KeyPolicy{MaxExpiryDays: 30}, &schema.Connection{SSHKey: schema.SSHKey{Private: &schema.SecretRef{}}}), Warning, "bbsync rotate"},
		{"keys end, and are replaced", policy(bitbucket.KeyPolicy{MaxExpiryDays: 30}, bits(3072, 20*24*time.Hour)), OK, "replaces them before"},
		{"starting", b(func(b *bitbucketFacts) { b.status.value = "STARTING" }).state(), Failed, "starting"},
		{"Basic", b(func(*bitbucketFacts) {}).loginChecks()[0], OK, "does not end"},
		{"session", b(func(b *bitbucketFacts) { b.login.Session, b.login.SecondFactor = true, true }).loginChecks()[0], OK, "a session with a second factor"},
		{"no WebSudo", b(func(*bitbucketFacts) {}).adminSession(), OK, "asks for no secure"},
		{"WebSudo", b(func(b *bitbucketFacts) { b.login.Elevated = noon }).adminSession(), OK, "until 12:10 UTC"},
		{"WebSudo refused", b(func(b *bitbucketFacts) { b.raised = bitbucket.ErrElevation }).adminSession(), Failed, "no secure administrator session"},
		{"Basic off", b(func(b *bitbucketFacts) { b.basic.value.Blocked, b.login.Session = true, true }).basicAuth(), OK, "with a session"},
		{"Basic off, allowed", b(func(b *bitbucketFacts) { b.basic.value.Blocked = true }).basicAuth(), OK, "allowed for admin"},
		{"Basic off, allowed for another case", b(func(b *bitbucketFacts) {
			b.basic.value, b.login.Session = bitbucket.BasicAuthConfig{Blocked: true, AllowedUsers: []string{"Admin"}}, true
		}).basicAuth(), Warning, "case-sensitive"},
		{"Basic allowed, seen by ADMIN", b(func(b *bitbucketFacts) { b.basic.err = bitbucket.ErrForbidden }).basicAuth(), OK, "allowed for admin"},
		{"SYS_ADMIN", b(func(b *bitbucketFacts) { b.account.value, b.system.value = true, true }).admin(), OK, "which bbsync does not need"},
		{"not an admin", b(func(*bitbucketFacts) {}).admin(), Failed, "global ADMIN"},
		{"pinned", b(func(b *bitbucketFacts) { b.want.SSH.HostKeys = []string{"k"} }).hostKeys(), OK, "1 pinned"},
		{"other port", b(func(b *bitbucketFacts) {
			b.ssh.value = bitbucket.SSHSettings{Enabled: true, Port: 7999}
			b.want.SSH.Port, b.server.value = 22, systems.SSHServer{Address: "bitbucket.example:22"}
		}).sshServer(), Warning, "7999"},
		{"SSH off", b(func(*bitbucketFacts) {}).sshServer(), Failed, "switched off"},
		{"rate", b(func(b *bitbucketFacts) {
			b.rate.value = bitbucket.RateLimitSettings{Enabled: true, Capacity: 60, FillRate: 5}
		}).rateLimit(), OK, "5 requests a second"},
		{"own webhooks", b(func(*bitbucketFacts) {}).webhooks(), OK, "no plugin"},
		{"plugin missing", old(func(b *bitbucketFacts) { b.plugin.err = bitbucket.ErrNotFound }).webhooks(), Failed, "Find new apps"},
		{"plugin disabled", old(func(b *bitbucketFacts) { b.plugin.value.Version = "1.6.0" }).webhooks(), Failed, "disabled"},
		{"four URLs", hooks(4), OK, "enabled in 1"},
		{"five URLs", hooks(5), Failed, "5 hook URLs"},
		{"HCP", (&terraformFacts{cloud: true}).product(), OK, "HCP Terraform"},
		{"Enterprise", (&terraformFacts{version: "1.0.0"}).product(), OK, "Terraform Enterprise 1.0.0"},
		{"rate seen", (&terraformFacts{rate: 30}).rateLimit(), OK, "30 requests a second"},
	})
}

func hooks(urls int) Check {
	h := hookFacts{repository: "INFRA/vpc"}
	h.hook.value.Enabled, h.urls.value = true, make([]string, urls)
	return (&bitbucketFacts{hooks: []hookFacts{h}}).hookChecks()[0]
}

// well is a connection in sync.
func well() *connectionFacts {
	f := &connectionFacts{
		want: &schema.Connection{
			Address: "connection.team", Organization: "acme", ServiceUser: "svc", Name: "Bitbucket",
			Terraform: &schema.Terraform{Address: "https://app.terraform.io"},
			Bitbucket: &schema.Bitbucket{Label: "corp", URL: "https://bitbucket.example/git"},
			Link:      schema.ApplicationLink{URL: "https://app.terraform.io/app/acme", Name: "Terraform"},
			Grants:    []schema.Grant{{Project: "INFRA", Repository: "vpc", Permission: "REPO_ADMIN"}},
		},
		bitbucket: &bitbucketFacts{}, terraform: &terraformFacts{cloud: true}, ours: true,
	}
	f.client = &plan.Client{
		ID: "oc-1", Name: "Bitbucket", Key: "k", Fingerprint: "rsa", HTTPURL: "https://bitbucket.example/git", APIURL: "https://bitbucket.example",
		ServiceProvider: "bitbucket_data_center", CallbackURL: "https://app.terraform.io/auth/1/callback",
		Token: &plan.Token{ID: "ot-1", User: "svc", HasSSHKey: true, Created: noon.AddDate(-1, 0, 0)},
	}
	f.have = plan.Have{
		Bitbucket: &plan.Bitbucket{Version: "9.4.0"},
		Record: &plan.Record{
			Consumer: &plan.ConsumerKey{Key: "k", Fingerprint: "rsa"}, Current: &plan.Key{Fingerprint: "ssh", Token: "ot-1", Created: noon.AddDate(0, -1, 0)},
		},
		User: &plan.User{Name: "svc", Active: true}, Keys: map[string]plan.SSHKey{"ssh": {Fingerprint: "ssh"}},
	}
	f.licensed.value = true
	f.organization.value = tfe.Organization{CanUpdateOAuth: true, VCSIntegrations: true}
	f.repos.value = []string{"INFRA/vpc"}
	return f
}

func TestTerraformSide(t *testing.T) {
	with := func(edit func(*connectionFacts), check func(*connectionFacts) Check) Check {
		f := well()
		edit(f)
		return check(f)
	}
	organization, client := (*connectionFacts).organizationCheck, (*connectionFacts).oauthClient
	age := func(f *connectionFacts) Check { return f.tokenAge(noon) }
	events := func(f *connectionFacts) Check { return f.eventsCheck(noon) }
	event := func(at time.Time, client string) func(*connectionFacts) {
		return func(f *connectionFacts) {
			f.events.value = []tfe.VCSEvent{{At: at, Level: "error", Message: "no route to host", Client: client}}
		}
	}
	judge(t, []judgement{
		{"token", with(func(*connectionFacts) {}, organization), OK, ""},
		{"token refused", with(func(f *connectionFacts) {
			f.organization.err = &tfe.Error{Kind: tfe.ErrUnauthorized, Hint: "wrong, expired or revoked"}
		}, organization), Failed, "revoked"},
		{"no organization", with(func(f *connectionFacts) { f.organization.err = &tfe.Error{Kind: tfe.ErrNotFound} }, organization), Failed, "spelling"},
		{"no permission", with(func(f *connectionFacts) { f.organization.value.CanUpdateOAuth = false }, organization), Failed, "Manage VCS Settings"},
		{"not entitled", with(func(f *connectionFacts) { f.organization.value.VCSIntegrations = false }, organization), Failed, "plan"},
		{"no private VCS", with(func(f *connectionFacts) { f.want.AgentPool = "dc" }, organization), Failed, "agent_pool"},
		{"client", with(func(*connectionFacts) {}, client), OK, "API https://bitbucket.example"},
		{"wrong API URL", with(func(f *connectionFacts) { f.client.APIURL += "/git" }, client), Failed, "drops the context path"},
		{"wrong HTTP URL", with(func(f *connectionFacts) { f.client.HTTPURL = "https://bitbucket.example" }, client), Failed, "cannot change it"},
		{"other key", with(func(f *connectionFacts) { f.client.Key = "else" }, client), Failed, "bbsync apply"},
		{"renamed", with(func(f *connectionFacts) { f.client.Name = "else" }, client), Warning, "renames"},
		{"older provider", with(func(f *connectionFacts) { f.client.ServiceProvider = "bitbucket_server" }, client), Warning, "bitbucket_data_center today"},
		{"foreign", with(func(f *connectionFacts) { f.ours = false }, client), Failed, "not this connection's"},
		{"callback", with(func(*connectionFacts) {}, (*connectionFacts).callback), OK, "app.terraform.io"},
		{"other host", with(func(f *connectionFacts) { f.client.CallbackURL = "https://tfe2.example/auth" }, (*connectionFacts).callback), Warning, "TFE_VCS_HOSTNAME_CHOICE"},
		{"young token", with(func(*connectionFacts) {}, age), OK, "2030"},
		{"old token", with(func(f *connectionFacts) { f.client.Token.Created = noon.AddDate(-4, -11, 0) }, age), Warning, "authorize again"},
		{"ended token", with(func(f *connectionFacts) { f.client.Token.Created = noon.AddDate(-6, 0, 0) }, age), Warning, "more than five years ago"},
		{"dead token", with(func(f *connectionFacts) { f.repos.err = &tfe.Error{Kind: tfe.ErrTokenRefused} }, (*connectionFacts).authorization), Failed, "opens its link again"},
		{"dead with the consumer", with(func(f *connectionFacts) {
			f.repos.err, f.proof = &tfe.Error{Kind: tfe.ErrTokenRefused}, errors.New("x")
		}, (*connectionFacts).authorization), Failed, "request-token first"},
		{"key by somebody", with(func(f *connectionFacts) { f.have.Record.Current.Token = "ot-0" }, (*connectionFacts).tokenSSHKey), Failed, "bbsync did not set it"},
		{"sees", with(func(*connectionFacts) {}, (*connectionFacts).repositoriesCheck), OK, "itself sees INFRA/vpc"},
		{"does not see", with(func(f *connectionFacts) { f.repos.value = nil }, (*connectionFacts).repositoriesCheck), Failed, "INFRA/vpc"},
		{"a key is in its overlap", with(func(f *connectionFacts) { f.login.err = errInOverlap }, (*connectionFacts).sshLogin), Unknown, "rotation"},
		{"cannot be asked", with(func(f *connectionFacts) { f.repos.err = &tfe.Error{Kind: tfe.ErrUnsupported} }, (*connectionFacts).repositoriesCheck), Unknown, "--prove"},
		{"no events", with(func(*connectionFacts) {}, events), OK, "no proof"},
		{"an event", with(event(noon.Add(-time.Hour), "oc-1"), events), Warning, "no route to host"},
		{"somebody else's", with(event(noon.Add(-time.Hour), "oc-2"), events), OK, ""},
		{"long ago", with(event(noon.AddDate(0, 0, -11), "oc-1"), events), OK, ""},
		{"cannot tell of events", with(func(f *connectionFacts) { f.events.err = &tfe.Error{Kind: tfe.ErrUnsupported} }, events), Unknown, "notes no VCS events"},
	})
}

func TestBitbucketSide(t *testing.T) {
	with := func(edit func(*connectionFacts), check func(*connectionFacts) Check) Check {
		f := well()
		edit(f)
		return check(f)
	}
	key := func(f *connectionFacts) Check { return f.sshKey(noon) }
	onKey := func(edit func(*plan.SSHKey)) func(*connectionFacts) {
		return func(f *connectionFacts) {
			k := f.have.Keys["ssh"]
			edit(&k)
			f.have.Keys["ssh"] = k
		}
	}
	judge(t, []judgement{
		{"user", with(func(*connectionFacts) {}, (*connectionFacts).serviceUser), OK, "licensed"},
		{"no user", with(func(f *connectionFacts) { f.have.User = nil }, (*connectionFacts).serviceUser), Failed, "service_user"},
		{"user is the administrator", with(func(f *connectionFacts) { f.want.Bitbucket.Admin.Username = "SVC" }, (*connectionFacts).serviceUser), Warning, "user of its own"},
		{"key", with(func(*connectionFacts) {}, key), OK, "ssh"},
		{"key gone", with(func(f *connectionFacts) { f.have.Keys = nil }, key), Failed, "bbsync apply adds it"},
		{"key ends soon", with(onKey(func(k *plan.SSHKey) { k.Expires = noon.AddDate(0, 0, 5) }), key), Warning, "in 5 days"},
		{"key ended", with(onKey(func(k *plan.SSHKey) { k.Expires = noon }), key), Failed, "ended on 2026-07-01"},
		{"key due", with(func(f *connectionFacts) { f.want.SSHKey.RotateAfter = 20 * 24 * time.Hour }, key), Warning, "run bbsync apply"},
		{"an OAuth 2.0 link of this organization's", with(func(f *connectionFacts) {
			f.bitbucket.links.value = []bitbucket.Link{{ID: "client-1", Type: "oauth2", Name: "T", URL: "https://app.terraform.io/app/acme/x"}}
		}, (*connectionFacts).link), Failed, "External application"},
		{"or of nobody's in particular", with(func(f *connectionFacts) {
			f.bitbucket.links.value = []bitbucket.Link{{ID: "client-1", Type: "oauth2", Name: "T", URL: "https://app.terraform.io"}}
		}, (*connectionFacts).link), Failed, "External application"},
		{"another organization's is no cause", with(func(f *connectionFacts) {
			f.bitbucket.links.value = []bitbucket.Link{{ID: "client-1", Type: "oauth2", Name: "T", URL: "https://app.terraform.io/app/acme-2"}}
		}, (*connectionFacts).link), Failed, "it was deleted, or never made"},
		{"no consumer", with(func(f *connectionFacts) { f.have.Link = &plan.Link{Type: "generic"} }, (*connectionFacts).consumer), Failed, "bbsync apply sets it"},
		{"no grants", with(func(f *connectionFacts) { f.want.Grants = nil }, (*connectionFacts).grants), Warning, "add grant blocks"},
		{"lease", with(func(f *connectionFacts) {
			f.have.Record.Lease = &plan.Lease{Holder: "eve", Expires: noon.Add(time.Hour)}
		},
			func(f *connectionFacts) Check { return f.leaseCheck(noon) }), Warning, "eve"},
		{"lease with its age", with(func(f *connectionFacts) {
			f.have.Record.Lease = &plan.Lease{Holder: "eve", Age: 3 * time.Minute, Expires: noon.Add(time.Minute)}
		}, func(f *connectionFacts) Check { return f.leaseCheck(noon) }), Warning, "eve has been at work on the connection for 3m0s"},
		{"lease that is not believed", with(func(f *connectionFacts) {
			f.have.Record.Lease = &plan.Lease{Holder: "eve", Broken: true, Expires: noon.AddDate(73, 0, 0)}
		}, func(f *connectionFacts) Check { return f.leaseCheck(noon) }), Warning, "not one that bbsync takes"},
		{"policy", with(func(f *connectionFacts) {
			f.lacks.value = []vault.Lack{{Path: "secret/data/bbsync/x", Want: []string{"create", "read", "update"}, Miss: []string{"create", "update"}}}
		}, (*connectionFacts).policyCheck), Warning, `path "secret/data/bbsync/x" { capabilities = ["create", "read", "update"] }`},
		{"no record", with(func(f *connectionFacts) { f.record.err = &vault.Error{Kind: vault.ErrNotFound} }, (*connectionFacts).recordCheck), Failed, "restore the record first"},
		{"deleted record", with(func(f *connectionFacts) { f.record.err = &vault.DeletedError{Path: "x"} }, (*connectionFacts).recordCheck), Failed, "undelete"},
		{"an error without a hint", failure("x", "no login", errors.New("permission denied")), Failed, "docs/troubleshooting.md"},
		{"API token ends", endOf(expiry.OfAPIToken("terraform.hcp", "vault:s/hcp#token", noon.AddDate(-2, 0, 0), noon.AddDate(0, 0, 9), true)), Warning, "bbsync rotate --token terraform.hcp"},
		{"API token ended", endOf(expiry.OfAPIToken("terraform.hcp", "env:T", noon.AddDate(-2, 0, 0), noon, false)), Failed, "create another one in Terraform"},
		{"no license", endOf(expiry.CannotKnow(expiry.License, "bitbucket.corp", "", "Bitbucket has none")), Unknown, "Bitbucket has none"},
		{"license", endOf(expiry.OfLicense("bitbucket.corp", noon, noon.AddDate(1, 0, 0), noon)), OK, "ends on"},
		{"short token", (&vaultFacts{token: answer[vault.TokenInfo]{value: vault.TokenInfo{TTL: time.Minute}}}).lifetime(), Warning, "vault login"},
	})
}

// TestEveryOAuthProblem has a server that answers each problem that OAuth 1.0a
// knows: the row names it, its cause and what to do.
func TestEveryOAuthProblem(t *testing.T) {
	pair, err := keys.GenerateConsumer(keys.MinRSABits)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	problems := strings.Fields("parameter_absent parameter_rejected timestamp_refused signature_method_rejected version_rejected consumer_key_unknown " +
		"signature_invalid nonce_used token_used token_expired token_rejected permission_unknown permission_denied user_refused")
	for _, problem := range problems {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf("OAuth realm=%q, oauth_problem=%q", "x", problem))
			w.WriteHeader(http.StatusUnauthorized)
		}))
		client, err := bitbucket.New(bitbucket.Config{URL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		f := &connectionFacts{proof: client.ProveConsumer(t.Context(), "k", pair.Private)}
		c := f.requestToken()
		judge(t, []judgement{{problem, c, Failed, problem + " (401)"}})
		seen[c.Cause] = true
		client.Close()
		server.Close()
	}
	if len(seen) < 10 {
		t.Errorf("only %d causes for %d problems", len(seen), len(problems))
	}
}

// endOf is the check of one thing that ends.
func endOf(e expiry.End) Check { return endChecks(e.Of, []expiry.End{e}, noon)[0] }
