package laws_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/sandbox"
	"github.com/bbsync/bbsync/internal/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/internal/sandbox/terraformd"
	"github.com/bbsync/bbsync/schema"
)

const maxRounds = 8

// converge applies, and has people authorize, until the plan is empty, and
// returns how often it applied. Where the plan refuses to touch what is not the
// fleet's, the user says adopt. A nil guard looks at nothing.
func (b *bed) converge(t rapid.TB, g *guard) int {
	t.Helper()
	adopt := false
	for round := range maxRounds {
		g.begin(t)
		planned, result, err := b.applyOnce(b.t.Context(), adopt)
		g.end(t)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if inSync(planned) {
			return round
		}
		adopted := adopt
		for _, c := range planned.Connections {
			switch s := c.State(); {
			case s == plan.StateRefused && !adopted:
				adopt = true
			case s == plan.StateUnreadable, s == plan.StateLeased, s == plan.StateRefused:
				t.Fatalf("round %d: %s is %s: %v", round, c.Address, s, c.Blocks)
			}
		}
		b.peopleFollow(t, result)
	}
	t.Fatalf("still not in sync after %d rounds:\n%s", maxRounds, b.leftOver())
	return 0
}

// applyOnce is one bbsync apply.
func (b *bed) applyOnce(ctx context.Context, adopt bool) (plan.Plan, apply.Result, error) {
	p, err := b.start(ctx)
	if err != nil {
		return plan.Plan{}, apply.Result{}, err
	}
	defer p.sys.Close()
	p.adopt = adopt
	return p.apply(ctx)
}

// peopleFollow does what a result asks of people, and takes no failure of a
// connection: no server misbehaves here.
func (b *bed) peopleFollow(t rapid.TB, result apply.Result) {
	t.Helper()
	for _, o := range append(result.Bitbuckets, result.Connections...) {
		switch o.Status {
		case apply.Broken, apply.NotRun, apply.Stale, apply.Later:
			t.Fatalf("%s: %s: %v\nleft: %v", o.Address, o.Status, o.Err, o.Left)
		case apply.Waiting:
			if _, err := b.someone(t).Approve(b.t.Context(), o.Wait.URL, sandbox.ServiceUser); err != nil {
				t.Fatalf("authorizing %s at %s: %v", o.Address, o.Wait.URL, err)
			}
		case apply.Applied, apply.Unchanged, apply.Blocked:
		default:
			t.Fatalf("%s ended as %s", o.Address, o.Status)
		}
	}
}

func inSync(p plan.Plan) bool {
	for _, b := range p.Bitbuckets {
		if b.State() != plan.StateInSync {
			return false
		}
	}
	for _, c := range p.Connections {
		if c.State() != plan.StateInSync {
			return false
		}
	}
	return true
}

func (b *bed) leftOver() string {
	p, err := b.start(b.t.Context())
	if err != nil {
		return err.Error()
	}
	defer p.sys.Close()
	planned, err := p.plan(b.t.Context(), b.fleet.Connections, true)
	if err != nil {
		return err.Error()
	}
	var out strings.Builder
	for _, c := range planned.Connections {
		for _, change := range c.Changes {
			fmt.Fprintf(&out, "%s: %s %v\n", c.Address, change.Step, change.Because)
		}
		fmt.Fprintln(&out, c.Blocks)
	}
	return out.String()
}

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
	pending, previous                                            bool
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

// states brings a bed to each of the states that the laws begin at: nothing is
// there, a person is waited for, all is connected and used.
func (b *bed) states(t *testing.T) map[string]snapshot {
	t.Helper()
	out := map[string]snapshot{"nothing": b.save(t)}
	_, result, err := b.applyOnce(b.t.Context(), false)
	b.must(t, err)
	out["waiting"] = b.save(t)
	b.peopleFollow(t, result)
	b.converge(t, nil)
	for _, c := range b.fleet.Connections {
		_, err := b.someone(t).CreateWorkspace(b.t.Context(), c.Organization, "network", "INFRA/vpc")
		b.must(t, err)
	}
	out["connected"] = b.save(t)
	return out
}

// stateNames are in the order in which rapid prefers the simpler.
func stateNames() []string { return []string{"connected", "waiting", "nothing"} }

// disturb has people do what they do behind bbsync's back. What cannot be done
// in this state is not done.
func (b *bed) disturb(t rapid.TB, name, org string) error {
	return b.someone(t).Break(b.t.Context(), name, org)
}

// breakages are those that bbsync mends, or mends after a word of the user.
func breakages() []string {
	return []string{
		"rename-link", "rename-client", "delete-link", "delete-client", "change-consumer-key", "change-consumer-public-key",
		"change-client-key", "revoke-token", "remake-token", "wrong-user", "delete-ssh-keys", "revoke-grants", "group-grant",
		"foreign-link", "delete-record",
	}
}

// TestConvergence: from whatever state people leave the systems in, applying
// and authorizing ends with an empty plan, with everything there once, and with
// a Terraform that can clone.
func TestConvergence(t *testing.T) {
	t.Parallel()
	kinds := map[string]kind{
		"token kept":         {orgs: 1, terraform: terraformd.Choices{KeepTokenOnReconnect: true}},
		"token remade":       {orgs: 1, bitbucket: bitbucketd.Options{ShortPages: true}},
		"tokens are fragile": {orgs: 1, bitbucket: bitbucketd.Options{DropTokensOnKeyChange: true}},
		"two organizations":  {orgs: 2},
	}
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, k)
			states := b.states(t)
			cases, edits, applies, writes, clones := 0, map[string]int{}, 0, 0, 0
			check(t, 25, func(t *rapid.T) {
				cases++
				b.restore(t, states[rapid.SampledFrom(stateNames()).Draw(t, "state")])
				g := b.guard(t)
				for range rapid.IntRange(0, 4).Draw(t, "edits") {
					what := rapid.SampledFrom(breakages()).Draw(t, "edit")
					org := sandbox.OrgName(rapid.IntRange(1, k.orgs).Draw(t, "org"))
					if err := b.disturb(t, what, org); err == nil {
						edits[what]++
					}
					if rapid.IntRange(0, 3).Draw(t, "apply between") == 0 {
						g.begin(t)
						_, result, err := b.applyOnce(b.t.Context(), false)
						if err != nil {
							t.Fatal(err)
						}
						g.end(t)
						applies++
						b.peopleFollow(t, result)
					}
				}
				applies += b.converge(t, g)
				b.wellMade(t, b.shape(t))
				writes, clones = writes+g.writes, clones+g.clones
			})
			t.Logf("%d cases, %d applies, edits %v; after %d writes %d clones were tried", cases, applies, edits, writes, clones)
		})
	}
}
