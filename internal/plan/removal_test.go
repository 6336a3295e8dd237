package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// leaver is aConnection as only its record describes it.
func leaver() (plan.Leaving, plan.Have) {
	have := inSync()
	want := aConnection()
	want.Grants = nil
	return plan.Leaving{Want: want, Record: have.Record}, have
}

func removalSteps(t *testing.T, r plan.Removals, l plan.Leaving, have plan.Have) (steps []string, blocks, notes string) {
	t.Helper()
	r.Fleet, r.Why, r.Now = fleet, "no file describes it", noon
	c := r.Plan([]plan.Leaving{l}, []plan.Have{have})[0]
	for _, s := range c.Steps() {
		steps = append(steps, strings.TrimPrefix(fmt.Sprintf("%T", s), "plan."))
	}
	for _, b := range c.Blocks {
		blocks += string(b.Kind) + ": " + b.Text + "; " + strings.TrimPrefix(b.Remedy, "move them to another connection first, or ") + "\n"
	}
	for _, n := range c.Notes {
		if n.Warning {
			notes += "warning: "
		}
		notes += n.Text + "\n"
	}
	return steps, blocks, notes
}

func TestRemoval(t *testing.T) {
	whole := []string{"DeleteClient", "DeleteLink", "DeleteSSHKey", "RetireRecord"}
	stays := inSync()
	stays.Record.ClientID = "oc-other"
	cases := []struct {
		name   string
		change func(*plan.Removals, *plan.Leaving, *plan.Have)
		want   []string
		blocks string // is in the blocks
		notes  string // is in the notes
	}{
		{"all", func(*plan.Removals, *plan.Leaving, *plan.Have) {}, whole, "", "stays: others may need it"},
		{"nothing left but the record", func(_ *plan.Removals, _ *plan.Leaving, h *plan.Have) {
			h.Clients, h.Link, h.Consumer, h.Keys = nil, nil, nil, nil
		}, []string{"RetireRecord"}, "", ""},
		{"a move of it was cut off", func(_ *plan.Removals, _ *plan.Leaving, h *plan.Have) { h.Record.MovedFrom = "corp/before" }, whole, "", ""},
		{"a limit of none", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) { r.Max = 0 }, nil, "max_removals is 0", ""},
		{"workspaces", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Affected = map[string]plan.Affected{"oc-1": {Count: 2, Names: []string{"a", "b"}}}
		}, nil, "would unlink 2 workspaces from their repositories: a, b", ""},
		{"workspaces, one too few", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Affected, r.AllowUnlink = map[string]plan.Affected{"oc-1": {Count: 2}}, 1
		}, nil, "would unlink 2 workspaces", ""},
		{"workspaces, accepted", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Affected, r.AllowUnlink = map[string]plan.Affected{"oc-1": {Count: 2}}, 2
		}, whole, "", ""},
		{"others", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Affected = map[string]plan.Affected{"oc-1": {Others: []string{`policy set "p"`, `registry module "m/aws"`}}}
		}, nil, `would take the OAuth token from policy set "p", registry module "m/aws"; run with --allow-unlink=2`, ""},
		{"workspaces and others", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Affected = map[string]plan.Affected{"oc-1": {Count: 1, Names: []string{"a"}, Others: []string{`policy set "p"`}}}
		}, nil, `would unlink 1 workspace from their repositories: a; and take the OAuth token from policy set "p"; run with --allow-unlink=2`, ""},
		{"workspaces accepted, others not", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Affected, r.AllowUnlink = map[string]plan.Affected{"oc-1": {Count: 1, Others: []string{`policy set "p"`}}}, 1
		}, nil, "--allow-unlink=2", ""},
		{"workspaces and others, accepted", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Affected, r.AllowUnlink = map[string]plan.Affected{"oc-1": {Count: 1, Others: []string{`policy set "p"`}}}, 2
		}, whole, "", ""},
		{"many others", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Affected = map[string]plan.Affected{"oc-1": {Others: []string{"a", "b", "c", "d", "e", "f", "g"}}}
		}, nil, "would take the OAuth token from a, b, c, d, e and 2 more; run with --allow-unlink=7", "OAuth client oc-1 is used by a, b, c, d, e, f, g"},
		{"others that Terraform does not tell", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Affected = map[string]plan.Affected{"oc-1": {Untold: []string{"policy sets", "stacks"}}}
		}, whole, "", "warning: Terraform does not tell which policy sets, stacks use OAuth client oc-1"},
		{"protected in the record", func(_ *plan.Removals, l *plan.Leaving, _ *plan.Have) { l.Record.About.Protected = true }, nil, "", "protected"},
		{"protected and asked for", func(r *plan.Removals, l *plan.Leaving, _ *plan.Have) {
			r.Asked, l.Record.About.Protected = true, true
		}, nil, "protected: it is not removed", ""},
		{"its workspaces move first", func(_ *plan.Removals, l *plan.Leaving, _ *plan.Have) { l.For = other() }, whole, "", "begins when connection.other"},
		{"asked for, and its workspaces move first", func(r *plan.Removals, l *plan.Leaving, _ *plan.Have) {
			r.Asked, l.For = true, other()
		}, nil, "connection.other takes its workspaces over and goes first; run bbsync apply --prune", ""},
		{"asked for, and its record moves", func(r *plan.Removals, l *plan.Leaving, _ *plan.Have) {
			r.Asked, r.Stay, r.StayHave = true, []*schema.Connection{other()}, []plan.Have{{Moved: &plan.MovedRecord{Path: l.Want.Record}}}
		}, nil, "it is connection.other", ""},
		{"forgotten", func(_ *plan.Removals, l *plan.Leaving, _ *plan.Have) { l.Forget = true }, []string{"ForgetRecord"}, "", ""},
		{"forgotten when a move of it was cut off", func(_ *plan.Removals, l *plan.Leaving, _ *plan.Have) {
			l.Forget, l.Record.MovedFrom = true, "corp/before"
		}, []string{"ForgetRecord"}, "", ""},
		{"out of reach", func(_ *plan.Removals, l *plan.Leaving, _ *plan.Have) { l.Kept = "no block" }, nil, "no block", ""},
		{"unread", func(_ *plan.Removals, _ *plan.Leaving, h *plan.Have) {
			h.Unread = []plan.Unread{{System: "terraform", Err: "away"}}
		}, nil, "terraform: away", ""},
		{"what stays is unread", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Stay, r.StayHave = []*schema.Connection{other()}, []plan.Have{{Unread: []plan.Unread{{System: "vault", Err: "sealed"}}}}
		}, nil, "cannot be read whole: connection.other: vault: sealed", ""},
		{"leased", func(_ *plan.Removals, _ *plan.Leaving, h *plan.Have) {
			h.Record.Lease = &plan.Lease{Holder: "somebody", Expires: noon.Add(time.Minute)}
		}, nil, "somebody is applying", ""},
		{"somebody else's consumer in the link", func(_ *plan.Removals, _ *plan.Leaving, h *plan.Have) {
			h.Consumer.Key = "theirs"
		}, []string{"DeleteClient", "DeleteSSHKey", "RetireRecord"}, "", "its consumer is not this connection's"},
		{"used by what stays", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			r.Stay, r.StayHave = []*schema.Connection{other()}, []plan.Have{stays}
		}, []string{"RetireRecord"}, "", "a connection that stays uses it"},
		{"described under another name", func(r *plan.Removals, _ *plan.Leaving, _ *plan.Have) {
			o := other()
			o.Link.URL = linkURL
			r.Stay, r.StayHave = []*schema.Connection{o}, []plan.Have{nothing()}
		}, nil, "connection.other is described on the same application link", ""},
		{"taken over with new keys", func(r *plan.Removals, _ *plan.Leaving, h *plan.Have) {
			o := other()
			o.Link.URL = linkURL
			taken := inSync()
			taken.Record.Current.Fingerprint = "ssh-9"
			r.Stay, r.StayHave = []*schema.Connection{o}, []plan.Have{taken}
		}, []string{"DeleteSSHKey", "RetireRecord"}, "", "application link"},
		{"taken over, and Terraform has the old key yet", func(r *plan.Removals, _ *plan.Leaving, h *plan.Have) {
			o := other()
			o.Link.URL = linkURL
			taken := inSync()
			taken.Record.Current = &plan.Key{Fingerprint: "ssh-9"}
			r.Stay, r.StayHave = []*schema.Connection{o}, []plan.Have{taken}
		}, nil, "connection.other is described on the same application link", ""},
		{"its record moves", func(r *plan.Removals, l *plan.Leaving, _ *plan.Have) {
			r.Stay, r.StayHave = []*schema.Connection{other()}, []plan.Have{{Moved: &plan.MovedRecord{Path: l.Want.Record}}}
		}, nil, "", "it is connection.other"},
		{"retired before", func(_ *plan.Removals, _ *plan.Leaving, h *plan.Have) { h.Record.Ended = "retired" }, nil, "", "no record"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l, have := leaver()
			r := plan.Removals{Max: 5}
			c.change(&r, &l, &have)
			steps, blocks, notes := removalSteps(t, r, l, have)
			if diff := cmp.Diff(c.want, steps); diff != "" {
				t.Errorf("steps (-want +got):\n%s%s", diff, blocks)
			}
			if !strings.Contains(blocks, c.blocks) || c.blocks == "" && blocks != "" {
				t.Errorf("blocks %q, want %q in them", blocks, c.blocks)
			}
			if !strings.Contains(notes, c.notes) {
				t.Errorf("notes %q, want %q in them", notes, c.notes)
			}
		})
	}
}

