package apply

import (
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/secret"
)

// rotates is a world in the middle of a rotation of the SSH key: K2 is pending.
func rotates() *world {
	w := connected()
	w.record().SSH.Pending = sshKey("K2")
	w.record().SSH.Pending.Published = began.Add(-time.Minute)
	w.addSSHKey(serviceUser, 2, "K2")
	return w
}

// rotated is one in which K2 is current and K1 is to be retired.
func rotated() *world {
	w := rotates()
	ssh := &w.record().SSH
	ssh.Previous, ssh.Current, ssh.Pending = ssh.Current, ssh.Pending, nil
	ssh.Current.Token, w.tokenKeys["ot-new"] = "ot-new", "K2"
	ssh.Previous.Left = began.Add(-time.Minute)
	return w
}

func noKeyOnBitbucket(w *world) { w.sshKeys = map[string][]bitbucket.SSHKey{} }

func sshSteps() map[string]stepCase {
	add := plan.AddSSHKey{Role: plan.Current, Label: "bbsync acme"}
	unpublished := func(w *world) { noKeyOnBitbucket(w); *w.record().SSH.Current = *sshKey("K1") }
	return map[string]stepCase{
		"add_ssh_key: not there": {
			before: unpublished, step: add,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s",
				`+ SSH key of svc: K1 "bbsync acme"`,
				"+ corp/acme: current K1 created@-1h0m0s published@0s",
			},
		},
		"add_ssh_key: there already": {step: add},
		"add_ssh_key: must expire": {
			before: func(w *world) { unpublished(w); w.policy.MaxExpiryDays = 90 }, step: add,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s",
				`+ SSH key of svc: K1 "bbsync acme" for 90 days`,
				"+ corp/acme: current K1 created@-1h0m0s published@0s",
			},
		},
		"add_ssh_key: old Bitbucket": {
			before: func(w *world) { unpublished(w); w.policyErr = bitbucket.ErrTooOld }, step: add,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s",
				`+ SSH key of svc: K1 "bbsync acme"`,
				"+ corp/acme: current K1 created@-1h0m0s published@0s",
			},
		},
		"add_ssh_key: pending": {
			world: rotates, before: func(w *world) { noKeyOnBitbucket(w); w.record().ServiceUser = "old" }, step: plan.AddSSHKey{Role: plan.Pending, Label: "bbsync acme"},
			want: []string{
				`+ SSH key of svc: K2 "bbsync acme"`,
			},
		},
		"add_ssh_key: another user": {
			before: func(w *world) { unpublished(w); w.record().ServiceUser = "old" }, step: add,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s",
				"- corp/acme: described, user old",
				`+ SSH key of svc: K1 "bbsync acme"`,
				"+ corp/acme: current K1 created@-1h0m0s published@0s",
				"+ corp/acme: described, user svc",
			},
		},
		"add_ssh_key: no such key": {
			step: plan.AddSSHKey{Role: plan.Pending}, status: Broken,
			err: []string{"pending SSH key: the record in Vault has no such key; plan again"},
		},
		"add_ssh_key: no private key": {
			before: func(w *world) { unpublished(w); w.record().SSH.Current.Private = secret.Text{} }, step: add, status: Broken,
			err: []string{"SSH key K1: its private half is not in Vault, so that its public half is not published"},
		},
		"add_ssh_key: somebody else's": {
			before: func(w *world) { unpublished(w); w.addSSHKey("jane", 5, "K1") }, step: add, status: Broken,
			err: []string{"SSH key K1: exists already"},
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s",
			},
		},
		"add_ssh_key: somebody else's, and published": {
			before: func(w *world) { noKeyOnBitbucket(w); w.record().SSH.Current.Token = ""; w.addSSHKey("jane", 5, "K1") }, step: add, status: Broken,
			err: []string{"SSH key K1: exists already"},
		},
		"add_ssh_key: somebody else's, and Terraform's": {
			before: func(w *world) {
				noKeyOnBitbucket(w)
				w.record().SSH.Current.Published = time.Time{}
				w.addSSHKey("jane", 5, "K1")
			}, step: add, status: Broken,
			err: []string{"SSH key K1: exists already"},
		},
		"delete_ssh_key: there": {
			world: rotated, step: plan.DeleteSSHKey{ID: 1},
			want: []string{
				`- SSH key of svc: K1 "bbsync"`,
			},
		},
		"delete_ssh_key: not there": {step: plan.DeleteSSHKey{ID: 9}},
		"delete_ssh_key: added in the same plan": {
			world: rotated, step: plan.DeleteSSHKey{Fingerprint: testKeys()["K1"].Fingerprint},
			want: []string{
				`- SSH key of svc: K1 "bbsync"`,
			},
		},
		"delete_ssh_key: added in the same plan, not there": {step: plan.DeleteSSHKey{Fingerprint: testKeys()["K2"].Fingerprint}},
		"delete_ssh_key: of a user before": {
			before: func(w *world) { w.addSSHKey("old", 1, "K2") }, step: plan.DeleteSSHKey{ID: 1, User: "old"},
			want: []string{
				`- SSH key of old: K2 "bbsync"`,
			},
		},

		"prove_ssh: lets in": {
			step: plan.ProveSSH{Role: plan.Current},
			says: []string{"proof: the server with host key HK answered whoami with svc"},
		},
		"prove_ssh: by another spelling of the user": {
			target: func(t *plan.Target) { t.ServiceUser = "SVC" }, step: plan.ProveSSH{Role: plan.Current},
			says: []string{"proof: the server with host key HK answered whoami with svc"},
		},
		"prove_ssh: not let in": {
			before: noKeyOnBitbucket, step: plan.ProveSSH{Role: plan.Current}, status: Broken,
			err: []string{"the SSH key was refused"},
		},
		"prove_ssh: somebody else's": {
			before: func(w *world) { noKeyOnBitbucket(w); w.addSSHKey("jane", 5, "K1") }, step: plan.ProveSSH{Role: plan.Current}, status: Broken,
			err: []string{`the key logs in as "jane", not as the service user "svc": the key belongs to somebody else`},
		},
		"prove_ssh: first contact": {
			before: func(w *world) { w.record().HostKeys = nil }, step: plan.ProveSSH{Role: plan.Current}, once: true,
			want: []string{
				"+ corp/acme: host keys HK",
			},
			says: []string{"warning: learned Bitbucket's SSH host key, HK, into the record; pin it in ssh.host_keys of bitbucket.corp to be sure of the first contact", "proof: the server with host key HK answered whoami with svc"},
		},
		"prove_ssh: another connection knows the host": {
			before: func(w *world) { w.record().HostKeys = nil; w.learned = []string{hostKey} }, step: plan.ProveSSH{Role: plan.Current},
			want: []string{
				"+ corp/acme: host keys HK",
			},
			says: []string{"proof: the server with host key HK answered whoami with svc"},
		},
		"prove_ssh: pinned": {
			before: func(w *world) { w.record().HostKeys = nil; w.pinned = []string{hostKey} }, step: plan.ProveSSH{Role: plan.Current},
			says: []string{"proof: the server with host key HK answered whoami with svc"},
		},
		"prove_ssh: another host key": {
			before: func(w *world) { w.hostKey = "ssh-ed25519 AAAA" }, step: plan.ProveSSH{Role: plan.Current}, status: Broken,
			err: []string{"the SSH server  shows the host key unknown, pinned is : either its key was changed or something stands in between; ask Bitbucket's administrator whether the key was changed; if so, put the new one into ssh.host_keys"},
		},
		"prove_ssh: a host key that cannot be read": {
			before: func(w *world) { w.hostKey = "nonsense"; w.record().HostKeys = nil }, step: plan.ProveSSH{Role: plan.Current}, status: Broken,
			err: []string{"parsing an SSH public key: not an authorized_keys line"},
		},
		"prove_ssh: pending": {
			world: rotates, before: func(w *world) { w.skew = 5 * time.Minute }, step: plan.ProveSSH{Role: plan.Pending},
			want: []string{
				"- corp/acme: pending K2 created@-1h0m0s published@-1m0s",
				"+ corp/acme: pending K2 created@-1h0m0s published@-1m0s proved@5m0s",
			},
			says: []string{"proof: the server with host key HK answered whoami with svc"},
		},
		"prove_ssh: current, during an overlap": {
			world: rotated, step: plan.ProveSSH{Role: plan.Current},
			want: []string{
				"- corp/acme: current K2 created@-1h0m0s published@-1m0s token=ot-new",
				"+ corp/acme: current K2 created@-1h0m0s published@-1m0s token=ot-new proved@0s",
			},
			says: []string{"proof: the server with host key HK answered whoami with svc"},
		},
		"prove_ssh: no such key": {
			step: plan.ProveSSH{Role: plan.Pending}, status: Broken,
			err: []string{"pending SSH key: the record in Vault has no such key; plan again"},
		},

		"prove_refused: refused": {
			world: rotated, before: noKeyOnBitbucket, step: plan.ProveRefused{Role: plan.Previous, Fingerprint: print("K1")},
			says: []string{"proof: Bitbucket refuses a login with K1"},
		},
		"prove_refused: after a while": {
			world: rotated, before: func(w *world) { noKeyOnBitbucket(w); w.lags = 4 }, step: plan.ProveRefused{Role: plan.Previous, Fingerprint: print("K1")}, took: 4 * time.Second,
			says: []string{"proof: Bitbucket refuses a login with K1"},
		},
		"prove_refused: still let in": {
			world: rotated, step: plan.ProveRefused{Role: plan.Previous, Fingerprint: print("K1")}, status: Broken, took: 4 * time.Second,
			err: []string{`the key K1 still logs in, as "svc": somebody has added it again, or it is an access key of a project or repository; remove it in Bitbucket`},
		},
		"prove_refused: another key by now": {
			world: rotated, step: plan.ProveRefused{Role: plan.Previous, Fingerprint: print("K3")}, status: Broken,
			err: []string{"the previous SSH key is K1 by now; plan again"},
		},
		"prove_refused: no such key": {
			step: plan.ProveRefused{Role: plan.Previous, Fingerprint: print("K1")}, status: Broken,
			err: []string{"previous SSH key: the record in Vault has no such key; plan again"},
		},
		"prove_refused: another host": {
			world: rotated, before: func(w *world) { noKeyOnBitbucket(w); w.hostKey = "ssh-ed25519 AAAA" }, step: plan.ProveRefused{Role: plan.Previous, Fingerprint: print("K1")}, status: Broken,
			err: []string{"whether the key is refused is not known: the SSH server  shows the host key unknown, pinned is : either its key was changed or something stands in between; ask Bitbucket's administrator whether the key was changed; if so, put the new one into ssh.host_keys"},
		},
	}
}
