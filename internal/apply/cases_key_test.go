package apply

import (
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/secret"
)

// brings puts a private key where the configuration says that the user's own is.
func brings(name string) func(*world) {
	return func(w *world) {
		w.secrets = map[string]secret.Text{"vault:kv/own#key": testKeys()[name].Private, "env:OWN": testKeys()[name].Private}
	}
}

func keySteps() map[string]stepCase {
	return map[string]stepCase{
		"create_consumer_key: none there": {
			world: empty, step: plan.CreateConsumerKey{Bits: 2048}, once: true,
			want: []string{
				"+ corp/acme: consumer generated new created@0s",
				"+ corp/acme: described, user svc",
			},
		},
		"create_consumer_key: for a client that is taken over": {
			world: empty, before: brings("B"), step: plan.CreateConsumerKey{Key: "ck-own", From: "env:OWN", Client: "oc-7"},
			want: []string{
				"+ corp/acme: client oc-7 made@0s",
				"+ corp/acme: consumer ck-own B created@0s brought",
				"+ corp/acme: described, user svc",
			},
		},
		"create_consumer_key: there already": {step: plan.CreateConsumerKey{Bits: 2048}},
		"create_consumer_key: your own": {
			world: empty, before: brings("B"), step: plan.CreateConsumerKey{Key: "ck-own", From: "vault:kv/own#key"},
			want: []string{
				"+ corp/acme: consumer ck-own B created@0s brought",
				"+ corp/acme: described, user svc",
			},
		},
		"create_consumer_key: your own, env": {
			world: empty, before: brings("B"), step: plan.CreateConsumerKey{Key: "ck-own", From: "env:OWN"},
			want: []string{
				"+ corp/acme: consumer ck-own B created@0s brought",
				"+ corp/acme: described, user svc",
			},
		},
		"create_consumer_key: your own is gone": {
			world: empty, step: plan.CreateConsumerKey{From: "vault:kv/own#key"}, status: Broken,
			err: []string{"fetching the private key from vault:kv/own#key: no such secret"},
			want: []string{
				"+ corp/acme: described, user svc",
			},
		},
		"create_consumer_key: your own is none": {
			world: empty, before: func(w *world) { w.secrets = map[string]secret.Text{"env:OWN": secret.New("hello")} },
			step: plan.CreateConsumerKey{From: "env:OWN"}, status: Broken,
			err: []string{"the consumer's private key: it is no key: PEM or OpenSSH form is expected"},
			want: []string{
				"+ corp/acme: described, user svc",
			},
		},
		"create_consumer_key: again": {
			before: brings("B"), step: plan.CreateConsumerKey{Key: "ck-B", From: "env:OWN", Again: true},
			want: []string{
				"- corp/acme: consumer ck-A A created@-1h0m0s",
				"+ corp/acme: consumer ck-B B created@0s brought",
				"+ corp/acme: previous consumer ck-A A created@-1h0m0s",
			},
		},
		"create_consumer_key: again, in an emergency": {
			before: brings("B"), step: plan.CreateConsumerKey{Key: "ck-B", From: "env:OWN", Again: true, Reason: "stolen"},
			want: []string{
				"- corp/acme: consumer ck-A A created@-1h0m0s",
				"+ corp/acme: consumer ck-B B created@0s brought",
				"+ corp/acme: previous consumer ck-A A created@-1h0m0s condemned=stolen",
			},
		},
		"create_consumer_key: again, by bbsync": {
			step: plan.CreateConsumerKey{Key: "ck-B", Bits: 2048, Again: true},
			want: []string{
				"- corp/acme: consumer ck-A A created@-1h0m0s",
				"+ corp/acme: consumer ck-B new created@0s",
				"+ corp/acme: previous consumer ck-A A created@-1h0m0s",
			},
		},
		"create_consumer_key: again, there already": {
			before: func(w *world) { brings("C")(w); w.record().Consumer.Previous = consumer("B") },
			step:   plan.CreateConsumerKey{Key: "ck-C", From: "env:OWN", Again: true},
		},
		"create_consumer_key: again, still the old one": {
			before: brings("A"), step: plan.CreateConsumerKey{From: "env:OWN", Again: true}, status: Broken,
			err: []string{"env:OWN still holds the pair that is in use, A: put the new one there first"},
		},
		"create_consumer_key: lost with Terraform": {
			before: func(w *world) { brings("B")(w); w.record().Consumer.Private = secret.Text{} },
			step:   plan.CreateConsumerKey{Key: "ck-B", From: "env:OWN"},
			want: []string{
				"- corp/acme: consumer ck-A A (private -, public A) created@-1h0m0s",
				"+ corp/acme: consumer ck-B B created@0s brought",
			},
		},
		"create_consumer_key: lost with Terraform, in an emergency": {
			before: func(w *world) { brings("B")(w); w.record().Consumer.Private = secret.Text{} },
			step:   plan.CreateConsumerKey{Key: "ck-B", From: "env:OWN", Reason: "stolen"},
			want: []string{
				`- corp/acme: consumer ck-A A (private -, public A) created@-1h0m0s`,
				`+ corp/acme: consumer ck-B B created@0s brought`,
			},
		},
		"create_consumer_key: again, held by Terraform": {
			before: func(w *world) { brings("B")(w); w.record().Consumer.Private = secret.Text{} },
			step:   plan.CreateConsumerKey{Key: "ck-B", From: "env:OWN", Again: true},
			want: []string{
				"- corp/acme: consumer ck-A A (private -, public A) created@-1h0m0s",
				"+ corp/acme: consumer ck-B B created@0s brought",
				"+ corp/acme: previous consumer ck-A A (private -, public A) created@-1h0m0s",
			},
		},
		"create_consumer_key: Vault deletes it": {
			before: func(w *world) { w.record().Consumer = nil; w.record().Deletes = began.Add(time.Hour) },
			step:   plan.CreateConsumerKey{Bits: 2048}, status: Broken,
			err: []string{"creating a key: Vault deletes what is written to the record on 2000-01-01 01:00 UTC (delete_version_after of the mount or of the record), and the key would be lost with it: set it to 0s, with vault write MOUNT/config or vault kv metadata put, and run again"},
		},
		"create_ssh_key: none there": {
			world: empty, step: plan.CreateSSHKey{Role: plan.Current, Bits: 2048}, once: true,
			want: []string{
				"+ corp/acme: current new created@0s",
				"+ corp/acme: described, user svc",
			},
		},
		"create_ssh_key: there already": {step: plan.CreateSSHKey{Role: plan.Current, Bits: 2048}},
		"create_ssh_key: half there": {
			before: func(w *world) { brings("K2")(w); w.record().SSH.Current.Private = secret.Text{} },
			step:   plan.CreateSSHKey{Role: plan.Current, From: "env:OWN"},
			want: []string{
				"- corp/acme: current K1 (private -, public K1) created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"+ corp/acme: current K2 created@0s brought",
			},
		},
		"create_ssh_key: pending, by bbsync": {
			step: plan.CreateSSHKey{Role: plan.Pending, Bits: 2048}, once: true,
			want: []string{
				"+ corp/acme: pending new created@0s",
			},
		},
		"create_ssh_key: pending, your own": {
			before: brings("K2"), step: plan.CreateSSHKey{Role: plan.Pending, From: "vault:kv/own#key"},
			want: []string{
				"+ corp/acme: pending K2 created@0s brought",
			},
		},
		"create_ssh_key: pending, still the old": {
			before: brings("K1"), step: plan.CreateSSHKey{Role: plan.Pending, From: "vault:kv/own#key"}, status: Broken,
			err: []string{"vault:kv/own#key still holds the key that is in use, K1: put the new one there first"},
		},
		"create_ssh_key: pending, your own is gone": {
			step: plan.CreateSSHKey{Role: plan.Pending, From: "vault:kv/own#key"}, status: Broken,
			err: []string{"fetching the private key from vault:kv/own#key: no such secret"},
		},
		"create_ssh_key: Vault deletes it": {
			before: func(w *world) { w.record().Deletes = began.Add(time.Hour) },
			step:   plan.CreateSSHKey{Role: plan.Pending, Bits: 2048}, status: Broken,
			err: []string{"creating a key: Vault deletes what is written to the record on 2000-01-01 01:00 UTC (delete_version_after of the mount or of the record), and the key would be lost with it: set it to 0s, with vault write MOUNT/config or vault kv metadata put, and run again"},
		},
	}
}
