package plan_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// A world is what the three systems hold of one connection. Key pairs are
// numbers: whoever holds the same number holds the two halves of one pair.
type world struct {
	traits
	ticks int // names what is made next

	record    *recordKept
	link      *linkKept
	consumers map[string]consumerKept // by key: Bitbucket keeps one that no link shows any more
	nameTaken bool                    // another link has the wanted name
	clients   []clientKept
	published map[int]bool // SSH pairs of the service user
	granted   bool

	provenRSA int          // the pair that was last proven; 0: none since it changed
	provenSSH map[int]bool // SSH pairs that were proven
	expired   map[int]bool // SSH pairs that Bitbucket does not accept any more

	hours int           // since noon
	born  map[int]int   // pair → hour it was made
	used  map[int]int   // SSH pair → hour of the last login that was not bbsync's
	asked plan.Rotation // of the next plan

	interrupted bool // an apply did not come to its end
}

// Traits do not change: what nobody documents, and what the files say.
type traits struct {
	adopt     bool
	brought   bool // the user brings the consumer's pair
	sameToken bool // who authorizes again gets a token with the same id
	fragile   bool // a token dies when its client's keys change
	blind     bool // this Terraform cannot be asked which repositories it sees
	aging     bool // keys rotate by age
	telling   bool // Bitbucket tells when a key was used
}

type recordKept struct {
	key              string
	rsa, ssh         int
	token, refused   string
	linkID, clientID string

	pending, previous int // SSH
	set, left         int // hour that Terraform got the current key, and was given another than the previous
	condemned         map[int]bool
	before            int // RSA: what both sides can go back to
	undestroyed       bool

	unheld   map[int]bool // pairs whose private halves only Terraform has
	wasUsed  map[int]bool // SSH pairs that Terraform had before it was given another
	pairGone int          // consumer's pair that is condemned; 0: none
	tokenMay string       // id of the token that may hold the pending key
}

type linkKept struct{ name, key string } // key: of the consumer that it shows

type consumerKept struct {
	rsa        int
	name, mark string
}

type clientKept struct {
	id, name, key string
	rsa           int
	scoped        bool
	projects      []string
	token         *tokenKept
}

type tokenKept struct {
	id, user string
	ssh      int // 0: no key
	dead     bool
}

const (
	linkID     = "link-1" // Bitbucket derives it from the URL
	theirKey   = "their-key"
	theirPair  = 1000
	theDefault = "Bitbucket (corp)"
)

func (w *world) tick() int { w.ticks++; return w.ticks }

func (w world) clone() world {
	if w.record != nil {
		w.record = new(*w.record)
		w.record.condemned = maps.Clone(w.record.condemned)
		w.record.unheld, w.record.wasUsed = maps.Clone(w.record.unheld), maps.Clone(w.record.wasUsed)
	}
	if w.link != nil {
		w.link = new(*w.link)
	}
	w.consumers, w.published = maps.Clone(w.consumers), maps.Clone(w.published)
	w.born, w.used = maps.Clone(w.born), maps.Clone(w.used)
	w.provenSSH, w.expired = maps.Clone(w.provenSSH), maps.Clone(w.expired)
	w.clients = slices.Clone(w.clients)
	for i := range w.clients {
		if t := w.clients[i].token; t != nil {
			w.clients[i].token = new(*t)
		}
	}
	return w
}

func newWorld(t traits) world {
	return world{
		traits: t, consumers: map[string]consumerKept{}, published: map[int]bool{}, born: map[int]int{}, used: map[int]int{},
		provenSSH: map[int]bool{}, expired: map[int]bool{},
	}
}

// want is what the files ask for in this world.
func (w world) want() *schema.Connection {
	want := aConnection()
	want.Adopt = w.adopt
	if w.brought {
		want.Consumer.Key, want.Consumer.Private = theirKey, &schema.SecretRef{Env: "THEIRS"}
	}
	want.SSHKey.Overlap = 24 * time.Hour
	if w.aging {
		want.SSHKey.RotateAfter, want.Consumer.RotateAfter = 90*24*time.Hour, 365*24*time.Hour
	}
	return want
}

// plan reads the world and plans.
func (w world) plan() plan.Plan {
	want := w.want()
	have := w.read()
	shared := *have.Bitbucket
	return plan.Make(&schema.Fleet{Name: fleet, Bitbuckets: []*schema.Bitbucket{want.Bitbucket}}, []*schema.Connection{want},
		[]plan.Have{have}, map[string]plan.Bitbucket{"corp": shared}, plan.Options{Now: at(w.hours), Rotate: w.asked})
}

func at(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }

func rsa(pair int) string { return fmt.Sprint("rsa-", pair) }
func ssh(pair int) string { return fmt.Sprint("ssh-", pair) }