func other() *schema.Connection {
	c := aConnection()
	c.Address, c.Record, c.Link.URL = "connection.other", "corp/other", "https://elsewhere.example"
	return c
}

func TestOrphans(t *testing.T) {
	described := aConnection()
	f := &schema.Fleet{
		Name: fleet, Terraforms: []*schema.Terraform{described.Terraform}, Bitbuckets: []*schema.Bitbucket{described.Bitbucket},
		Connections: []*schema.Connection{described}, Removed: []schema.Removed{{From: "connection.let_go"}},
		Moved: []schema.Moved{{From: "connection.before", To: address}},
	}
	about := plan.About{Terraform: "https://app.terraform.io", Organization: "gone", Bitbucket: "https://bitbucket.example/git/", ServiceUser: user}
	records := map[string]*plan.Record{
		described.Record: {Fleet: fleet, Address: address},
		"corp/a":         {Fleet: fleet, Address: "connection.gone", About: about},
		"corp/b":         {Fleet: fleet, Address: address, About: about},
		"corp/c":         {Fleet: fleet, Address: `connection.let_go["x"]`, About: about, MovedFrom: "corp/h"},
		"corp/d":         {Fleet: fleet, Address: "connection.far", About: plan.About{Terraform: "https://app.terraform.io", Bitbucket: "https://closed.example"}},
		"corp/e":         {Fleet: fleet, Address: "connection.retired", Ended: "retired"},
		"corp/f":         {Fleet: "other", Address: "connection.theirs"},
		"corp/g":         {Fleet: fleet, Address: "connection.before"},
		"corp/h":         {Fleet: fleet, Address: "connection.taken_over", About: about}, // as corp/c says, and no moved block
	}
	var got []string
	for _, l := range plan.Orphans(f, records) {
		text := l.Want.Address
		if l.Forget {
			text += " forget"
		}
		if l.Kept != "" {
			text += " kept"
		}
		got = append(got, text)
	}
	want := []string{"connection.gone", "record corp/b", `connection.let_go["x"] forget`, "connection.far kept", "connection.taken_over"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSharedWithWhatStays: what a connection that is not removed uses as well is
// left, though no file describes that one either.
func TestSharedWithWhatStays(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*plan.Leaving, *plan.Have)
		goes   bool
	}{
		"it goes, too":                          {func(*plan.Leaving, *plan.Have) {}, true},
		"let go by a removed block":             {func(l *plan.Leaving, h *plan.Have) { l.Forget, *h = true, plan.Have{} }, false},
		"out of reach":                          {func(l *plan.Leaving, h *plan.Have) { l.Kept, *h = "no bitbucket block", plan.Have{} }, false},
		"protected in the files":                {func(l *plan.Leaving, _ *plan.Have) { l.Want.Protect, l.Record = true, nil }, false},
		"protected in a record of its own path": {func(l *plan.Leaving, h *plan.Have) { l.Record, h.Record.About.Protected = nil, true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			leaving, have := leaver()
			second, its := leaver()
			second.Want.Address, second.Want.Record = "connection.second", "corp/second"
			its.Record.ClientID, its.Record.Consumer.Key, its.Clients, its.Consumer.Key = "oc-2", "bbsync-2", nil, "bbsync-2"
			c.change(&second, &its)
			r := plan.Removals{Fleet: fleet, Now: noon, Max: 5}
			got := r.Plan([]plan.Leaving{leaving, second}, []plan.Have{have, its})
			for _, s := range append(got[0].Steps(), got[1].Steps()...) {
				if key, ok := s.(plan.DeleteSSHKey); ok && !c.goes {
					t.Errorf("%s, which the other one uses", key)
				}
			}
			if n := len(got[0].Steps()); n < 3 {
				t.Errorf("%d steps remove the first", n)
			}
		})
	}
}

