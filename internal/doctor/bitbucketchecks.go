package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// clockMatters is what OAuth 1.0a's window of a few minutes leaves room for.
const clockMatters = 2 * time.Minute

func (b *bitbucketFacts) checks(now time.Time) []Check {
	out := []Check{network(b.sight.value, b.sight.err), certificate(b.sight.value, b.sight.err, now)}
	if b.open != nil {
		return append(out, failure("account", "no login as the administrator", b.open))
	}
	out = append(out, b.state(), b.version(), b.baseURL(), b.clock(), b.admin())
	if err := b.reached(); err != nil {
		for _, name := range []string{"login", "basic-auth", "application-links", "ssh", "ssh-host-keys", "key-policy", "webhooks", "rate-limit"} {
			out = append(out, unknown(name, "it is asked as the administrator, who was not let in; stopped using this account to avoid locking it", "see account"))
		}
		return out
	}
	out = append(out, b.loginChecks()...)
	out = append(out, b.basicAuth(), b.linkList(), b.sshServer(), b.hostKeys(), b.keyPolicy(), b.webhooks())
	out = append(out, b.hookChecks()...)
	return append(out, b.rateLimit())
}

func (b *bitbucketFacts) state() Check {
	const name = "status"
	switch state := b.status.value; {
	case b.status.err != nil:
		return failure(name, "Bitbucket does not say how it is", b.status.err)
	case state == "RUNNING":
		return ok(name, "running")
	default:
		return failed(name, strings.ToLower(state), "Bitbucket says that its state is "+state, "wait until it runs, or ask its administrator")
	}
}

// version holds the version against what the vendors name: Server 4.9.1, Data
// Center 5.4.0, and today Data Center 8.0. Which of the two products an instance
// is, its version does not tell.
func (b *bitbucketFacts) version() Check {
	const name = "version"
	v := b.properties.value.Version
	switch {
	case b.properties.err != nil:
		return failure(name, "Bitbucket does not tell its version", b.properties.err)
	case !v.AtLeast("4.9.1"):
		return failed(name, v.String(), "Terraform works with Bitbucket Server 4.9.1, Data Center 5.4.0 and newer", "upgrade Bitbucket")
	case !v.AtLeast("5.4"):
		return warning(name, v.String()+", Bitbucket Server with the webhook plugin", "Terraform's documentation asks for Data Center 8.0 or newer, and Bitbucket Server is out of support",
			"plan an upgrade to Data Center 8.0 or newer; until then the plugin is needed (see webhooks)")
	case !v.AtLeast("8.0"):
		return warning(name, v.String(), "Terraform's documentation asks for Data Center 8.0 or newer, and Bitbucket Server is out of support", "plan an upgrade to Data Center 8.0 or newer")
	}
	return ok(name, "%s, which Terraform supports", v)
}

// baseURL compares the address in the files with the one that Bitbucket believes
// to have: it signs and redirects with its own.
func (b *bitbucketFacts) baseURL() Check {
	const name = "base-url"
	have := strings.TrimRight(b.manifest.value.URL, "/")
	switch {
	case b.manifest.err != nil:
		return undecided(name, b.manifest.err)
	case !names.SameURL(have, b.want.URL):
		return failed(name, "Bitbucket's own base URL is "+have+", the files say "+b.want.URL,
			"Bitbucket computes OAuth signatures and redirects with its own base URL, so that Connect ends in an error",
			"set the base URL in Bitbucket (Administration, Server settings) or correct url; scheme, port and context path count")
	}
	return ok(name, "%s on both sides; the API URL for Terraform is %s", have, plan.APIURL(b.want.URL))
}

func (b *bitbucketFacts) clock() Check {
	const name = "clock"
	switch {
	case !b.skewKnown:
		return unknown(name, "no answer of Bitbucket had a date", "")
	case b.skew.Abs() >= clockMatters:
		return failed(name, fmt.Sprintf("Bitbucket's clock is %s from this machine's", b.skew.Abs()),
			"OAuth 1.0a refuses timestamps that are a few minutes off", "set both by NTP; compare with Terraform's host too")
	}
	return ok(name, "Bitbucket's clock is within %s of this machine's", max(b.skew.Abs(), time.Second))
}

func (b *bitbucketFacts) sshServer() Check {
	const name = "ssh"
	settings, server := b.ssh.value, b.server.value
	switch {
	case b.ssh.err == nil && !settings.Enabled:
		return failed(name, "SSH is switched off in Bitbucket", "Terraform clones over SSH alone", "enable it under Administration, SSH access")
	case b.server.err != nil:
		return failure(name, "Bitbucket does not tell where its SSH server is", b.server.err)
	case b.sshPort != nil:
		return failed(name, server.Address+" takes no connection from here", b.sshPort.Error(),
			"open the port (7999 unless Bitbucket's settings say otherwise) for Terraform and for this machine; or correct ssh.host and ssh.port in the files")
	case b.ssh.err == nil && b.want.SSH.Port != 0 && b.want.SSH.Port != settings.Port:
		return warning(name, fmt.Sprintf("%s answers; Bitbucket's settings name port %d", server.Address, settings.Port),
			"Terraform clones from the address in Bitbucket's settings, not from that in the files", "correct ssh.port, unless a proxy forwards the one to the other")
	}
	return ok(name, "%s takes connections from here", server.Address)
}

func (b *bitbucketFacts) hostKeys() Check {
	const name = "ssh-host-keys"
	if n := len(b.want.SSH.HostKeys); n > 0 {
		return ok(name, "%d pinned in the files", n)
	}
	return warning(name, "not pinned in the files", "the first contact takes whatever host key is shown, and keeps it in the record",
		"write the server's key into ssh { host_keys = [...] } of bitbucket."+b.want.Label)
}

