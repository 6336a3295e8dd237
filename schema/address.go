package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// An address is what moved and removed blocks refer to: an instance, or a block
// with all its instances.
type address struct {
	block string
	key   string
	keyed bool
}

func (a address) String() string {
	if a.keyed {
		return Address(a.block, a.key)
	}
	return "connection." + a.block
}

// Covers reports whether the removal speaks of the connection with the address.
func (r Removed) Covers(address string) bool {
	return address == r.From || !strings.HasSuffix(r.From, "]") && strings.HasPrefix(address, r.From+"[")
}

// A move is a moved block.
type move struct {
	from, to address
	v        view
}

// addresses checks moved and removed blocks against the connections.
func (l *loader) addresses() {
	moves, order := l.moves()
	for _, from := range order {
		m := moves[from]
		if l.exists(m.from) && m.from == m.to { // the record alone is at another path
			l.expandMove(m, m.to)
			continue
		}
		if l.exists(m.from) {
			m.v.fail("from", ruleMoved, "Moved away, and still there",
				fmt.Sprintf("%s is said to have moved, and is still in the files at %s.", m.from, place(l.blocks[m.from.block].n.at())), "remove the moved block, or the connection")
			continue
		}
		if to, ok := l.destination(m, moves); ok {
			l.expandMove(m, to)
		}
	}
	for _, n := range l.top["removed"] {
		l.removed(n, moves)
	}
}

// moves returns the moves by where they lead from, and their order.
func (l *loader) moves() (moves map[address]move, order []address) {
	moves = map[address]move{}
	for _, n := range l.top["moved"] {
		v := l.view(n, l.base)
		from, ok1 := v.address("from", ruleMoved)
		to, ok2 := v.address("to", ruleMoved)
		if !ok1 || !ok2 {
			continue
		}
		if first, twice := moves[from]; twice {
			v.fail("from", ruleMoved, "Moved twice", fmt.Sprintf("%s moves to %s at %s already.", from, first.to, place(first.v.n.at())), "")
			continue
		}
		if i := slices.IndexFunc(order, func(a address) bool { return moves[a].to == to && a != to && from != to }); i >= 0 {
			v.fail("to", ruleMoved, "Two moves to one address", fmt.Sprintf("%s moves to %s already.", order[i], to), "")
			continue
		}
		moves[from] = move{from: from, to: to, v: v}
		order = append(order, from)
	}
	return moves, order
}

// address reads connection.team or connection.team["key"].
func (v view) address(name string, rule Rule) (address, bool) {
	a := v.n.args[name]
	if a == nil {
		return address{}, false
	}
	t, diags := hcl.AbsTraversalForExpr(a.attr.Expr)
	if !diags.HasErrors() && (len(t) == 2 || len(t) == 3) && t.RootName() == "connection" {
		if block, ok := t[1].(hcl.TraverseAttr); ok {
			if len(t) == 2 {
				return address{block: block.Name}, true
			}
			if i, ok := t[2].(hcl.TraverseIndex); ok && i.Key.Type() == cty.String {
				return address{block: block.Name, key: i.Key.AsString(), keyed: true}, true
			}
		}
	}
	v.fail(name, rule, "Not an address", name+" takes the address of a connection.", `connection.team or connection.team["key"], without quotes around it`)
	return address{}, false
}

// exists reports whether the files describe the address.
func (l *loader) exists(a address) bool {
	b := l.blocks[a.block]
	switch {
	case b == nil:
		return false
	case a.keyed:
		return b.forEach && b.has(a.key)
	default:
		return true
	}
}

func (b *connectionBlock) has(key string) bool {
	if b.keys == nil {
		b.keys = map[string]bool{}
		for _, k := range b.instances {
			b.keys[k] = true
		}
	}
	return b.keys[key]
}

// destination follows moves until they reach what exists.
func (l *loader) destination(m move, moves map[address]move) (address, bool) {
	to := m.to
	for range len(moves) + 1 {
		if l.exists(to) {
			return to, true
		}
		next, ok := moves[to]
		if whole, also := moves[address{block: to.block}]; !ok && also && to.keyed {
			next, ok = whole, true
			next.to.key, next.to.keyed = to.key, l.blocks[whole.to.block] == nil || l.blocks[whole.to.block].forEach
		}
		if !ok {
			if !l.failed() {
				m.v.fail("to", ruleMoved, "Moved to nowhere", fmt.Sprintf("%s is not in the files.", to), l.nearestAddress(to))
			}
			return address{}, false
		}
		to = next.to
	}
	m.v.fail("to", ruleMoved, "Moves go in a circle", fmt.Sprintf("%s never gets anywhere.", m.from), "")
	return address{}, false
}

func (l *loader) nearestAddress(a address) string {
	if b := l.blocks[a.block]; b != nil && a.keyed {
		return nearest(a.key, b.instances)
	}
	var blocks []string
	for name := range l.blocks {
		blocks = append(blocks, name)
	}
	slices.Sort(blocks)
	return nearest(a.block, blocks)
}

// expandMove turns the move of a block with for_each into moves of its
// instances.
func (l *loader) expandMove(m move, to address) {
	block := l.blocks[to.block]
	switch {
	case to.keyed || !block.forEach:
		l.fleet.Moved = append(l.fleet.Moved, Moved{From: m.from.String(), To: to.String(), Range: m.v.n.at()})
	case m.from.keyed:
		m.v.fail("to", ruleMoved, "Moved to a whole block",
			fmt.Sprintf("%s has for_each, and %s is one connection.", to, m.from), fmt.Sprintf("write %s[\"key\"]", to))
	default:
		for _, key := range block.instances {
			l.fleet.Moved = append(l.fleet.Moved, Moved{From: Address(m.from.block, key), To: Address(to.block, key), Range: m.v.n.at()})
		}
	}
}

func (l *loader) removed(n *node, moves map[address]move) {
	v := l.view(n, l.base)
	from, ok := v.address("from", ruleRemoved)
	if !ok {
		return
	}
	if l.exists(from) {
		v.fail("from", ruleRemoved, "Removed, and still there",
			fmt.Sprintf("%s is said to be removed, and is still in the files at %s.", from, place(l.blocks[from.block].n.at())), "remove the removed block, or the connection")
		return
	}
	if m, also := moves[from]; also {
		v.fail("from", ruleRemoved, "Removed and moved", fmt.Sprintf("%s moves to %s at %s.", from, m.to, place(m.v.n.at())), "leave one of the two")
		return
	}
	for _, r := range l.fleet.Removed {
		if r.From == from.String() {
			v.fail("from", ruleRemoved, "Removed twice", fmt.Sprintf("The first one is at %s.", place(r.Range)), "")
			return
		}
	}
	l.fleet.Removed = append(l.fleet.Removed, Removed{From: from.String(), Range: n.at()})
}
