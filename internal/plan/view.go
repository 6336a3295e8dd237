package plan

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/schema"
)

// A view is what a rule looks at: the world, what the configuration wants of it, and
// what is asked for beside. No rule writes to it.
type view struct {
	*World
	want *schema.Connection
	ask  *Ask
}

// step returns a step and why it is there.
func step(s Step, because ...Reason) *Change { return &Change{Step: s, Because: because} }

func (v view) reason(kind, what, live, want, attribute string) Reason {
	return Reason{Kind: kind, What: what, Live: live, Want: want, At: v.want.Where(attribute)}
}

// label names the connection on a public key: the fleet owns it, the organization
// uses it.
func (v view) label() string { return "bbsync/" + v.Target.Fleet + "/" + v.want.Organization }

// client returns the OAuth client that is the connection's; where there is none, the
// one that is taken over.
func (v view) client() *Client {
	if c := v.Client(); c != nil {
		return c
	}
	return v.candidate()
}

// findings are what is said of a connection beside its steps.
type findings struct {
	blocks []Block
	notes  []Note
}

func (f *findings) note(at hcl.Range, format string, args ...any) {
	f.notes = append(f.notes, Note{Text: fmt.Sprintf(format, args...), At: at})
}

func (f *findings) warn(at hcl.Range, format string, args ...any) {
	f.notes = append(f.notes, Note{Warning: true, Text: fmt.Sprintf(format, args...), At: at})
}

func (f *findings) block(kind BlockKind, at hcl.Range, text, remedy string) {
	f.blocks = append(f.blocks, Block{Kind: kind, Text: text, Remedy: remedy, At: at})
}

// A guard looks at the world as it was read, before anything is planned, and says
// what forbids to plan.
type guard struct {
	view
	findings
	users sshUsers // of all connections
}