// keyPolicy holds the server's rules for SSH keys against the keys that the files
// ask for.
func (b *bitbucketFacts) keyPolicy() Check {
	const name = "key-policy"
	switch err := b.policy.err; {
	case errors.Is(err, bitbucket.ErrTooOld):
		return ok(name, "none that this version tells of")
	case err != nil:
		return undecided(name, err)
	}
	policy := b.policy.value
	rsa, found := rsaRule(policy)
	switch {
	case found && !rsa.Allowed:
		return failed(name, "RSA keys are not allowed", "Terraform documents RSA keys alone", "have the administrator allow RSA keys (Administration, SSH access)")
	case found && rsa.MinLength > 0 && b.leastBits() < rsa.MinLength:
		return failed(name, fmt.Sprintf("RSA keys need %d bits, the files ask for %d", rsa.MinLength, b.leastBits()), "Bitbucket refuses shorter keys",
			fmt.Sprintf("set bits = %d in ssh_key", rsa.MinLength))
	case policy.MaxExpiryDays > 0 && b.brought():
		return warning(name, fmt.Sprintf("keys end after %d days", policy.MaxExpiryDays), "a key that is brought ends too, and with it the connection",
			"have its owner put another one there in time, and run bbsync rotate")
	case policy.MaxExpiryDays > 0:
		return ok(name, "keys end after %d days; bbsync apply, run on schedule, replaces them before", policy.MaxExpiryDays)
	}
	return ok(name, "the keys that the files ask for are allowed, and need not end")
}

func rsaRule(p bitbucket.KeyPolicy) (bitbucket.KeyRestriction, bool) {
	for _, r := range p.Restrictions {
		if strings.EqualFold(r.Algorithm, "RSA") {
			return r, true
		}
	}
	return bitbucket.KeyRestriction{}, false
}

// leastBits is the shortest key that a connection asks bbsync to make; keys that
// are brought are measured when they are read.
func (b *bitbucketFacts) leastBits() int {
	least := 0
	for _, c := range b.connections {
		if c.SSHKey.Private == nil && (least == 0 || c.SSHKey.Bits < least) {
			least = c.SSHKey.Bits
		}
	}
	if least == 0 {
		return bitbucketMostBits
	}
	return least
}

// bitbucketMostBits is more than any policy asks for.
const bitbucketMostBits = 1 << 20

// brought reports whether some connection's SSH key is its owner's.
func (b *bitbucketFacts) brought() bool {
	return slices.ContainsFunc(b.connections, func(c *schema.Connection) bool { return c.SSHKey.Private != nil })
}

// webhooks tells whether Bitbucket can call Terraform: by itself from 5.4 on,
// before with the plugin.
func (b *bitbucketFacts) webhooks() Check {
	const name = "webhooks"
	v := b.properties.value.Version
	plugin := b.plugin.value
	switch {
	case v.AtLeast("5.4"):
		return ok(name, "Bitbucket's own, no plugin is needed")
	case errors.Is(b.plugin.err, bitbucket.ErrNotFound):
		return failed(name, `the plugin "Web Post Hooks for Bitbucket Server" is not installed`, "Bitbucket before 5.4 has no webhooks of its own, so Terraform never learns of a push",
			"install it in Bitbucket under Administration, Find new apps; or let bbsync do it: webhook_plugin with install = true and the artefact's url")
	case b.plugin.err != nil:
		return undecided(name, b.plugin.err)
	case !plugin.Enabled:
		return failed(name, "the webhook plugin "+plugin.Version+" is installed and disabled", "somebody disabled it under Administration, Manage apps", "bbsync apply enables it")
	}
	return ok(name, "by the plugin %s, enabled", plugin.Version)
}

// hookChecks are those that need a word of each shared repository.
func (b *bitbucketFacts) hookChecks() []Check {
	const name = "webhook-hook"
	var out []Check
	fine := 0
	for _, h := range b.hooks {
		switch {
		case errors.Is(h.hook.err, bitbucket.ErrNotFound):
			out = append(out, failed(name, "no hook in "+h.repository, "the repository, or the plugin's hook in it, is not there", "correct the grant, or install the plugin again"))
		case h.hook.err != nil:
			out = append(out, undecided(name, h.hook.err))
		case !h.hook.value.Enabled:
			out = append(out, failed(name, "the plugin's hook is disabled in "+h.repository, "the plugin calls nobody from there", "bbsync apply enables it, and leaves its URL blank"))
		case h.urls.err != nil:
			out = append(out, undecided(name, h.urls.err))
		case len(h.urls.value) >= bitbucket.MaxHookURLs:
			out = append(out, failed(name, fmt.Sprintf("%s has %d hook URLs", h.repository, len(h.urls.value)),
				fmt.Sprintf("the plugin takes at most %d, so that a new workspace on it waits for ever", bitbucket.MaxHookURLs),
				"remove those of workspaces that are gone, in the repository's hook settings"))
		default:
			fine++
		}
	}
	if fine > 0 {
		out = append(out, ok(name, "enabled in %d repositories, with room for more URLs", fine))
	}
	return out
}

func (b *bitbucketFacts) rateLimit() Check {
	const name = "rate-limit"
	switch err := b.rate.err; {
	case errors.Is(err, bitbucket.ErrTooOld):
		return ok(name, "none that this version tells of")
	case err != nil:
		return undecided(name, err)
	case !b.rate.value.Enabled:
		return ok(name, "switched off")
	}
	return ok(name, "%d requests a second for each user, %d at once", b.rate.value.FillRate, b.rate.value.Capacity)
}
