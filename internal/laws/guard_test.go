package laws_test

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/terraformd"
	"github.com/bbsync/bbsync/schema"
)

// checks is held from setting the number of a law's cases until rapid has read
// it: laws run in parallel, and the number is one flag for all.
var checks sync.Mutex

// check runs a law on n drawn cases, or as many times that as asked for.
func check(t *testing.T, n int, law func(*rapid.T)) {
	t.Helper()
	checks.Lock()
	begun := sync.OnceFunc(checks.Unlock)
	defer begun()
	for name, value := range map[string]string{"rapid.checks": strconv.Itoa(n * *times), "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		begun()
		law(t)
	})
}

// A guard looks at the systems after every write to Terraform or Bitbucket:
// every key there that bbsync put there has its private half in Vault, and who
// could clone still can.
type guard struct {
	b *bed

	mu      sync.Mutex
	foreign map[string]bool            // fingerprints that people brought, or whose record people deleted
	able    map[string]string          // client that can clone → organization
	spaces  map[terraformd.Linked]bool // workspaces that can be fetched, whatever client they use
	sealed  map[string]bool            // what Vault had when it was sealed, and has until it is unsealed; nil: it is open
	faults  []string
	writes  int
	clones  int
	mayEnd  bool // connections are to go: who could clone need not
	moves   bool // workspaces change their client: each is looked at by itself

	// ends tells the OAuth clients that are to go; nil: none.
	ends func(terraformd.Connection) bool
}

func (b *bed) guard(t rapid.TB) *guard {
	t.Helper()
	return &guard{b: b, foreign: map[string]bool{}}
}

// begin takes what is there as given: people did it.
func (g *guard) begin(t rapid.TB) {
	t.Helper()
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	known := g.known()
	for _, fingerprint := range g.seen() {
		if !known[fingerprint] {
			g.foreign[fingerprint] = true
		}
	}
	g.able = map[string]string{}
	for _, c := range g.b.world.Terraform.Connections() {
		if c.Connected && !g.mayEnd && (g.ends == nil || !g.ends(c)) && g.b.world.Terraform.CanClone(g.b.t.Context(), c.Organization, c.Client) == nil {
			g.able[c.Client] = c.Organization
		}
	}
	g.spaces = map[terraformd.Linked]bool{}
	for _, w := range g.b.world.Terraform.Linked() {
		if g.follows(w) && g.b.world.Terraform.CanFetch(g.b.t.Context(), w.Organization, w.Workspace) == nil {
			w.Client = "" // it may change
			g.spaces[w] = true
		}
	}
	g.b.watch(g.look)
}

// follows reports whether a workspace is to be able to fetch throughout: in a
// relocation, where clients go and their workspaces stay.
func (g *guard) follows(w terraformd.Linked) bool {
	return g.moves && slices.ContainsFunc(g.b.fleet.Connections, func(c *schema.Connection) bool { return c.Organization == w.Organization })
}

// end fails for what was seen.
func (g *guard) end(t rapid.TB) {
	t.Helper()
	if g == nil {
		return
	}
	g.b.watch(nil)
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.faults) > 0 {
		t.Fatalf("after a write:\n%s", strings.Join(g.faults, "\n"))
	}
}

func (g *guard) look(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes++
	known := g.known()
	for where, fingerprint := range g.seen() {
		if !known[fingerprint] && !g.foreign[fingerprint] {
			g.faults = append(g.faults, fmt.Sprintf("%q: %s has key %s, whose private half is not in Vault", what, where, fingerprint))
		}
	}
	g.faults = append(g.faults, g.unnamed(what, known)...)
	for client, org := range g.able {
		err := g.b.world.Terraform.CanClone(g.b.t.Context(), org, client)
		if err != nil && strings.Contains(err.Error(), "ssh/1.0/settings") {
			continue // without a workspace the address is asked for first, signed; the two sides' pairs differ for a moment when they change
		}
		g.clones++
		if err != nil {
			g.faults = append(g.faults, fmt.Sprintf("%q: %s cannot clone any more: %v", what, org, err))
			delete(g.able, client)
		}
	}
	for w := range g.spaces {
		g.clones++
		if err := g.b.world.Terraform.CanFetch(g.b.t.Context(), w.Organization, w.Workspace); err != nil {
			g.faults = append(g.faults, fmt.Sprintf("%q: workspace %s of %s cannot be fetched any more: %v", what, w.Workspace, w.Organization, err))
			delete(g.spaces, w)
		}
	}
}

// seal notes what Vault has, which nobody can read while it is sealed.
func (g *guard) seal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = g.known()
}

func (g *guard) unseal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = nil
}

// known are the fingerprints of all keys in the records.
func (g *guard) known() map[string]bool {
	if g.sealed != nil {
		return g.sealed
	}
	out := map[string]bool{}
	for _, path := range g.b.paths {
		record := g.b.record(path)
		for field, value := range record {
			name, found := strings.CutSuffix(field, "fingerprint")
			private, _ := record[name+"private"].(string)
			if text, ok := value.(string); ok && found && private != "" {
				out[text] = true
			}
		}
	}
	return out
}

// unnamed tells, when an OAuth token was given a key of a record, of those whose
// client no record names: somebody who changes the client's consumer key would hide
// from bbsync that it holds the key.
func (g *guard) unnamed(what string, known map[string]bool) []string {
	if g.sealed != nil || what != "oauth token updated" {
		return nil
	}
	named := map[string]bool{}
	for _, path := range g.b.paths {
		id, _ := g.b.record(path)["client_id"].(string)
		named[id] = true
	}
	var faults []string
	for _, c := range g.b.world.Terraform.Connections() {
		if known[c.SSHKey] && !named[c.Client] {
			faults = append(faults, fmt.Sprintf("%q: client %s holds the SSH key %s, and no record names it", what, c.Client, c.SSHKey))
		}
	}
	return faults
}

// seen are the fingerprints of what the systems hold, by where.
func (g *guard) seen() map[string]string {
	out := map[string]string{}
	for _, server := range g.b.world.Bitbuckets {
		server.Inspect(func(st *bitbucketd.State) {
			for key, c := range st.Consumers {
				if fingerprint, err := keys.PublicFingerprint(c.PublicKey); err == nil {
					out["consumer "+key] = fingerprint
				}
			}
			for _, k := range st.SSHKeys {
				if fingerprint, err := keys.SSHFingerprint(k.Text); err == nil {
					out[fmt.Sprintf("SSH key %d of Bitbucket %s", k.ID, server.Version())] = fingerprint
				}
			}
		})
	}
	for _, c := range g.b.world.Terraform.Connections() {
		if c.Consumer != "" {
			out["the consumer's pair of client "+c.Client] = c.Consumer
		}
		if c.SSHKey != "" {
			out["the SSH key of client "+c.Client] = c.SSHKey
		}
	}
	return out
}
