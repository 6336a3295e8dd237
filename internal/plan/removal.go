package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/schema"
)

// Removals are what a plan that removes connections goes by.
type Removals struct {
	Fleet       string
	Why         string               // as in "no file describes it"
	Asked       bool                 // these are to be destroyed, whatever the files describe: one that stays is refused
	Max         int                  // more connections are refused
	MaxAt       hcl.Range            // where the files say so
	AllowUnlink int                  // must be the number of workspaces, and others, that lose their OAuth client
	Affected    map[string]Affected  // by OAuth client's id
	Stay        []*schema.Connection // what the files describe and keeps: nothing of it is touched
	StayHave    []Have               // what was read of it
	Records     map[string]*Record   // all of the fleet, by path: what those use that do not go stays
	Emptied     int                  // records that the plan empties by moving them: they count as removals
	Moves       map[string]int       // workspaces that move before, by id of the OAuth client that they use
	Now         time.Time
}

// Plan returns one plan for each connection that leaves. have is in their
// order, and empty for those that are forgotten or cannot be reached. What is
// granted stays, as nobody knows who else needs it.
func (r Removals) Plan(leaving []Leaving, have []Have) []Connection {
	out := make([]Connection, len(leaving))
	used := r.inUse(leaving, have)
	for i, l := range leaving {
		d := &remover{Removals: r, used: used, differ: &differ{want: l.Want, have: have[i], now: r.Now}}
		out[i] = d.plan(l)
	}
	r.Emptied += inTurn(out, have)
	if r.Asked {
		r.refuseToFollow(out)
	}
	r.limit(out)
	for i := range out {
		if len(out[i].Blocks) > 0 {
			out[i].Changes = nil
		}
	}
	return out
}

// inTurn has records that hold one consumer key go one after the other, as a move
// that was cut off leaves them: what the first removes is not there for the next.
// It returns how many wait for another one.
func inTurn(out []Connection, have []Have) int {
	first, n := map[string]string{}, 0 // by consumer key, the address
	for i := range out {
		c, r := &out[i], have[i].Record
		if !removes(*c) || c.After != "" || r == nil || r.Consumer == nil {
			continue
		}
		if before, ok := first[r.Consumer.Key]; ok {
			c.After = before
			n++
			continue
		}
		first[r.Consumer.Key] = c.Address
	}
	return n
}

// refuseToFollow refuses connections that another one, which is not planned here,
// would have to go before.
func (r Removals) refuseToFollow(out []Connection) {
	for i := range out {
		c := &out[i]
		if c.After != "" && !slices.ContainsFunc(out, func(other Connection) bool { return other.Address == c.After }) {
			c.Blocks = append(c.Blocks, Block{
				Kind: Refused, At: c.At, Text: c.After + " takes its workspaces over and goes first",
				Remedy: "run bbsync apply --prune, which moves them and then removes this one",
			})
		}
	}
}

// A remover plans the removal of one connection, from Terraform to Vault: what
// uses a thing goes before the thing, and the keys go from Vault when no system
// knows them any more.
type remover struct {
	Removals
	*differ
	used map[string]bool
}

func (d *remover) plan(l Leaving) Connection {
	d.out = Connection{Target: target(d.Fleet, l.Want), At: l.Want.Range, Removal: true, Basis: l.Record.Basis()}
	d.out.Needs = nil
	if l.For != nil {
		d.Why = "its workspaces move to " + l.For.Address
		d.out.After = l.For.Address
		d.note(l.Want.Range, "begins when %s has come to its end", l.For.Address)
	}
	switch {
	case l.Forget:
		if d.have.Record = l.Record; !d.leased() && !d.contradiction() {
			d.add(ForgetRecord{}, d.reason("connection", "kept", "a removed block lets it go", ""))
		}
	case l.protected(d.have):
		d.stay(l.Want.Where("protect"), "protected: it is not removed; set protect = false and apply first")
	case l.Kept != "":
		d.block(Refused, l.Want.Range, l.Kept, "put the block back until the connection is removed, or write removed { from = ... } to leave all as it is")
	default:
		d.removal()
	}
	return d.out
}

// stay says why nothing of the connection is removed. That is a refusal where it
// was asked for by name, and no news where it only left the files.
func (d *remover) stay(at hcl.Range, format string, args ...any) {
	if d.Asked {
		d.block(Refused, at, fmt.Sprintf(format, args...), "")
		return
	}
	d.note(at, format, args...)
}

