package apply

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/record"
)

// testKeys are the key pairs of the tests by name: A, B and C are consumers', K1
// to K3 are for SSH.
var testKeys = sync.OnceValue(func() map[string]keys.Pair {
	var mu sync.Mutex
	var all sync.WaitGroup
	out := map[string]keys.Pair{}
	for _, name := range []string{"A", "B", "C", "K1", "K2", "K3"} {
		all.Go(func() {
			pair, err := keys.GenerateConsumer(keys.MinRSABits)
			if name[0] == 'K' {
				pair, err = keys.GenerateSSH(keys.MinRSABits, "")
			}
			if err != nil {
				panic(err)
			}
			mu.Lock()
			defer mu.Unlock()
			out[name] = pair
		})
	}
	all.Wait()
	return out
})

// nameOf returns the name of a fingerprint; "new" for that of any other pair.
func nameOf(fingerprint string) string {
	for name, pair := range testKeys() {
		if pair.Fingerprint == fingerprint {
			return name
		}
	}
	return "new"
}

// keyName returns the name of a private key.
func keyName(private string) string {
	for name, pair := range testKeys() {
		if pair.Private.Reveal() == private {
			return name
		}
	}
	if private == "" {
		return "-"
	}
	return "new"
}

// began is when the clock of every test begins.
var began = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// show lists what the world holds, a line for each thing.
func (w *world) show() []string {
	var out []string
	say := func(format string, args ...any) {
		out = append(out, strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " "))
	}
	for path, s := range w.records {
		for _, line := range showRecord(s.record) {
			say("%s: %s", path, line)
		}
	}
	for id, l := range w.links {
		c, ok := w.consumers[id]
		say("link %s %q", l.URL, l.Name)
		if ok {
			say("link's consumer: %s %s %q %q", c.Key, publicName(c.PublicKey), c.Name, c.Description)
		}
	}
	for id, c := range w.consumers {
		if _, linked := w.links[id]; !linked {
			say("orphaned consumer: %s", c.Key)
		}
	}
	for user, list := range w.sshKeys {
		for _, k := range list {
			say("SSH key of %s: %s %q%s", user, lineName(k.Line), k.Label, showDays(k))
		}
	}
	for _, c := range w.clients {
		say("client %s %q %s %s %s: %s %s, private %s%s", c.ID, c.Name, c.HTTPURL, c.APIURL, c.ServiceProvider, c.Key, publicName(c.RSAPublicKey), w.pairs[c.ID], showScope(c.OrganizationScoped, c.Projects, c.AgentPool))
	}
	for id, key := range w.tokenKeys {
		say("token %s has %s", id, key)
	}
	for _, space := range w.users {
		say("workspace %s uses %s", space.Name, w.token[space.ID])
	}
	out = append(out, w.other...)
	sort.Strings(out)
	return out
}

func showDays(k bitbucket.SSHKey) string {
	if k.ExpiryDays == 0 {
		return ""
	}
	return fmt.Sprintf(" for %d days", k.ExpiryDays)
}

func showScope(scoped *bool, projects []string, pool string) string {
	out := ""
	if scoped != nil {
		out += fmt.Sprintf(" scoped=%t", *scoped)
	}
	if len(projects) > 0 {
		out += fmt.Sprint(" ", projects)
	}
	if pool != "" {
		out += " " + pool
	}
	return out
}

