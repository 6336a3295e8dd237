package apply

import (
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
)

// swaps is a world in which the consumer's pair B is to replace A.
func swaps() *world {
	w := connected()
	r := w.record()
	next := consumer("B")
	next.Previous, r.Consumer = r.Consumer, next
	return w
}

func swapped() *world {
	w := swaps()
	w.addLink("B")
	w.clients[0].Key, w.clients[0].RSAPublicKey, w.pairs["oc-1"] = "ck-B", testKeys()["B"].Public, "B"
	return w
}

func swapSteps() map[string]stepCase {
	swap := plan.SwapConsumer{LinkURL: linkURL, Name: "Terraform", ClientID: "oc-1"}
	back := func(w *world) {
		w.record().RefusedToken = "ot-new"
		w.record().Consumer = w.record().Consumer.Previous
	}
	privateElsewhere := func(w *world) { w.record().Consumer.Previous.Private = secret.Text{} }
	return map[string]stepCase{
		"swap_consumer: both sides have the old": {
			undoes: back, world: swaps, step: swap,
			want: []string{
				`- client oc-1 "Bitbucket" : ck-A A, private A`,
				`- link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
				`+ client oc-1 "Bitbucket" : ck-B B, private B`,
				"+ corp/acme: refused token ot-new",
				`+ link's consumer: ck-B B "Terraform" "managed by bbsync, fleet prod"`,
			},
		},
		"swap_consumer: both sides have the new": {
			undoes: func(w *world) { *w = *connected(); w.record().RefusedToken = "ot-new" }, world: swapped, step: swap,
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"swap_consumer: the client is not known": {
			undoes: back, world: swaps, step: plan.SwapConsumer{LinkURL: linkURL, Name: "Terraform"},
			want: []string{
				`- client oc-1 "Bitbucket" : ck-A A, private A`,
				`- link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
				`+ client oc-1 "Bitbucket" : ck-B B, private B`,
				"+ corp/acme: refused token ot-new",
				`+ link's consumer: ck-B B "Terraform" "managed by bbsync, fleet prod"`,
			},
		},
		"swap_consumer: the client is gone, and not known": {
			world: swaps, before: func(w *world) { w.clients = nil }, step: plan.SwapConsumer{LinkURL: linkURL}, status: Broken,
			err: []string{"the OAuth client is gone; plan again"},
		},
		"swap_consumer: nothing to swap": {
			step: swap, status: Broken,
			err: []string{"consumer's pair before: the record in Vault has no such key; plan again"},
		},
		"swap_consumer: no key": {
			before: func(w *world) { w.record().Consumer = nil }, step: swap, status: Broken,
			err: []string{"consumer key: the record in Vault has no such key; plan again"},
		},
		"swap_consumer: the client is gone": {
			world: swaps, before: func(w *world) { w.clients = nil }, step: swap, status: Broken,
			err: []string{"setting the pair on Terraform: not found, or not allowed; the pair before could not be put back on both sides: setting the pair on Terraform: not found, or not allowed; run again to go on"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"swap_consumer: no link": {
			world: swaps, before: func(w *world) { clear(w.links) }, step: swap, status: Broken,
			err: []string{"setting the consumer on Bitbucket: not found; the pair before could not be put back on both sides: setting the consumer on Bitbucket: not found; run again to go on"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"swap_consumer: not a URL": {
			world: swaps, step: plan.SwapConsumer{LinkURL: "nonsense", ClientID: "oc-1"}, status: Broken,
			err: []string{"the application link's url is not an absolute URL; the pair before could not be put back on both sides: the application link's url is not an absolute URL; run again to go on"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"swap_consumer: the old is held by Terraform": {
			world: swaps, before: privateElsewhere, step: swap,
			want: []string{
				`- client oc-1 "Bitbucket" : ck-A A, private A`,
				`- link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
				`+ client oc-1 "Bitbucket" : ck-B B, private B`,
				"+ corp/acme: refused token ot-new",
				`+ link's consumer: ck-B B "Terraform" "managed by bbsync, fleet prod"`,
			},
		},
		"swap_consumer: the old is held by a client that is gone": {
			world: swaps, before: func(w *world) { privateElsewhere(w); w.clients[0].ID = "oc-2" }, step: swap, status: Broken,
			err: []string{"not found, or not allowed; the public key before could not be put back on Bitbucket: the OAuth client is gone; plan again; run again to go on"},
			want: []string{
				`- link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
				"+ corp/acme: refused token ot-new",
				`+ link's consumer: ck-B B "Terraform" "managed by bbsync, fleet prod"`,
			},
		},
		"swap_consumer: the old is held by Terraform, not a URL": {
			world: swaps, before: privateElsewhere, step: plan.SwapConsumer{LinkURL: "nonsense", ClientID: "oc-1"}, status: Broken,
			err: []string{"the application link's url is not an absolute URL"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},

		"retire_consumer: replaced": {
			world: swapped, step: plan.RetireConsumer{},
			want: []string{
				"- corp/acme: previous consumer ck-A A created@-1h0m0s",
				"+ corp/acme: retired A at@0s destroyed",
			},
		},
		"retire_consumer: compromised": {
			world: swapped, before: func(w *world) { w.record().Consumer.Previous.Compromised = "stolen" }, step: plan.RetireConsumer{},
			want: []string{
				"- corp/acme: previous consumer ck-A A created@-1h0m0s condemned=stolen",
				"+ corp/acme: retired A at@0s why=stolen destroyed",
			},
		},
		"retire_consumer: not replaced": {
			world: swaps, step: plan.RetireConsumer{}, status: Broken,
			err: []string{"the consumer on Bitbucket still has the previous public key, A; run again"},
		},
		"retire_consumer: the link is gone": {
			world: swapped, before: func(w *world) { clear(w.links); clear(w.consumers) }, step: plan.RetireConsumer{},
			want: []string{
				"- corp/acme: previous consumer ck-A A created@-1h0m0s",
				"+ corp/acme: retired A at@0s destroyed",
			},
		},
		"retire_consumer: no link is known": {
			world: swapped, before: unknownLink, step: plan.RetireConsumer{},
			want: []string{
				"- corp/acme: previous consumer ck-A A created@-1h0m0s",
				"+ corp/acme: retired A at@0s destroyed",
			},
		},
		"retire_consumer: dropped before": {
			before: func(w *world) { w.record().Retired = &record.RetiredKey{Fingerprint: print("B"), At: began} }, step: plan.RetireConsumer{},
			want: []string{
				"- corp/acme: retired B at@0s",
				"+ corp/acme: retired B at@0s destroyed",
			},
		},
		"retire_consumer: no consumer": {before: func(w *world) { w.record().Consumer = nil }, step: plan.RetireConsumer{}},
	}
}
