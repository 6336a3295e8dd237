package schema

import "fmt"

// Defaults and bounds of a relocate block.
const (
	DefaultFirst = 1
	DefaultWave  = 20
	maxWave      = 1000
)

func (v view) relocate(c *Connection) *Relocate {
	r := &Relocate{
		From:  refer(v, "from", "bitbucket", v.l.bitbuckets),
		First: v.integer("first", 0, maxWave, DefaultFirst),
		Wave:  v.integer("wave", 1, maxWave, DefaultWave),
		Range: v.n.at(),
	}
	if r.From != nil && r.From == c.Bitbucket {
		v.fail("from", ruleReference, "A connection that relocates to where it is",
			fmt.Sprintf("Both bitbucket and relocate.from are bitbucket.%s.", r.From.Label),
			"let bitbucket be the new one, and from the one that the workspaces are on; each URL has a bitbucket block of its own")
	}
	return r
}