// TestUsedByOtherRecords: what any other record of the fleet names stays, whether
// or not that connection is planned; of two records of one connection, the second
// goes after the first.
func TestUsedByOtherRecords(t *testing.T) {
	whole := "DeleteClient DeleteLink DeleteSSHKey RetireRecord"
	for name, c := range map[string]struct {
		other func(*plan.Record)
		want  string
	}{
		"none":                     {func(r *plan.Record) { r.Fleet = "other" }, whole},
		"one that is not removed":  {func(*plan.Record) {}, "RetireRecord"},
		"one that was let go":      {func(r *plan.Record) { r.Ended = "forgotten" }, "RetireRecord"},
		"one that uses the client": {func(r *plan.Record) { r.Consumer, r.Current = nil, nil }, "DeleteLink DeleteSSHKey RetireRecord"},
		"one that uses the key":    {func(r *plan.Record) { r.Consumer, r.ClientID = nil, "" }, "DeleteClient DeleteLink RetireRecord"},
	} {
		t.Run(name, func(t *testing.T) {
			leaving, have := leaver()
			other := *have.Record
			other.Fleet = fleet
			c.other(&other)
			r := plan.Removals{Fleet: fleet, Now: noon, Max: 5, Records: map[string]*plan.Record{leaving.Want.Record: have.Record, "corp/second": &other}}
			got := r.Plan([]plan.Leaving{leaving}, []plan.Have{have})[0]
			if diff := cmp.Diff(c.want, kindsOf(got)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
	leaving, have := leaver()
	second := leaving
	second.Want = other()
	got := plan.Removals{Fleet: fleet, Now: noon, Max: 1}.Plan([]plan.Leaving{leaving, second}, []plan.Have{have, have})
	if got[1].After != leaving.Want.Address || len(got[0].Blocks) == 0 {
		t.Errorf("the second goes after %q, and with a limit of one the first is refused: %v", got[1].After, got[0].Blocks)
	}
}
