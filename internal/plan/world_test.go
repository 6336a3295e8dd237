package plan_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
)

// A world is what the three systems hold of one connection. Key pairs are
// numbers: whoever holds the same number holds the two halves of one pair.
type world struct {
	traits
	files
	ticks int // names what is made next

	record    *recordKept
	behind    *recordKept // at the path that the record was moved from, until that is emptied
	elsewhere bool        // the record is still at the path of the address that the connection had before
	other     *neighbour  // nil: none
	old       *clientKept // on the Bitbucket that the connection relocates from; nil: none
	link      *linkKept
	consumers map[string]consumerKept // by key: Bitbucket keeps one that no link shows any more
	nameTaken bool                    // another link has the wanted name
	clients   []clientKept
	published map[int]string  // SSH pairs → Bitbucket user that has the public half
	granted   map[string]bool // by user

	workspaces  map[string]string // by name, the OAuth token's id
	unfetchable bool              // Terraform cannot fetch with the new token, until someone has seen it fail

	provenRSA int          // the pair that was last proven; 0: none since it changed
	provenSSH map[int]bool // SSH pairs that were proven
	ends      map[int]int  // SSH pair → hour from which Bitbucket does not accept it any more

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
	supplied  bool // the user brings the SSH keys, a new one whenever one is asked for
	relocates bool // from another Bitbucket
	expiring  bool // Bitbucket gives SSH keys 90 days
	sameToken bool // who authorizes again gets a token with the same id
	fragile   bool // a token dies when its client's keys change
	blind     bool // this Terraform cannot be asked which repositories it sees
	aging     bool // keys rotate by age
	telling   bool // Bitbucket tells when a key was used
}

// Files are what the configuration says of the connection, which people change.
type files struct {
	user    string // the service user
	protect bool
	leaves  bool // it is not described any more
	forget  bool // a removed block lets it go
	moved   bool // a moved block leads to it
	accepts bool // of a removal: as many workspaces as would be unlinked
}

// A neighbour is another connection of the fleet that uses an SSH key.
type neighbour struct {
	ssh         int
	described   bool // by the configuration
	planned     bool // in the same run
	compromised bool
}

type recordKept struct {
	user, ended      string // whose SSH keys it says they are; how the connection ended
	protected        bool
	movedFrom        bool     // it says that it took over the one at the other path
	moving           []string // workspaces of a wave that was begun
	movingFrom       string   // id of the OAuth token that they had
	key              string
	rsa, ssh         int
	token, refused   string
	linkID, clientID string

	pending, previous int // SSH
	set, left         int // hour that Terraform got the current key, and was given another than the previous
	compromised       map[int]bool
	before            int  // RSA: what both sides can go back to
	retired           bool // a key was dropped
	undestroyed       bool // and the versions that held it are not destroyed

	supplied         map[int]bool // SSH pairs that the user brought
	privateElsewhere map[int]bool // pairs whose private halves only Terraform has
	wasUsed          map[int]bool // SSH pairs that Terraform had before it was given another
	pairGone         int          // consumer's pair that is compromised; 0: none
	leftToken        string       // id of the token that the previous key was set on
	tokenMay         string       // id of the token that may hold the pending key

	olderSwitch bool // the pending key was switched to by a version that did not note it
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
	secondUser = "svc-second"

	beforeAddress = "connection.before"
	beforePath    = "corp/before"
	otherAddress  = "connection.other"
	otherPath     = "corp/other"
)

func (w *world) tick() int { w.ticks++; return w.ticks }

func (w world) clone() world {
	w.record, w.behind = w.record.clone(), w.behind.clone()
	if w.link != nil {
		w.link = new(*w.link)
	}
	if w.other != nil {
		w.other = new(*w.other)
	}
	if w.old != nil {
		w.old = new(*w.old)
	}
	w.consumers, w.published, w.granted = maps.Clone(w.consumers), maps.Clone(w.published), maps.Clone(w.granted)
	w.born, w.used, w.workspaces = maps.Clone(w.born), maps.Clone(w.used), maps.Clone(w.workspaces)
	w.provenSSH, w.ends = maps.Clone(w.provenSSH), maps.Clone(w.ends)
	w.clients = slices.Clone(w.clients)
	for i := range w.clients {
		if t := w.clients[i].token; t != nil {
			w.clients[i].token = new(*t)
		}
	}
	return w
}

func (r *recordKept) clone() *recordKept {
	if r == nil {
		return nil
	}
	out := *r
	out.compromised, out.supplied = maps.Clone(r.compromised), maps.Clone(r.supplied)
	out.privateElsewhere, out.wasUsed = maps.Clone(r.privateElsewhere), maps.Clone(r.wasUsed)
	return &out
}

func newWorld(t traits) world {
	w := world{
		traits: t, files: files{user: user},
		consumers: map[string]consumerKept{}, published: map[int]string{}, granted: map[string]bool{}, born: map[int]int{}, used: map[int]int{},
		provenSSH: map[int]bool{}, ends: map[int]int{}, workspaces: map[string]string{},
	}
	if t.relocates {
		w.old = &clientKept{id: "oc-old", name: "old", key: "old", token: &tokenKept{id: "ot-old"}}
		for _, name := range []string{"app", "net", "web", "www"} {
			w.workspaces[name] = w.old.token.id
		}
	}
	return w
}

func at(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }

func rsa(pair int) string { return fmt.Sprint("rsa-", pair) }
func ssh(pair int) string { return fmt.Sprint("ssh-", pair) }

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

// dropToken ends the token of a client: no workspace uses it any more.
func (w *world) dropToken(c *clientKept) {
	if c.token == nil {
		return
	}
	for name, id := range w.workspaces {
		if id == c.token.id {
			delete(w.workspaces, name)
		}
	}
	c.token = nil
}

// hasExpired reports whether Bitbucket accepts an SSH key no longer.
func (w world) hasExpired(pair int) bool {
	end, ok := w.ends[pair]
	return ok && w.hours >= end
}

// newToken gives a client another token. Workspaces follow it.
func (w *world) newToken(c *clientKept, t tokenKept) {
	t.id = fmt.Sprint("ot-", w.tick())
	for name, id := range w.workspaces {
		if c.token != nil && id == c.token.id {
			w.workspaces[name] = t.id
		}
	}
	c.token = &t
}