func (d *remover) removal() {
	for _, u := range d.have.Unread {
		d.block(Unreadable, d.want.Range, u.String(), "")
	}
	if len(d.out.Blocks) > 0 || d.leased() || d.contradiction() {
		return
	}
	record := d.have.Record
	if record == nil || record.Ended != "" || record.Deleted != "" {
		d.note(d.want.Range, "Vault has no record of it: whatever is there is not this fleet's")
		return
	}
	d.out.Basis = record.Basis()
	for i, c := range d.Stay {
		if d.StayHave[i].takesOver(d.want.Record) {
			d.stay(d.want.Range, "its record moves to %s: it is %s", c.Record, c.Address)
			return
		}
		if what := d.seenBy(c, d.StayHave[i]); what != "" {
			d.block(Refused, c.Range, fmt.Sprintf("%s is described on the same %s", c.Address, what),
				"if it is the same connection under another name, write a moved block; else give it a link and a name of its own")
			return
		}
	}
	// What the record of another connection alone knows of would be left behind. A
	// link on another URL is found, and goes.
	if !d.sameSystems() {
		return
	}
	if d.out.After == "" {
		d.followMove()
	}
	d.clients()
	d.applicationLink()
	d.sshKeys()
	d.add(RetireRecord{}, d.because("record in Vault", d.want.Record))
	d.note(d.want.Range, "what %s was granted on projects and repositories stays: others may need it", orNone(d.want.ServiceUser))
}

// takenOver reports whether a connection that stays has the link's consumer key and
// has given Terraform a key of its own: what this one alone knows of is in use by
// nobody.
func (d *remover) takenOver(stays Have) bool {
	r := stays.Record
	if r == nil || r.Consumer == nil || r.Current == nil || d.have.Consumer == nil || r.Consumer.Key != d.have.Consumer.Key {
		return false
	}
	return slices.ContainsFunc(stays.Clients, func(c Client) bool {
		return c.ID == r.ClientID && c.Token != nil && c.Token.HasSSHKey && c.Token.ID == r.Current.Token
	})
}

// followMove has the connection go after one that had begun to take workspaces
// from it, and may have to give them back: also when the files do not say any
// more that it takes them.
func (d *remover) followMove() {
	for i, h := range d.StayHave {
		if h.Record == nil || h.Record.Moving == nil {
			continue
		}
		back, stays := h.Record.Moving.back(d.have.Clients), d.Stay[i]
		if slices.ContainsFunc(d.have.Clients, func(c Client) bool { return c.ID == back && d.ownsClient(&c) }) {
			d.out.After = stays.Address
			d.note(d.want.Range, "begins when %s has come to its end: a run had begun to move workspaces to it from here", stays.Address)
			return
		}
	}
}

func (d *remover) because(what, live string) Reason { return d.reason(what, live, "none: "+d.Why, "") }

func (d *remover) clients() {
	for i := range d.have.Clients {
		c := &d.have.Clients[i]
		if !d.ownsClient(c) {
			continue
		}
		if d.used[c.ID] || d.used[c.Key] {
			d.keep("OAuth client " + c.ID)
			continue
		}
		hit := d.stillUnlinked(c.ID)
		d.out.Client = c.Name
		d.others(c.ID, hit)
		d.add(DeleteClient{ID: c.ID, Name: c.Name, Why: d.Why, Unlinks: hit.Count, Workspaces: hit.Names, Others: hit.Others},
			d.because("OAuth client", c.ID))
	}
}

// applicationLink removes the link when its consumer is ours, or when it is
// ours and has none.
func (d *remover) applicationLink() {
	if old := d.oldLink(); old != nil && d.used[old.ConsumerKey] {
		d.keep(fmt.Sprintf("application link %q", old.Link.Name))
	} else if old != nil {
		d.add(DeleteLink{URL: old.Link.URL, Name: old.Link.Name, ConsumerKey: old.ConsumerKey}, d.because("application link", old.Link.URL))
	}
	link, consumer, record := d.have.Link, d.have.Consumer, d.have.Record
	switch {
	case link == nil:
	case consumer == nil && record.LinkID == link.ID:
		d.add(DeleteLink{URL: link.URL, Name: link.Name}, d.because("application link", link.URL))
	case consumer == nil || record.Consumer == nil || consumer.Key != record.Consumer.Key:
		d.note(d.want.Range, "application link %q on %s stays: its consumer is not this connection's", link.Name, link.URL)
	case d.used[consumer.Key]:
		d.keep(fmt.Sprintf("application link %q", link.Name))
	default:
		d.add(DeleteLink{URL: link.URL, Name: link.Name, ConsumerKey: consumer.Key}, d.because("application link", link.URL))
	}
}

