package drift

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/shard"
)

// Merge puts the reports of a fleet's shards together: what one process
// would have reported, each connection once. Reports that contradict each other
// are an error; shards that are not there are named in Missing. The names tell
// reports apart in errors.
func Merge(names []string, parts []Report) (Report, error) {
	m := &merger{names: names, shards: map[int]string{}, addresses: map[string]string{}, positions: map[int]string{}}
	for i, part := range parts {
		if err := m.add(i, part); err != nil {
			return Report{}, fmt.Errorf("%s: %w", names[i], err)
		}
	}
	for i := range m.of {
		if _, ok := m.shards[i]; !ok {
			m.out.Missing = append(m.out.Missing, shard.Shard{Index: i, Of: m.of}.String())
		}
	}
	if len(m.out.Missing) == 0 && len(m.out.Connections) != m.out.Asked {
		return Report{}, fmt.Errorf("the shards have %d connections between them and were asked for %d: did they read the same files?", len(m.out.Connections), m.out.Asked)
	}
	for i := range m.out.Bitbuckets {
		inOrder(m.out.Bitbuckets[i].Differences)
	}
	slices.SortFunc(m.out.Bitbuckets, func(a, b Bitbucket) int { return cmp.Compare(a.Position, b.Position) })
	slices.SortFunc(m.out.Connections, func(a, b Connection) int { return cmp.Compare(a.Position, b.Position) })
	expiry.Sort(m.out.Ends)
	m.out.Summary = m.out.count()
	return m.out, nil
}

type merger struct {
	names     []string
	out       Report
	of        int
	shards    map[int]string    // index → report
	addresses map[string]string // of connections → report
	positions map[int]string    // of connections → report
}

func (m *merger) add(i int, part Report) error {
	name := m.names[i]
	s := shard.Shard{Of: 1}
	if part.Shard != "" {
		var err error
		if s, err = shard.Parse(part.Shard); err != nil {
			return err
		}
	}
	if i == 0 {
		m.of = s.Of
		m.out = Report{Fleet: part.Fleet, Asked: part.Asked, Bitbuckets: []Bitbucket{}, Connections: []Connection{}}
	}
	switch {
	case part.Fleet != m.out.Fleet:
		return fmt.Errorf("it is of fleet %s, and %s of fleet %s", part.Fleet, m.names[0], m.out.Fleet)
	case s.Of != m.of:
		return fmt.Errorf("it is one of %d shards, and %s one of %d", s.Of, m.names[0], m.of)
	case part.Asked != m.out.Asked:
		return fmt.Errorf("its shards were asked for %d connections, and those of %s for %d: did they read the same files?", part.Asked, m.names[0], m.out.Asked)
	case m.shards[s.Index] != "":
		return fmt.Errorf("shard %d/%d is in %s, too", s.Index, s.Of, m.shards[s.Index])
	}
	m.shards[s.Index] = name
	if part.Time.After(m.out.Time) {
		m.out.Time = part.Time
	}
	m.out.Ends = append(m.out.Ends, part.Ends...) // the first shard alone has those of the systems
	for _, b := range part.Bitbuckets {
		m.bitbucket(b)
	}
	for _, c := range part.Connections {
		if err := m.connection(name, c); err != nil {
			return err
		}
	}
	return nil
}

func (m *merger) connection(name string, c Connection) error {
	if other, ok := m.addresses[c.Address]; ok {
		return fmt.Errorf("%s is in %s, too", c.Address, other)
	}
	if other, ok := m.positions[c.Position]; ok || c.Position < 0 || c.Position >= m.out.Asked {
		return fmt.Errorf("%s has position %d of %d, as another in %s: did they read the same files?", c.Address, c.Position, m.out.Asked, cmp.Or(other, "no report"))
	}
	m.addresses[c.Address], m.positions[c.Position] = name, name
	m.out.Connections = append(m.out.Connections, c)
	return nil
}

// bitbucket unites what shards say of a Bitbucket: each difference once, and the
// most pressing state.
func (m *merger) bitbucket(b Bitbucket) {
	i := slices.IndexFunc(m.out.Bitbuckets, func(have Bitbucket) bool { return have.Label == b.Label })
	if i < 0 {
		m.out.Bitbuckets = append(m.out.Bitbuckets, b)
		return
	}
	have := &m.out.Bitbuckets[i]
	have.UnknownKeys = append(have.UnknownKeys, b.UnknownKeys...) // one shard looks for them
	for _, d := range b.Differences {
		if !slices.Contains(have.Differences, d) {
			have.Differences = append(have.Differences, d)
		}
	}
	for _, block := range b.Blocks {
		if !slices.Contains(have.Blocks, block) {
			have.Blocks = append(have.Blocks, block)
		}
	}
	if pressing(b.State) < pressing(have.State) {
		have.State = b.State
	}
}

func pressing(state plan.State) int {
	return slices.Index([]plan.State{
		plan.StateUnreadable, plan.StateRefused, plan.StateLeased, plan.StateChanges, plan.StateWaiting, plan.StateInSync,
	}, state)
}
