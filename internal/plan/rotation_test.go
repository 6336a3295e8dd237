package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

const aDay = 24 * time.Hour

// kept is a connection in sync with keys of known ages: the SSH key was made
// and set days ago, and the consumer's pair with it.
func kept(days int) func() plan.Have {
	return func() plan.Have {
		have := inSync()
		made := noon.Add(-time.Duration(days) * aDay)
		have.Record.Current.Created, have.Record.Current.Set, have.Record.Current.Published = made, made, made
		have.Record.Consumer.Created = made
		return have
	}
}

// overlapping is a connection whose key was switched hours ago.
func overlapping(hours int) func() plan.Have {
	return func() plan.Have {
		have := kept(0)()
		at := noon.Add(-time.Duration(hours) * time.Hour)
		have.Record.Current = &plan.Key{Fingerprint: "ssh-2", Token: "ot-1", Created: at, Set: at, Proved: at}
		have.Record.Previous = &plan.Key{Fingerprint: "ssh-1", Token: "ot-1", Created: noon.Add(-90 * aDay), Left: at}
		have.Keys["ssh-2"] = plan.SSHKey{ID: 2, Fingerprint: "ssh-2", LastUsed: at}
		return have
	}
}

// restaged is a connection that is going back, and wentBack one that went, both
// to the key that was there before the one that overlapping has.
func restaged() plan.Have {
	have := overlapping(3)()
	have.Record.Pending, have.Record.Previous = have.Record.Previous, nil
	have.Record.Pending.Token = ""
	return have
}

func wentBack() plan.Have {
	have := overlapping(3)()
	r := have.Record
	r.Current, r.Previous = r.Previous, r.Current
	r.Current.Set, r.Previous.Left = noon, noon
	return have
}

func aged(c *schema.Connection) {
	c.SSHKey.RotateAfter, c.SSHKey.Overlap, c.Consumer.RotateAfter = 90*aDay, aDay, 365*aDay
}

func windowed(schedule string) func(*schema.Connection) {
	return func(c *schema.Connection) {
		aged(c)
		c.Maintenance = &schema.Maintenance{Schedule: schedule, Duration: 2 * time.Hour, TimeZone: "Europe/Berlin"}
	}
}

var (
	stage = []plan.Step{
		plan.CreateSSHKey{Role: plan.Pending, Bits: 3072, Comment: label},
		plan.AddSSHKey{Role: plan.Pending, Label: label},
		plan.ProveSSH{Role: plan.Pending},
		plan.SwitchKey{},
	}
	rotateSSH = append([]plan.Step{proveSSH}, stage...)
	retire    = []plan.Step{plan.DeleteSSHKey{ID: 1, Fingerprint: "ssh-1"}, plan.RetireKey{Role: plan.Previous, Fingerprint: "ssh-1"}}
	swap      = []plan.Step{
		plan.CreateConsumerKey{Key: "bbsync-1", Bits: 3072, Again: true},
		plan.SwapConsumer{LinkURL: linkURL, Name: name, ClientID: "oc-1"},
		proveRepos,
		plan.RetireConsumer{},
	}
)

func TestRotationByAge(t *testing.T) {
	runDiff(t, kept(80), []diffCase{
		{name: "young", want: aged},
		{name: "never", have: func(h *plan.Have) { h.Record.Current.Created = noon.Add(-9999 * aDay) }},
	})
	runDiff(t, kept(100), []diffCase{
		{name: "due", want: aged, steps: rotateSSH, reasons: []string{"age of the SSH key: created on 2026-03-23 -> rotate_after is 90 days, spread by a tenth"}},
		{name: "Terraform has no key: what is there is repaired, then rotated", want: aged, have: func(h *plan.Have) { h.Clients[0].Token.HasSSHKey = false }, steps: append([]plan.Step{proveSSH, setKey, proveRepos}, stage...)},
		{
			name: "its owner brings the key", want: func(c *schema.Connection) { aged(c); c.SSHKey.Private = &schema.SecretRef{Env: "KEY"} },
			have: func(h *plan.Have) { h.Record.Current.UserSupplied = true },
		},
		{
			name: "its owner brings one from now on", want: func(c *schema.Connection) { aged(c); c.SSHKey.Private = &schema.SecretRef{Env: "KEY"} },
			steps: []plan.Step{
				proveSSH,
				plan.CreateSSHKey{Role: plan.Pending, Bits: 3072, Comment: label, From: "env:KEY"},
				stage[1], stage[2], stage[3],
			},
			reasons: []string{"SSH key: made by bbsync -> user-supplied"},
		},
		{name: "the window is shut", want: windowed("0 3 * * *"), notes: []string{"waits for the maintenance window, which opens at 2026-07-02 01:00 UTC"}},
		{name: "the window is open", want: windowed("0 13 * * *"), steps: rotateSSH},
	})
	runDiff(t, kept(113), []diffCase{{name: "overdue, whatever the window", want: windowed("0 3 * * *"), steps: rotateSSH}})
	runDiff(t, kept(405), []diffCase{{
		name: "the consumer's pair", want: func(c *schema.Connection) { c.Consumer.RotateAfter = 365 * aDay }, steps: swap,
		notes: []string{"the OAuth token may not outlive this change"},
	}})
}