func showRecord(r record.Record) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if about := described(r, "prod", target()); r.Fleet == "prod" && r.Address == acme && r.Terraform == about.Terraform && r.Organization == about.Organization && r.Bitbucket == about.Bitbucket && !r.Protected {
		say("described, user %s", r.ServiceUser)
	} else {
		say("of %q %s %s %s %s %s protected=%t", r.Fleet, r.Address, r.Terraform, r.Organization, r.Bitbucket, r.ServiceUser, r.Protected)
	}
	for c, role := r.Consumer, "consumer"; c != nil; c, role = c.Previous, "previous "+role {
		say("%s %s %s%s%s%s", role, generated.ReplaceAllString(c.Key, "generated"), showPair(c.Private.Reveal(), c.Public, c.Fingerprint), showTime("created", c.Created), showIf("brought", c.UserSupplied), showText("condemned", c.Compromised))
	}
	for role, k := range map[string]*record.SSHKey{"pending": r.SSH.Pending, "current": r.SSH.Current, "previous": r.SSH.Previous} {
		if k != nil {
			say("%s %s%s%s%s%s%s%s%s%s", role, showPair(k.Private.Reveal(), k.Public, k.Fingerprint), showTime("created", k.Created), showTime("published", k.Published), showText("token", k.Token),
				showTime("set", k.Set), showTime("proved", k.Proved), showTime("left", k.Left), showIf("brought", k.UserSupplied), showText("condemned", k.Compromised))
		}
	}
	if r.Link != nil {
		say("link %s %s%s", r.Link.URL, showTime("made", r.Link.Made), showIf("with another id", r.Link.ID != linkID(r.Link.URL)))
	}
	if r.Client != nil {
		say("client %s%s", r.Client.ID, showTime("made", r.Client.Made))
	}
	if a := r.Authorized; a != nil {
		say("authorized %s %s %d", a.Token, a.User, a.Account)
	}
	if x := r.Retired; x != nil {
		say("retired %s%s%s%s", nameOf(x.Fingerprint), showTime("at", x.At), showText("why", x.Why), showIf("destroyed", x.Destroyed))
	}
	if e := r.Tombstone; e != nil {
		say("ended %s%s%s", e.How, showText("to", e.To), showTime("at", e.At))
	}
	if m := r.Moving; m != nil {
		say("moving from %s to %s %v", m.From, m.To, m.Workspaces)
	}
	for what, text := range map[string]string{"refused token": r.RefusedToken, "moved from": r.MovedFrom, "host keys": strings.ReplaceAll(strings.Join(r.HostKeys, ", "), hostKey, "HK")} {
		if text != "" {
			say("%s %s", what, text)
		}
	}
	if r.Lease != nil {
		say("leased by %s", r.Lease.Holder)
	}
	return out
}

// showPair names a pair, and its halves when they differ.
func showPair(private, public, fingerprint string) string {
	name, half := nameOf(fingerprint), ""
	if strings.HasPrefix(public, "ssh-") {
		half = lineName(public)
	} else {
		half = publicName(public)
	}
	if keyName(private) != name || half != name {
		return fmt.Sprintf("%s (private %s, public %s)", name, keyName(private), half)
	}
	return name
}

func showTime(what string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf(" %s@%s", what, t.Sub(began))
}

func showText(what, text string) string {
	if text == "" {
		return ""
	}
	return " " + what + "=" + text
}

func showIf(what string, is bool) string {
	if !is {
		return ""
	}
	return " " + what
}

func linkID(url string) string {
	id, err := bitbucket.LinkID(url)
	if err != nil {
		panic(err)
	}
	return id
}

// generated matches the consumer keys that bbsync makes.
var generated = regexp.MustCompile(`^bbsync-[0-9a-f]{32}$`)

// plain puts names in place of fingerprints.
func plain(text string) string {
	for name, pair := range testKeys() {
		text = strings.ReplaceAll(text, pair.Fingerprint, name)
	}
	return strings.ReplaceAll(text, fingerprintOfHost, "HK")
}

// changes lists what differs between two lists of lines.
func changes(before, after []string) []string {
	var out []string
	for _, line := range before {
		if !slices.Contains(after, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			out = append(out, "+ "+line)
		}
	}
	return out
}

func lineName(line string) string {
	fingerprint, err := keys.SSHFingerprint(line)
	if err != nil {
		return line
	}
	return nameOf(fingerprint)
}

func publicName(pem string) string {
	fingerprint, err := keys.PublicFingerprint(pem)
	if err != nil {
		return "?"
	}
	return nameOf(fingerprint)
}
