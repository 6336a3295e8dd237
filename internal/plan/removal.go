package plan

import (
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
		out[i] = r.leave(l, have[i], used)
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