func TestRotationByServersExpiry(t *testing.T) {
	expires := func(days int, in int) func(*plan.Have) {
		return func(h *plan.Have) {
			end := noon.Add(time.Duration(in) * aDay)
			h.Keys["ssh-1"] = plan.SSHKey{ID: 1, Fingerprint: "ssh-1", Created: end.Add(-time.Duration(days) * aDay), Expires: end}
		}
	}
	runDiff(t, kept(10), []diffCase{
		{name: "long to go", have: expires(365, 200)},
		{name: "two thirds over", have: expires(365, 100), steps: rotateSSH, reasons: []string{"age of the SSH key: created on 2026-06-21 -> Bitbucket lets it expire on 2026-10-09"}},
		{name: "a short life is not due at once", have: expires(12, 10), notes: []string{"due to be rotated on 2026-07-07: Bitbucket lets it expire on 2026-07-11"}},
		{name: "a short life, two thirds over", have: expires(12, 3), steps: rotateSSH},
		{name: "near the end the window does not matter", want: windowed("0 3 * * *"), have: expires(365, 6), steps: rotateSSH},
		{name: "expired: there is nothing to prove", have: expires(365, -1), steps: stage},
	})
}

func TestRotationGoesOn(t *testing.T) {
	goOn := []plan.Step{plan.ProveSSH{Role: plan.Pending}, plan.SwitchKey{Fingerprint: "ssh-2"}}
	pending := func(h *plan.Have) {
		h.Record.Pending = &plan.Key{Fingerprint: "ssh-2", Created: noon, SwitchNoted: true}
	}
	published := func(h *plan.Have) {
		pending(h)
		h.Keys["ssh-2"] = plan.SSHKey{ID: 2, Fingerprint: "ssh-2"}
	}
	runDiff(t, kept(10), []diffCase{
		{name: "staged", have: pending, steps: append([]plan.Step{plan.AddSSHKey{Role: plan.Pending, Label: label, Fingerprint: "ssh-2"}}, goOn...)},
		{name: "published", have: published, steps: goOn},
		{name: "staged, and somebody authorized again", have: func(h *plan.Have) { published(h); h.Clients[0].Token.ID = "ot-2" }, steps: append(goOn[:2:2], proveRepos)},
		{
			name: "staged, and there is no token", have: func(h *plan.Have) { published(h); h.Clients[0].Token = nil },
			steps: append(append([]plan.Step{authorize}, goOn...), proveRepos),
		},
		{
			name: "versions left by a crash", have: func(h *plan.Have) { h.Record.Retired = &plan.RetiredKey{Fingerprint: "ssh-0"} },
			steps: []plan.Step{plan.RetireKey{Role: plan.Previous, Fingerprint: "ssh-0"}},
		},
		{name: "versions destroyed", have: func(h *plan.Have) { h.Record.Retired = &plan.RetiredKey{Fingerprint: "ssh-0", Destroyed: true} }},
		{
			name: "pair staged", have: func(h *plan.Have) {
				h.Record.Consumer.Previous, h.Record.Consumer.Fingerprint = "rsa-1", "rsa-2"
			},
			steps: []plan.Step{plan.SwapConsumer{LinkURL: linkURL, Name: name, ClientID: "oc-1", Fingerprint: "rsa-2"}, proveRepos, plan.RetireConsumer{}},
			notes: []string{"the OAuth token may not outlive this change"},
		},
		{
			name: "pair changed on both sides, not proven", have: func(h *plan.Have) { h.Record.Consumer.Previous = "rsa-0" },
			steps: []plan.Step{plan.ProveConsumer{}, proveRepos, plan.RetireConsumer{}},
			notes: []string{"the OAuth token may not outlive this change"},
		},
		{
			name: "pair changed on both sides, and the token is lost", have: func(h *plan.Have) {
				h.Record.Consumer.Previous, h.Record.RefusedToken, h.TokenDead = "rsa-0", "ot-1", true
			},
			steps: []plan.Step{again, proveSSH, setKey, proveRepos, plan.RetireConsumer{}}, state: plan.StateWaiting,
		},
	})
}