// read returns what bbsync would read of the world.
func (w world) read() plan.Have {
	have := nothing()
	have.Bitbucket.Granted = map[plan.GrantPermission]bool{vpcAdmin: w.granted}
	have.Bitbucket.KeyUsage = w.telling
	have.NameTaken = w.nameTaken
	have.Keys = map[string]plan.SSHKey{}
	for pair := range w.published {
		key := plan.SSHKey{ID: pair, Fingerprint: ssh(pair)}
		if hour, ok := w.used[pair]; ok && w.telling {
			key.LastUsed = at(hour)
		}
		if w.expired[pair] {
			key.Expires = at(w.hours - 1)
		}
		have.Keys[ssh(pair)] = key
	}
	if w.link != nil {
		have.Link = &plan.Link{ID: linkID, Name: w.link.name, URL: linkURL, Type: "generic"}
		if c, ok := w.consumers[w.link.key]; ok {
			have.Consumer = &plan.Consumer{Key: w.link.key, Name: c.name, Description: c.mark, Fingerprint: rsa(c.rsa)}
		}
	}
	for i, c := range w.clients {
		have.Clients = append(have.Clients, w.readClient(i, c, &have))
	}
	have.Record = w.readRecord()
	return have
}

func (w world) readClient(i int, c clientKept, have *plan.Have) plan.Client {
	out := plan.Client{
		ID: c.id, Name: c.name, Key: c.key, Fingerprint: rsa(c.rsa), HTTPURL: "https://bitbucket.example/git", APIURL: "https://bitbucket.example",
		ServiceProvider: "bitbucket_data_center", Scoped: c.scoped, Projects: c.projects, Created: noon.Add(time.Duration(i) * time.Minute),
	}
	if t := c.token; t != nil {
		out.Token = &plan.Token{ID: t.id, User: t.user, HasSSHKey: t.ssh != 0}
		have.TokenDead = have.TokenDead || !w.blind && w.record != nil && w.record.refused == t.id && !w.works(c)
	}
	return out
}

func (w world) readRecord() *plan.Record {
	r := w.record
	if r == nil {
		return nil
	}
	out := &plan.Record{LinkID: r.linkID, ClientID: r.clientID, RefusedToken: r.refused}
	if r.rsa != 0 {
		out.Consumer = &plan.ConsumerKey{Key: r.key, Fingerprint: rsa(r.rsa), Created: at(w.born[r.rsa]), Brought: r.rsa == theirPair, Unheld: r.unheld[r.rsa]}
		if r.pairGone == r.rsa {
			out.Consumer.Condemned = "stolen"
		}
		if r.before != 0 {
			out.Consumer.Previous = rsa(r.before)
			if r.pairGone == r.before {
				out.Consumer.PreviousCondemned = "stolen"
			}
		}
	}
	out.Pending, out.Current, out.Previous = w.readKey(r.pending), w.readKey(r.ssh), w.readKey(r.previous)
	if out.Current != nil && r.token != "" {
		out.Current.Token, out.Current.Set, out.Current.Proved = r.token, at(r.set), at(r.set)
	}
	if out.Pending != nil {
		out.Pending.Token = r.tokenMay
	}
	if out.Previous != nil {
		out.Previous.Left = at(r.left)
	}
	if r.undestroyed {
		out.Retired = &plan.RetiredKey{Fingerprint: "retired"}
	}
	return out
}

func (w world) readKey(pair int) *plan.Key {
	if pair == 0 {
		return nil
	}
	out := &plan.Key{Fingerprint: ssh(pair), Created: at(w.born[pair]), Unheld: w.record.unheld[pair]}
	if w.record.wasUsed[pair] {
		out.Left = noon
	}
	if w.record.condemned[pair] {
		out.Condemned = "stolen"
	}
	return out
}

// handshake reports whether Bitbucket accepts what the client signs.
func (w world) handshake(c clientKept) bool {
	consumer, ok := w.consumers[c.key]
	return ok && consumer.rsa == c.rsa
}

func (w world) works(c clientKept) bool { return c.token != nil && !c.token.dead && w.handshake(c) }

// ours returns the client that apply would act on: the one that the record
// names, else one with its consumer key.
func (w *world) ours() (*clientKept, error) {
	var byKey *clientKept
	for i := range w.clients {
		c := &w.clients[i]
		switch {
		case w.record.clientID == c.id:
			return c, nil
		case w.record.key == c.key && (byKey == nil || c.token != nil):
			byKey = c
		}
	}
	if byKey == nil {
		return nil, errors.New("no OAuth client")
	}
	return byKey, nil
}

// dropConsumer forgets a consumer, and with it every token it was given.
func (w *world) dropConsumer(key string) {
	delete(w.consumers, key)
	for i := range w.clients {
		if t := w.clients[i].token; t != nil && w.clients[i].key == key {
			t.dead = true
		}
	}
}
