package laws_test

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/sandbox/bitbucketd"
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
	foreign map[string]bool   // fingerprints that people brought, or whose record people deleted
	able    map[string]string // client that can clone → organization
	sealed  map[string]bool   // what Vault had when it was sealed, and has until it is unsealed; nil: it is open
	faults  []string
	writes  int
	clones  int
	mayEnd  bool // connections are to go: who could clone need not
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
		if c.Connected && !g.mayEnd && g.b.world.Terraform.CanClone(g.b.t.Context(), c.Organization, c.Client) == nil {
			g.able[c.Client] = c.Organization
		}
	}
	g.b.watch(g.look)
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
	for _, c := range g.b.fleet.Connections {
		record := g.b.record(c.Record)
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

// seen are the fingerprints of what the systems hold, by where.
func (g *guard) seen() map[string]string {
	out := map[string]string{}
	g.b.world.Bitbuckets[0].Inspect(func(st *bitbucketd.State) {
		for key, c := range st.Consumers {
			if fingerprint, err := keys.PublicFingerprint(c.PublicKey); err == nil {
				out["consumer "+key] = fingerprint
			}
		}
		for _, k := range st.SSHKeys {
			if fingerprint, err := keys.SSHFingerprint(k.Text); err == nil {
				out[fmt.Sprint("Bitbucket's SSH key ", k.ID)] = fingerprint
			}
		}
	})
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
