package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
)

// TestEmergency plans emergencies and rollbacks where the key in use, or the token,
// is not as usual: nothing is proven that cannot be, nobody else's token is given a
// key, and the compromised key is named until it is gone.
func TestEmergency(t *testing.T) {
	staged := func(change func(*plan.Have)) func() plan.Have {
		return func() plan.Have {
			have := kept(10)()
			have.Record.Pending = &plan.Key{Fingerprint: "ssh-2", Created: noon.Add(-time.Hour), Token: "ot-1", SwitchNoted: true}
			have.Keys["ssh-2"] = plan.SSHKey{ID: 2, Fingerprint: "ssh-2"}
			change(&have)
			return have
		}
	}
	expired := func(h *plan.Have) {
		h.Keys["ssh-1"] = plan.SSHKey{ID: 1, Fingerprint: "ssh-1", Expires: noon.Add(-time.Hour)}
	}
	privateElsewhere := func(h *plan.Have) { h.Record.Current.PrivateElsewhere = true }
	notSwitched := func(change func(*plan.Have)) func(*plan.Have) {
		return func(h *plan.Have) { change(h); h.Record.Pending.Token = "" }
	}
	with := func(change func(*plan.Have)) func() plan.Have {
		return func() plan.Have { have := kept(10)(); change(&have); return have }
	}
	emergency := plan.Rotation{SSH: true, Emergency: "stolen"}
	for _, c := range []struct {
		name  string
		have  func() plan.Have
		asked plan.Rotation
		want  string
		notes []string
	}{
		{
			"only Terraform had the key, and its token is gone", with(func(h *plan.Have) { privateElsewhere(h); h.Clients[0].Token = nil }), emergency,
			"MarkCompromised CreateSSHKey AddSSHKey ProveSSH SwitchKey(no token) DeleteSSHKey RetireKey Authorize SetTokenKey ProveRepositories", nil,
		},
		{
			"the same, and which key it is is not known",
			with(func(h *plan.Have) {
				h.Record.Current = &plan.Key{PrivateElsewhere: true, Token: "ot-1"}
				h.Clients[0].Token = nil
			}), emergency,
			"MarkCompromised CreateSSHKey AddSSHKey ProveSSH SwitchKey(no token) RetireKey Authorize SetTokenKey ProveRepositories",
			[]string{"which public key of svc-terraform is the compromised one is not known"},
		},
		{
			"not asked for: what stays is reported", with(func(h *plan.Have) { privateElsewhere(h); h.Clients[0].Token = nil }),
			plan.Rotation{},
			"CreateSSHKey AddSSHKey ProveSSH Authorize SetTokenKey ProveRepositories",
			[]string{"SSH key ssh-1 stays on Bitbucket"},
		},
		{
			"one is staged, and the current one has expired", staged(notSwitched(expired)), emergency,
			"MarkCompromised DeleteSSHKey ProveRefused RetireKey CreateSSHKey AddSSHKey ProveSSH SwitchKey DeleteSSHKey ProveRefused RetireKey", nil,
		},
		{
			"the same, and Terraform may hold the staged one", staged(expired), emergency,
			"MarkCompromised ProveSSH SwitchKey DeleteSSHKey ProveRefused RetireKey CreateSSHKey AddSSHKey ProveSSH SwitchKey DeleteSSHKey ProveRefused RetireKey", nil,
		},
		{
			"one is staged, and only Terraform had the current one", staged(privateElsewhere), emergency,
			"MarkCompromised ProveSSH SwitchKey DeleteSSHKey RetireKey CreateSSHKey AddSSHKey ProveSSH SwitchKey DeleteSSHKey ProveRefused RetireKey", nil,
		},
		{
			"back, and only Terraform had the current one", staged(privateElsewhere),
			plan.Rotation{Rollback: true},
			"ProveSSH SwitchKey",
			[]string{"there is no way back to SSH key ssh-1: only Terraform had its private half"},
		},
		{
			"back, and the current one has expired", staged(expired),
			plan.Rotation{Rollback: true},
			"ProveSSH SwitchKey",
			[]string{"there is no way back to SSH key ssh-1: it expired on"},
		},
		{
			"back, and Terraform may hold the staged one", staged(func(*plan.Have) {}),
			plan.Rotation{Rollback: true},
			"ProveSSH SetTokenKey DeleteSSHKey RetireKey", nil,
		},
		{
			"back, and Terraform was not given the staged one", staged(notSwitched(privateElsewhere)),
			plan.Rotation{Rollback: true},
			"DeleteSSHKey RetireKey",
			[]string{"only Terraform holds the private half"},
		},
		{
			"back, and an older version staged a key that Bitbucket does not have", with(func(h *plan.Have) {
				h.Record.Pending = &plan.Key{Fingerprint: "ssh-2", Created: noon}
			}),
			plan.Rotation{Rollback: true},
			"RetireKey", nil,
		},
		{
			"back, and an older version staged a key that Terraform may hold", staged(func(h *plan.Have) {
				h.Record.Pending.Token, h.Record.Pending.SwitchNoted = "", false
			}),
			plan.Rotation{Rollback: true},
			"ProveSSH SetTokenKey DeleteSSHKey RetireKey", nil,
		},
		{
			"back, and somebody else authorized", staged(func(h *plan.Have) { h.Clients[0].Token.User = "jane" }),
			plan.Rotation{Rollback: true},
			"Authorize DeleteSSHKey RetireKey ProveSSH SetTokenKey ProveRepositories",
			[]string{"the staged SSH key is dropped when svc-terraform has authorized", "Terraform shows that jane authorized"},
		},
		{
			"back, and the current one has expired, and Terraform was not given the staged one", staged(notSwitched(expired)),
			plan.Rotation{Rollback: true},
			"ProveSSH SwitchKey",
			[]string{"there is no way back to SSH key ssh-1: it expired on"},
		},
		{
			"back, and there is nothing but an expired key", with(expired),
			plan.Rotation{Rollback: true},
			"CreateSSHKey AddSSHKey ProveSSH SwitchKey", nil,
		},
		{
			"back, and there is nothing but a key that nobody has", with(func(h *plan.Have) { privateElsewhere(h); h.Clients[0].Token = nil }),
			plan.Rotation{Rollback: true},
			"CreateSSHKey AddSSHKey ProveSSH Authorize SetTokenKey ProveRepositories",
			[]string{"SSH key ssh-1 stays on Bitbucket"},
		},
		{
			"the mark comes before the consumer's pair", kept(10),
			plan.Rotation{SSH: true, Consumer: true, Emergency: "stolen"},
			"MarkCompromised CreateSSHKey AddSSHKey ProveSSH SwitchKey DeleteSSHKey ProveRefused RetireKey CreateConsumerKey SwapConsumer ProveRepositories RetireConsumer",
			[]string{"may not outlive"},
		},
		{
			"the consumer's pair, while an earlier rotation of it is unfinished", with(func(h *plan.Have) { h.Record.Consumer.Previous = "rsa-0" }),
			plan.Rotation{Consumer: true, Emergency: "stolen"},
			"MarkCompromised ProveConsumer RetireConsumer CreateConsumerKey SwapConsumer ProveRepositories RetireConsumer",
			[]string{"may not outlive"},
		},
		{
			"the same on demand", with(func(h *plan.Have) { h.Record.Consumer.Previous = "rsa-0" }),
			plan.Rotation{Consumer: true},
			"ProveConsumer ProveRepositories RetireConsumer CreateConsumerKey SwapConsumer ProveRepositories RetireConsumer",
			[]string{"may not outlive"},
		},
		{
			"the consumer's pair, while its link is gone", with(func(h *plan.Have) { h.Link, h.Consumer = nil, nil }),
			plan.Rotation{Consumer: true, Emergency: "stolen"},
			"MarkCompromised CreateLink SetConsumer ProveConsumer CreateConsumerKey SwapConsumer ProveRepositories RetireConsumer",
			[]string{"may not outlive"},
		},
		{
			"the consumer's pair, after a crash: nobody asks", with(func(h *plan.Have) { h.Record.Consumer.Compromised = "stolen" }),
			plan.Rotation{},
			"CreateConsumerKey SwapConsumer ProveRepositories RetireConsumer",
			[]string{"may not outlive"},
		},
		{
			"the consumer's pair, asked for again", with(func(h *plan.Have) {
				h.Record.Consumer.Previous, h.Record.Consumer.PreviousCompromised = "rsa-0", "stolen"
			}),
			plan.Rotation{Consumer: true, Emergency: "stolen"},
			"ProveConsumer ProveRepositories RetireConsumer",
			[]string{"may not outlive"},
		},
		{
			"the mark comes before a repair", with(func(h *plan.Have) { h.Link, h.Consumer = nil, nil }), emergency,
			"MarkCompromised CreateSSHKey AddSSHKey ProveSSH SwitchKey DeleteSSHKey ProveRefused RetireKey CreateLink SetConsumer ProveConsumer ProveRepositories",
			[]string{"may not outlive"},
		},
		{
			"somebody else authorized", with(func(h *plan.Have) { h.Clients[0].Token.User = "jane" }), emergency,
			"MarkCompromised CreateSSHKey AddSSHKey ProveSSH SwitchKey(no token) DeleteSSHKey ProveRefused RetireKey Authorize SetTokenKey ProveRepositories",
			[]string{"Terraform shows that jane authorized"},
		},
		{
			"the key has expired while the token is gone", with(func(h *plan.Have) { expired(h); h.Clients[0].Token = nil }),
			plan.Rotation{},
			"CreateSSHKey AddSSHKey ProveSSH SwitchKey(no token) Authorize SetTokenKey ProveRepositories", nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := aConnection()
			want.SSHKey.Overlap = aDay
			got := plan.Rotate(fleet, want, c.have(), noon, c.asked)
			if diff := cmp.Diff(c.want, kindsOf(got)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			checkNotes(t, got.Notes, c.notes)
		})
	}
}

// TestRollbackAfterCrash goes back to a key that was made in the same moment as the
// one in use, as on machines whose clocks differ: what tells the two apart is which
// one Terraform had.
func TestRollbackAfterCrash(t *testing.T) {
	have := restaged()
	have.Record.Pending.Created = have.Record.Current.Created
	got := plan.Rotate(fleet, aConnection(), have, noon, plan.Rotation{Rollback: true})
	if diff := cmp.Diff("ProveSSH SwitchKey", kindsOf(got)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// kindsOf names the kinds of a plan's steps.
func kindsOf(c plan.Connection) string { return kindNames(c.Steps()) }
