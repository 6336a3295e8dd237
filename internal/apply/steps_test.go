package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/plan/plantest"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
)

const (
	serviceUser       = "svc"
	recordPath        = "corp/acme"
	linkURL           = "https://tfe.example/acme"
	acme              = `connection.team["acme"]`
	fingerprintOfHost = "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA"
	hostKey           = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
)

func target() plan.Target {
	return plan.Target{
		Address: acme, Fleet: "prod", Terraform: "tfe", TerraformURL: "https://tfe.example", Organization: "acme", Bitbucket: "corp",
		BitbucketURL: "https://bitbucket.example", LinkURL: linkURL, ServiceUser: serviceUser, UserID: 7, UserNames: []string{"Service"},
		Client: "Bitbucket", Record: recordPath,
	}
}

func consumer(name string) *record.Consumer {
	p := testKeys()[name]
	return &record.Consumer{Key: "ck-" + name, Private: p.Private, Public: p.Public, Fingerprint: p.Fingerprint, Created: began.Add(-time.Hour)}
}

func sshKey(name string) *record.SSHKey {
	p := testKeys()[name]
	return &record.SSHKey{Private: p.Private, Public: p.Public, Fingerprint: p.Fingerprint, Created: began.Add(-time.Hour)}
}

func print(name string) string { return testKeys()[name].Fingerprint }

// connected is a world in which the connection is complete: consumer A, SSH key K1.
func connected() *world {
	key := sshKey("K1")
	key.Published, key.Token, key.Set = began.Add(-time.Hour), "ot-new", began.Add(-time.Hour)
	r := described(record.Record{}, "prod", target())
	r.Consumer, r.SSH.Current, r.HostKeys = consumer("A"), key, []string{hostKey}
	r.Link, r.Client = &record.Link{ID: linkID(linkURL), URL: linkURL, Made: began.Add(-time.Hour)}, &record.OAuthClient{ID: "oc-1", Made: began.Add(-time.Hour)}
	w := empty()
	w.records = map[string]*stored{recordPath: {record: r, version: 3}}
	w.addLink("A")
	w.addSSHKey(serviceUser, 1, "K1")
	w.addClient("oc-1", "A", &tfe.Token{ID: "ot-new", User: serviceUser})
	w.tokenKeys["ot-new"] = "K1"
	return w
}

// empty is a world with nothing in it.
func empty() *world {
	return &world{
		records: map[string]*stored{}, leased: map[string]vault.LeasedError{}, links: map[string]bitbucket.Link{}, consumers: map[string]bitbucket.Consumer{},
		sshKeys: map[string][]bitbucket.SSHKey{}, pairs: map[string]string{}, tokenKeys: map[string]string{}, terraform: newTerraform(), hostKey: hostKey,
		repos: []string{"INFRA/vpc", "INFRA/dns"},
	}
}

func (w *world) record() *record.Record {
	if w.records[recordPath] == nil {
		w.records[recordPath] = &stored{record: described(record.Record{}, "prod", target()), version: 3}
	}
	return &w.records[recordPath].record
}

// addLink adds the connection's link with a consumer.
func (w *world) addLink(pair string) {
	id := linkID(linkURL)
	w.links[id] = bitbucket.Link{ID: id, Name: "Terraform", URL: linkURL}
	w.consumers[id] = bitbucket.Consumer{Key: "ck-" + pair, Name: "Terraform", PublicKey: testKeys()[pair].Public, Description: plan.OwnerMark("prod")}
}

func (w *world) addSSHKey(user string, id int, name string) {
	w.sshKeys[user] = append(w.sshKeys[user], bitbucket.SSHKey{ID: id, Line: testKeys()[name].Public, Label: "bbsync"})
}

func (w *world) addClient(id, pair string, token *tfe.Token) {
	w.clients = append(w.clients, tfe.OAuthClient{
		ID: id, Name: "Bitbucket", Key: "ck-" + pair, RSAPublicKey: testKeys()[pair].Public, ConnectURL: "https://tfe.example/connect/" + id,
		Created: began.Add(time.Duration(len(w.clients)-10) * time.Hour), Token: token,
	})
	w.pairs[id] = pair
}

// A stepCase is one step on one world.
type stepCase struct {
	step   plan.AnyStep
	world  func() *world // nil: connected
	before func(*world)
	target func(*plan.Target)
	opts   Options
	status Status   // "": Applied
	err    []string // parts of the error
	want   []string // changes of the world
	says   []string // warnings and proofs
	took   time.Duration
	undoes func(*world) // what the world is when the step failed and undid what it did; nil: it cannot
	once   bool         // carried out again, it does not succeed or does something else
}

