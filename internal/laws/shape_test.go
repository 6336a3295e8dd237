package laws_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/terraformd"
	"github.com/bbsync/bbsync/schema"
)

// A shape is what there is of a fleet, without the names that are made up on the
// way: equal shapes are as good as each other.
type shape struct {
	clients, links, consumers, unlinked int // unlinked: consumers that no link shows
	strangers                           int // clients that nothing tells to be the fleet's, as when people deleted the record, too
	userKeys                            int
	hooks                               int // webhooks in repositories
	strayed                             int // workspaces whose client is of no connection that the files describe
	leftKeys                            int // private keys in all versions of other records
	connections                         []connectionShape
}

type connectionShape struct {
	client, sameConsumer, sameSSH, published, authorized, leased bool
	pending, previous, moving                                    bool
}

func (b *bed) shape(t rapid.TB) shape {
	t.Helper()
	out := shape{}
	published := map[string]bool{}
	for _, server := range b.world.Bitbuckets {
		server.Inspect(func(st *bitbucketd.State) { out.addBitbucket(st, published) })
	}
	live := b.world.Terraform.Connections()
	records := b.records(t)
	for _, c := range live {
		if ours(records, c.ConsumerKey) {
			out.clients++
		} else {
			out.strangers++
		}
	}
	for _, c := range b.fleet.Connections {
		out.connections = append(out.connections, shapeOf(records[c.Record], c.Organization, live, published))
	}
	out.strayed, out.leftKeys = b.strayed(records), b.leftKeys(t)
	return out
}

// addBitbucket counts what one of them has.
func (s *shape) addBitbucket(st *bitbucketd.State, published map[string]bool) {
	s.links, s.consumers = s.links+len(st.Links), s.consumers+len(st.Consumers)
	shown := map[string]bool{}
	for _, l := range st.Links {
		shown[l.Consumer] = true
	}
	for key := range st.Consumers {
		if !shown[key] {
			s.unlinked++
		}
	}
	for _, k := range st.SSHKeys {
		s.userKeys++
		published[strings.Join(strings.Fields(k.Text)[:2], " ")] = true
	}
	for _, p := range st.Projects {
		for _, r := range p.Repos {
			s.hooks += len(r.Webhooks)
		}
	}
}

// strayed counts the workspaces that no described connection serves.
func (b *bed) strayed(records map[string]map[string]any) int {
	ours, n := map[any]bool{}, 0
	for _, c := range b.fleet.Connections {
		ours[records[c.Record]["client_id"]] = true
	}
	for _, w := range b.world.Terraform.Linked() {
		if !ours[w.Client] {
			n++
		}
	}
	return n
}

// leftKeys counts the private keys in records that the files ask for no more.
func (b *bed) leftKeys(t rapid.TB) int {
	t.Helper()
	n := 0
	for _, path := range b.paths {
		if !slices.ContainsFunc(b.fleet.Connections, func(c *schema.Connection) bool { return c.Record == path }) {
			n += b.keysAt(t, path)
		}
	}
	return n
}

// keysAt counts the private keys in all versions of a record.
func (b *bed) keysAt(t rapid.TB, path string) int {
	t.Helper()
	if b.record(path) == nil {
		return 0
	}
	n, kv := 0, b.vault.Root.KVv2(mount)
	versions, err := kv.GetVersionsAsList(b.t.Context(), folder+path)
	b.must(t, err)
	for _, v := range versions {
		if v.Destroyed {
			continue
		}
		have, err := kv.GetVersion(b.t.Context(), folder+path, v.Version)
		b.must(t, err)
		for field, value := range have.Data {
			if strings.HasSuffix(field, "private") && value != "" {
				n++
			}
		}
	}
	return n
}

func shapeOf(record map[string]any, org string, live []terraformd.Connection, published map[string]bool) connectionShape {
	text := func(key string) string { s, _ := record[key].(string); return s }
	out := connectionShape{
		leased: leased(text("lease_nonce"), text("lease_expires")), pending: text("ssh_pending_fingerprint") != "", previous: text("ssh_previous_fingerprint") != "",
		moving: text("moving_workspaces") != "",
	}
	if line := strings.Fields(text("ssh_current_public")); len(line) > 1 {
		out.published = published[line[0]+" "+line[1]]
	}
	for _, c := range live {
		if c.Organization != org || c.Client != text("client_id") {
			continue
		}
		out.client = true
		out.sameConsumer = c.Consumer == text("consumer_fingerprint") && c.ConsumerKey == text("consumer_key")
		out.sameSSH, out.authorized = c.SSHKey == text("ssh_current_fingerprint"), c.Connected && c.User == sandbox.ServiceUser
	}
	return out
}

// ours reports whether a record has the consumer key.
func ours(records map[string]map[string]any, key string) bool {
	for _, record := range records {
		if record["consumer_key"] == key {
			return true
		}
	}
	return false
}

// leased reports whether somebody has a lease; one that a dead process left, and
// nobody had to write over, is none.
func leased(nonce, expires string) bool {
	until, err := time.Parse(time.RFC3339Nano, expires)
	return nonce != "" && (err != nil || time.Now().Before(until))
}

// wellMade fails unless all is there once, fits together, and works.
func (b *bed) wellMade(t rapid.TB, s shape) {
	t.Helper()
	for i, c := range s.connections {
		want := connectionShape{client: true, sameConsumer: true, sameSSH: true, published: true, authorized: true}
		if c != want {
			t.Fatalf("%s is in sync, and this is not as it should be: %+v", b.fleet.Connections[i].Address, c)
		}
	}
	if n := len(s.connections); s.links != n || s.clients != n {
		t.Fatalf("%d links and %d clients for %d connections", s.links, s.clients, n)
	}
	records := b.records(t)
	for _, c := range b.world.Terraform.Connections() {
		if !ours(records, c.ConsumerKey) {
			continue
		}
		if err := b.world.Terraform.CanClone(b.t.Context(), c.Organization, c.Client); err != nil {
			t.Fatalf("%s is in sync, and Terraform cannot clone: %v", c.Organization, err)
		}
	}
}
