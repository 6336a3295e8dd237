package apply

import (
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
)

func rotationSteps() map[string]stepCase {
	mark := plan.MarkCompromised{Fingerprints: []string{print("K1"), print("K2"), print("K3")}, Consumer: print("A"), Reason: "stolen"}
	noToken := func(w *world) { w.clients[0].Token = nil }
	return map[string]stepCase{
		"mark_compromised: current and pending": {
			world: rotates, step: mark,
			want: []string{
				"- corp/acme: consumer ck-A A created@-1h0m0s",
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/acme: pending K2 created@-1h0m0s published@-1m0s",
				"+ corp/acme: consumer ck-A A created@-1h0m0s condemned=stolen",
				"+ corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s condemned=stolen",
				"+ corp/acme: pending K2 created@-1h0m0s published@-1m0s condemned=stolen",
			},
		},
		"mark_compromised: previous": {
			world: rotated, step: plan.MarkCompromised{Fingerprints: []string{print("K1")}, Reason: "stolen"},
			want: []string{
				"- corp/acme: previous K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s left@-1m0s",
				"+ corp/acme: previous K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s left@-1m0s condemned=stolen",
			},
		},
		"mark_compromised: others": {step: plan.MarkCompromised{Fingerprints: []string{print("K2")}, Consumer: print("B"), Reason: "stolen"}},
		"mark_compromised: none": {
			world: empty, step: mark,
			want: []string{
				"+ corp/acme: described, user svc",
			},
		},

		"restage_key: previous": {
			world: rotated, before: func(w *world) { w.record().SSH.Previous.Set = began }, step: plan.RestageKey{Fingerprint: print("K1")},
			want: []string{
				"- corp/acme: previous K1 created@-1h0m0s published@-1h0m0s token=ot-new set@0s left@-1m0s",
				"+ corp/acme: pending K1 created@-1h0m0s published@-1h0m0s left@-1m0s",
			},
		},
		"restage_key: staged already": {world: rotates, step: plan.RestageKey{Fingerprint: print("K2")}},
		"restage_key: another pending": {
			world: rotated, before: func(w *world) { w.record().SSH.Pending = sshKey("K3") }, step: plan.RestageKey{Fingerprint: print("K1")}, status: Broken,
			err: []string{"previous SSH key K1: the record in Vault has no such key; plan again"},
		},
		"restage_key: another previous": {
			world: rotated, step: plan.RestageKey{Fingerprint: print("K3")}, status: Broken,
			err: []string{"previous SSH key K3: the record in Vault has no such key; plan again"},
		},
		"restage_key: gone": {
			step: plan.RestageKey{Fingerprint: print("K1")}, status: Broken,
			err: []string{"previous SSH key K1: the record in Vault has no such key; plan again"},
		},

		"switch_key: pending": {
			world: rotates, before: func(w *world) { w.skew = time.Minute }, step: plan.SwitchKey{Fingerprint: print("K2")}, once: true,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/acme: pending K2 created@-1h0m0s published@-1m0s",
				"- token ot-new has K1",
				"+ corp/acme: authorized ot-new svc 7",
				"+ corp/acme: current K2 created@-1h0m0s published@-1m0s token=ot-new set@0s",
				"+ corp/acme: previous K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s left@1m0s",
				"+ token ot-new has K2",
			},
		},
		"switch_key: not known before": {
			world: rotates, step: plan.SwitchKey{}, once: true,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/acme: pending K2 created@-1h0m0s published@-1m0s",
				"- token ot-new has K1",
				"+ corp/acme: authorized ot-new svc 7",
				"+ corp/acme: current K2 created@-1h0m0s published@-1m0s token=ot-new set@0s",
				"+ corp/acme: previous K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s left@0s",
				"+ token ot-new has K2",
			},
		},
		"switch_key: by another name of the user": {
			world: rotates, before: func(w *world) { w.clients[0].Token.User = "service" }, step: plan.SwitchKey{}, once: true,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/acme: pending K2 created@-1h0m0s published@-1m0s",
				"- token ot-new has K1",
				"+ corp/acme: authorized ot-new service 7",
				"+ corp/acme: current K2 created@-1h0m0s published@-1m0s token=ot-new set@0s",
				"+ corp/acme: previous K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s left@0s",
				"+ token ot-new has K2",
			},
		},
		"switch_key: another key by now": {
			world: rotates, step: plan.SwitchKey{Fingerprint: print("K3")}, status: Broken,
			err: []string{"the pending SSH key is K2 by now; plan again"},
		},
		"switch_key: none pending": {
			step: plan.SwitchKey{}, status: Broken,
			err: []string{"pending SSH key: the record in Vault has no such key; plan again"},
		},
		"switch_key: a previous one is there": {
			world: rotates, before: func(w *world) { w.record().SSH.Previous = sshKey("K3") }, step: plan.SwitchKey{}, status: Broken,
			err: []string{"the record has a previous SSH key that is not retired; plan again"},
		},
		"switch_key: no client": {
			world: rotates, before: func(w *world) { w.clients = nil }, step: plan.SwitchKey{}, status: Broken,
			err: []string{"the OAuth client is gone; plan again"},
		},
		"switch_key: no token": {
			world: rotates, before: noToken, step: plan.SwitchKey{}, status: Broken,
			err: []string{"the OAuth token is gone; plan again"},
		},
		"switch_key: somebody else's token": {
			world: rotates, before: func(w *world) { w.clients[0].Token.User = "jane" }, step: plan.SwitchKey{}, status: Broken,
			err: []string{`"Bitbucket" was authorized as jane, not as svc: Terraform would act on Bitbucket as jane. Revoke the connection in the organization's VCS provider settings, log in to Bitbucket as svc, and connect again`},
		},
		"switch_key: no client, and none needed": {
			world: rotates, before: func(w *world) { w.clients = nil }, step: plan.SwitchKey{NoToken: true}, once: true,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/acme: pending K2 created@-1h0m0s published@-1m0s",
				"+ corp/acme: current K2 created@-1h0m0s published@-1m0s",
				"+ corp/acme: previous K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s left@0s",
			},
		},
		"switch_key: no token, and none needed": {
			world: rotates, before: noToken, step: plan.SwitchKey{NoToken: true}, once: true,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/acme: pending K2 created@-1h0m0s published@-1m0s",
				"+ corp/acme: current K2 created@-1h0m0s published@-1m0s",
				"+ corp/acme: previous K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s left@0s",
			},
		},
		"switch_key: no current key": {
			world: rotates, before: func(w *world) { w.record().SSH.Current = nil; w.record().Client = nil }, step: plan.SwitchKey{}, once: true,
			want: []string{
				"- corp/acme: pending K2 created@-1h0m0s published@-1m0s",
				"- token ot-new has K1",
				"+ corp/acme: authorized ot-new svc 7",
				"+ corp/acme: client oc-1 made@0s",
				"+ corp/acme: current K2 created@-1h0m0s published@-1m0s token=ot-new set@0s",
				"+ token ot-new has K2",
			},
		},

		"retire_key: previous": {
			world: rotated, step: plan.RetireKey{Role: plan.Previous, Fingerprint: print("K1")},
			want: []string{
				"- corp/acme: previous K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s left@-1m0s",
				"+ corp/acme: retired K1 at@0s destroyed",
			},
		},
		"retire_key: compromised": {
			world: rotated, before: func(w *world) { w.record().SSH.Previous.Compromised = "stolen" }, step: plan.RetireKey{Role: plan.Previous, Fingerprint: print("K1")},
			want: []string{
				"- corp/acme: previous K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s left@-1m0s condemned=stolen",
				"+ corp/acme: retired K1 at@0s why=stolen destroyed",
			},
		},
		"retire_key: dropped before": {
			before: func(w *world) { w.record().Retired = &record.RetiredKey{Fingerprint: print("K3"), At: began} }, step: plan.RetireKey{Role: plan.Previous, Fingerprint: print("K3")},
			want: []string{
				"- corp/acme: retired K3 at@0s",
				"+ corp/acme: retired K3 at@0s destroyed",
			},
		},
		"retire_key: another by now": {world: rotated, step: plan.RetireKey{Role: plan.Previous, Fingerprint: print("K3")}},
	}
}