func (c stepCase) make() *world {
	w := connected()
	if c.world != nil {
		w = c.world()
	}
	if c.before != nil {
		c.before(w)
	}
	return w
}

func (c stepCase) connection(w *world, steps ...plan.Step) plan.Connection {
	out := plan.Connection{Target: target()}
	if c.target != nil {
		c.target(&out.Target)
	}
	for _, s := range steps {
		out.Changes = append(out.Changes, plan.Change{Step: s})
	}
	if s := w.records[out.Record]; s != nil {
		out.Basis = record.Facts(s.record, 0).Basis()
	}
	return out
}

// carry carries steps out in a world.
func (c stepCase) carry(ctx context.Context, w *world, steps ...plan.AnyStep) Outcome {
	ctx, w.abort = context.WithCancel(ctx)
	defer w.abort()
	opts := c.opts
	opts.Holder = "me"
	opts.Progress = func(e Event) {
		if e.Kind == Warning {
			w.events = append(w.events, "warning: "+plain(e.Text))
		}
	}
	opts.Audit = func(d Deed) error {
		w.deeds = append(w.deeds, d)
		if d.Proof != "" {
			w.events = append(w.events, "proof: "+plain(d.Proof))
		}
		return nil
	}
	p := plan.Plan{Fleet: "prod"}
	if isShared(steps[0]) {
		b := plan.BitbucketPlan{Label: "corp"}
		for _, s := range only[plan.SharedStep](steps) {
			b.Changes = append(b.Changes, plan.SharedChange{Step: s})
		}
		p.Bitbuckets = []plan.BitbucketPlan{b}
		return run(ctx, w, p, opts).Bitbuckets[0]
	}
	p.Connections = []plan.Connection{c.connection(w, only[plan.Step](steps)...)}
	return run(ctx, w, p, opts).Connections[0]
}

// isShared reports whether a step belongs to a Bitbucket.
func isShared(s plan.AnyStep) bool {
	_, shared := s.(plan.SharedStep)
	return shared
}

// only returns steps that are all of one sort as such.
func only[S plan.AnyStep](steps []plan.AnyStep) []S {
	out := make([]S, len(steps))
	for i, s := range steps {
		out[i] = s.(S)
	}
	return out
}

// inBubble runs f by a clock of its own that begins at began, whose keys are there.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	testKeys()
	synctest.Test(t, f)
}

// TestSteps carries each step out on one world after another: the object is not
// there, is there already, is somebody else's, is gone, or the step was carried
// out in part.
func TestSteps(t *testing.T) {
	for name, c := range allSteps() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := c.make()
				before := w.show()
				out := c.carry(t.Context(), w, c.step)
				c.check(t, out)
				if took := time.Since(began); took != c.took {
					t.Errorf("took %s, want %s", took, c.took)
				}
				same(t, "changes", changes(before, w.show()), c.want)
				same(t, "says", w.events, c.says)
			})
		})
	}
}

func (c stepCase) check(t *testing.T, out Outcome) {
	t.Helper()
	want := c.status
	if want == "" {
		want = Applied
	}
	if out.Status != want {
		t.Errorf("status %s, want %s", out.Status, want)
	}
	if (out.Err == nil) != (c.err == nil) {
		t.Errorf("error %v", out.Err)
	}
	for _, part := range c.err {
		if !strings.Contains(plain(fmt.Sprint(out.Err)), part) {
			t.Errorf("error %v, want %s", out.Err, part)
		}
	}
}

func same(t *testing.T, what string, have, want []string) {
	t.Helper()
	have, want = slices.Clone(have), slices.Clone(want)
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("%s:\n have\n\t%s\n want\n\t%s", what, strings.Join(quoted(have), "\n\t"), strings.Join(quoted(want), "\n\t"))
	}
}

func quoted(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = "`" + l + "`,"
	}
	return out
}

// TestEveryStepIsTested reads which kinds of step there are: each has a case.
func TestEveryStepIsTested(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range allSteps() {
		tested[c.step.Type().Kind] = true
	}
	for _, kind := range slices.Concat(plantest.ConnectionKinds(t), plantest.SharedKinds(t)) {
		if !tested[kind] {
			t.Errorf("no case has a step of the kind %s", kind)
		}
	}
}