func TestOverlap(t *testing.T) {
	used := func(fingerprint string, ago time.Duration) func(*plan.Have) {
		return func(h *plan.Have) {
			key := h.Keys[fingerprint]
			key.LastUsed = noon.Add(-ago)
			h.Keys[fingerprint] = key
		}
	}
	runDiff(t, overlapping(3), []diffCase{
		{name: "the overlap runs", want: aged, notes: []string{"until 2026-07-02 09:00 UTC: the overlap lasts until then, or until Bitbucket sees the new one in use"}, state: plan.StateInSync},
		{name: "bbsync's own proof is no use", want: aged, have: used("ssh-2", 3*time.Hour-time.Second), notes: []string{"the overlap lasts"}},
		{name: "the new key is in use", want: aged, have: used("ssh-2", time.Hour), steps: retire, reasons: []string{"previous SSH key: the new one is in use -> none", "previous SSH key: the new one is in use -> none"}[:1]},
		{
			name: "both are in use", want: aged, have: func(h *plan.Have) { used("ssh-2", time.Hour)(h); used("ssh-1", time.Hour)(h) },
			notes: []string{"the overlap lasts", "the previous SSH key was used at 2026-07-01 11:00 UTC, after Terraform was given another: somebody else uses it"},
		},
		{
			name: "this server does not tell", want: aged, have: func(h *plan.Have) { h.Bitbucket.KeyUsage = false },
			notes: []string{"as this Bitbucket does not tell which keys are in use"},
		},
	})
	runDiff(t, overlapping(25), []diffCase{
		{name: "the overlap has passed", want: aged, steps: retire, reasons: []string{"previous SSH key: the overlap has passed -> none"}},
		{name: "it is deleted already", want: aged, have: func(h *plan.Have) { delete(h.Keys, "ssh-1") }, steps: retire[1:]},
		{
			name: "the old one is in use, the new one is not", want: aged, have: used("ssh-1", time.Hour),
			notes: []string{"the overlap has passed, but the old one is in use and the new one is not", "if it is not Terraform, end it with bbsync rotate --emergency"},
		},
		{name: "both are in use, but the overlap has passed", want: aged, have: func(h *plan.Have) { used("ssh-2", time.Hour)(h); used("ssh-1", time.Hour)(h) }, steps: retire, notes: []string{"somebody else uses it"}},
	})
}