func (d *remover) sshKeys() {
	r := d.have.Record
	if d.want.ServiceUser == "" {
		d.warn(d.want.Range, "the record does not say who the service user is: its SSH keys on Bitbucket stay")
	}
	for _, k := range []*Key{r.Pending, r.Current, r.Previous} {
		if k == nil {
			continue
		}
		switch {
		case !d.published(k.Fingerprint):
		case d.used[k.Fingerprint]:
			d.keep("SSH key " + k.Fingerprint)
		case k.Unheld:
			d.note(d.want.Range, "SSH key %s was made by hand and stays: delete it on Bitbucket when nobody uses it any more", k.Fingerprint)
		default:
			gone := d.deletion(k.Fingerprint)
			d.add(gone, d.because("SSH key of "+cmp.Or(gone.User, d.want.ServiceUser), k.Fingerprint))
		}
	}
}

func (d *remover) keep(what string) {
	d.note(d.want.Range, "%s stays: a connection that stays uses it", what)
}

// limit refuses what goes beyond what was allowed. A fleet that could not be
// read whole removes nothing: what stays might use what would go, and of what
// goes the numbers that the user accepts must be all.
func (r Removals) limit(out []Connection) {
	text, remedy, at := r.overLimit(out)
	all := unlinked(out)
	for i := range out {
		c := &out[i]
		if !removes(*c) {
			continue
		}
		if text != "" {
			c.Blocks = append(c.Blocks, Block{Kind: Refused, At: at, Text: text, Remedy: remedy})
			continue
		}
		if unlinked([]Connection{*c}).total() > 0 && all.total() != r.AllowUnlink {
			c.Blocks = append(c.Blocks, Block{
				Kind: Refused, At: c.At,
				Text:   "removing these connections would " + all.String(),
				Remedy: fmt.Sprintf("move them to another connection first, or run with --allow-unlink=%d to accept that", all.total()),
			})
		}
	}
}

func (r Removals) overLimit(out []Connection) (text, remedy string, at hcl.Range) {
	for i, h := range r.StayHave {
		if len(h.Unread) > 0 {
			return fmt.Sprintf("nothing is removed while the fleet cannot be read whole: %s: %s", r.Stay[i].Address, h.Unread[0]),
				"run again when everything answers", r.Stay[i].Range
		}
		if h.Record != nil && h.Record.Contradiction != nil {
			return fmt.Sprintf("nothing is removed while it is not known which keys the fleet uses: %s: %s", r.Stay[i].Address, h.Record.Contradiction.Text),
				h.Record.Contradiction.Remedy, r.Stay[i].Range
		}
	}
	for _, c := range out {
		if c.State() == StateUnreadable {
			return fmt.Sprintf("nothing is removed while not all that would go can be read: %s: %s", c.Address, c.Blocks[0].Text),
				"run again when everything answers, or name those to destroy", c.At
		}
	}
	n := r.Emptied + number[RetireRecord](slices.DeleteFunc(slices.Clone(out), func(c Connection) bool { return c.After != "" }))
	if n <= r.Max {
		return "", "", at
	}
	return fmt.Sprintf("this would remove %d connections (%d OAuth clients, %d application links, %d SSH keys), and max_removals is %d",
			n, number[DeleteClient](out), number[DeleteLink](out), number[DeleteSSHKey](out), r.Max),
		fmt.Sprintf("look whether a file or a line is missing; if not, run with --max-removals %d, or raise max_removals in the bbsync block", n), r.MaxAt
}

// Removals returns the addresses of the connections that the plan removes.
func (p Plan) Removals() []string {
	var out []string
	for _, c := range p.Connections {
		if len(c.Blocks) == 0 && removes(c) {
			out = append(out, c.Address)
		}
	}
	return out
}

func removes(c Connection) bool { return number[RetireRecord]([]Connection{c}) > 0 }

// number counts the steps of a kind.
func number[S Step](connections []Connection) int {
	n := 0
	for _, c := range connections {
		for _, s := range c.Steps() {
			if _, ok := s.(S); ok {
				n++
			}
		}
	}
	return n
}

// OwnClients returns the OAuth clients that are the connection's.
func OwnClients(want *schema.Connection, have Have) []Client {
	d := &differ{want: want, have: have}
	var own []Client
	for i := range have.Clients {
		if d.ownsClient(&have.Clients[i]) {
			own = append(own, have.Clients[i])
		}
	}
	return own
}