func TestRotationAskedFor(t *testing.T) {
	staged := func() plan.Have {
		have := kept(10)()
		have.Record.Pending = &plan.Key{Fingerprint: "ssh-2", Created: noon, SwitchNoted: true}
		have.Keys["ssh-2"] = plan.SSHKey{ID: 2, Fingerprint: "ssh-2"}
		return have
	}
	refused := func(fingerprint string, id int) []plan.Step {
		return []plan.Step{
			plan.DeleteSSHKey{ID: id, Fingerprint: fingerprint},
			plan.ProveRefused{Role: plan.Previous, Fingerprint: fingerprint},
			plan.RetireKey{Role: plan.Previous, Fingerprint: fingerprint},
		}
	}
	steps := func(parts ...[]plan.Step) (out []plan.Step) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	for _, c := range []struct {
		name  string
		have  func() plan.Have
		asked plan.Rotation
		steps []plan.Step
		notes []string
	}{
		{"now", kept(1), plan.Rotation{SSH: true}, rotateSSH, nil},
		{"both", kept(1), plan.Rotation{SSH: true, Consumer: true}, steps(swap, rotateSSH), []string{"may not outlive"}},
		{"in the overlap", overlapping(3), plan.Rotation{SSH: true}, nil, []string{"the overlap lasts", "a new SSH key waits for the overlap to end"}},
		{"nothing was made yet", nothing, plan.Rotation{SSH: true}, everything(), []string{"Terraform cannot change"}},
		{
			"emergency", kept(1),
			plan.Rotation{SSH: true, Emergency: "stolen"},
			steps([]plan.Step{plan.MarkCompromised{Fingerprints: []string{"ssh-1"}, Reason: "stolen"}}, stage, refused("ssh-1", 1)), nil,
		},
		{
			"emergency in the overlap", overlapping(3),
			plan.Rotation{SSH: true, Emergency: "stolen"},
			steps([]plan.Step{plan.MarkCompromised{Fingerprints: []string{"ssh-2", "ssh-1"}, Reason: "stolen"}}, refused("ssh-1", 1), stage, refused("ssh-2", 2)), nil,
		},
		{
			"emergency while one is staged", staged,
			plan.Rotation{SSH: true, Emergency: "stolen"},
			steps([]plan.Step{
				plan.MarkCompromised{Fingerprints: []string{"ssh-1", "ssh-2"}, Reason: "stolen"},
				plan.DeleteSSHKey{ID: 2, Fingerprint: "ssh-2"},
				plan.ProveRefused{Role: plan.Pending, Fingerprint: "ssh-2"},
				plan.RetireKey{Role: plan.Pending, Fingerprint: "ssh-2"},
			}, stage, refused("ssh-1", 1)), nil,
		},
		{
			"back in the overlap", overlapping(3),
			plan.Rotation{Rollback: true},
			[]plan.Step{plan.RestageKey{Fingerprint: "ssh-1"}, plan.ProveSSH{Role: plan.Pending}, plan.SwitchKey{Fingerprint: "ssh-1"}},
			nil,
		},
		{
			"back while one is staged", staged,
			plan.Rotation{Rollback: true},
			[]plan.Step{plan.DeleteSSHKey{ID: 2, Fingerprint: "ssh-2"}, plan.RetireKey{Role: plan.Pending, Fingerprint: "ssh-2"}},
			nil,
		},
		{
			"back again after a crash in between", restaged,
			plan.Rotation{Rollback: true},
			[]plan.Step{plan.ProveSSH{Role: plan.Pending}, plan.SwitchKey{Fingerprint: "ssh-1"}},
			nil,
		},
		{"back again when it has been gone back", wentBack, plan.Rotation{Rollback: true}, nil, []string{"the previous SSH key stays", "there is no earlier SSH key"}},
		{"held: the overlap is over, and the key stays", overlapping(25), plan.Rotation{Hold: true}, nil, []string{"the overlap has passed"}},
		{"nothing to go back to", kept(1), plan.Rotation{Rollback: true}, nil, []string{"there is no earlier SSH key"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := aConnection()
			want.SSHKey.Overlap = aDay
			got := plan.Rotate(fleet, want, c.have(), noon, c.asked)
			if diff := cmp.Diff(c.steps, got.Steps(), cmp.Transformer("list", emptyIsNil[plan.Step])); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			checkNotes(t, got.Notes, c.notes)
		})
	}
}

// TestDueDatesAreSpread: each address has its own, always the same, within a
// tenth of the period.
func TestDueDatesAreSpread(t *testing.T) {
	want := aConnection()
	aged(want)
	seen := map[time.Time]bool{}
	for key := range strings.SplitSeq("a b c d e f g h i j k l m n o p", " ") {
		want.Address = "connection.team[" + key + "]"
		due := plan.Ages(want, kept(0)(), noon)[0].Due
		if again := plan.Ages(want, kept(0)(), noon.Add(time.Hour))[0].Due; again != due {
			t.Errorf("%s is due at %s, and an hour later at %s", want.Address, due, again)
		}
		if life := due.Sub(noon); life < 81*aDay || life > 99*aDay {
			t.Errorf("%s is due after %s, want 90 days, give or take a tenth", want.Address, life)
		}
		seen[due] = true
	}
	if len(seen) != 16 {
		t.Errorf("16 connections have %d due dates", len(seen))
	}
}

func TestAgesAsShown(t *testing.T) {
	want := aConnection()
	aged(want)
	have := overlapping(3)()
	have.Keys["ssh-2"] = plan.SSHKey{ID: 2, Fingerprint: "ssh-2", Expires: noon.Add(300 * aDay), LastUsed: noon.Add(-2 * time.Hour)}
	var got []string
	for _, a := range plan.Ages(want, have, noon) {
		got = append(got, a.String())
	}
	diff := cmp.Diff([]string{
		"SSH key ssh-2 (current): 3 hours old, due on 2026-09-", "SSH key ssh-1 (previous): 90 days old, stays until 2026-07-02 09:00 UTC (the new one is in use)",
		"consumer's pair rsa-1 (current): 0 minutes old, due on 2027-0",
	}, got, cmp.Comparer(func(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }))
	if diff != "" {
		t.Errorf("ages (-want +got):\n%s", diff)
	}
}
