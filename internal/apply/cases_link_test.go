package apply

import (
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/secret"
)

// noLink takes the link away, in Bitbucket and in the record.
func noLink(w *world) {
	clear(w.links)
	clear(w.consumers)
	w.record().Link = nil
}

func unknownLink(w *world) { w.record().Link = nil }

func linkSteps() map[string]stepCase {
	create := plan.CreateLink{URL: linkURL, Name: "Terraform"}
	set := plan.SetConsumer{LinkURL: linkURL, Name: "Terraform"}
	otherConsumer := func(w *world) { noLink(w); w.addLink("B") }
	noConsumer := func(w *world) { clear(w.consumers); unknownLink(w) }
	return map[string]stepCase{
		"create_link: none there": {
			before: noLink, step: create,
			want: []string{
				"+ corp/acme: link https://tfe.example/acme made@0s",
				"+ corp/acme: refused token ot-new",
				`+ link https://tfe.example/acme "Terraform"`,
			},
		},
		"create_link: none there, no token": {
			before: all(noLink, func(w *world) { w.record().SSH.Current.Token = "" }), step: create,
			want: []string{
				"+ corp/acme: link https://tfe.example/acme made@0s",
				`+ link https://tfe.example/acme "Terraform"`,
			},
		},
		"create_link: none there, no SSH key": {
			before: all(noLink, func(w *world) { w.record().SSH.Current = nil }), step: create,
			want: []string{
				"+ corp/acme: link https://tfe.example/acme made@0s",
				`+ link https://tfe.example/acme "Terraform"`,
			},
		},
		"create_link: in doubt already": {
			before: all(noLink, func(w *world) { w.record().RefusedToken = "ot-new" }), step: create,
			want: []string{
				"+ corp/acme: link https://tfe.example/acme made@0s",
				`+ link https://tfe.example/acme "Terraform"`,
			},
		},
		"create_link: another has the name": {
			before: all(noLink, func(w *world) { w.renames = "Terraform 2" }), step: create, once: true,
			want: []string{
				"+ corp/acme: link https://tfe.example/acme made@0s",
				"+ corp/acme: refused token ot-new",
				`+ link https://tfe.example/acme "Terraform 2"`,
			},
			says: []string{`warning: another link had the name: Bitbucket named this one "Terraform 2"`},
		},
		"create_link: ours is there": {
			before: unknownLink, step: create,
			want: []string{
				"+ corp/acme: link https://tfe.example/acme made@0s",
				"+ corp/acme: refused token ot-new",
			},
		},
		"create_link: there, without consumer": {
			before: noConsumer, step: create,
			want: []string{
				"+ corp/acme: link https://tfe.example/acme made@0s",
				"+ corp/acme: refused token ot-new",
			},
		},
		"create_link: somebody else's": {
			before: otherConsumer, step: create, status: Broken,
			err: []string{"somebody made a link on https://tfe.example/acme, with consumer key ck-B, after this was planned; plan again"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"create_link: somebody else's, and no key": {
			before: all(otherConsumer, func(w *world) { w.record().Consumer = nil }), step: create, status: Broken,
			err: []string{"consumer key: the record in Vault has no such key; plan again"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"create_link: not a URL": {
			before: noLink, step: plan.CreateLink{URL: "nonsense"}, status: Broken,
			err: []string{"the application link's url is not an absolute URL"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},

		"create_link: whose it is cannot be read": { // requests: 1 lease, 2 doubt, 3 create, 4 read
			before: all(otherConsumer, func(w *world) { w.faults = map[int]fault{4: {failure: refused}} }), step: create, status: Broken, once: true,
			err:  []string{"read consumer: not available now"},
			want: []string{"+ corp/acme: refused token ot-new"},
		},

		"rename_link: there": {
			step: plan.RenameLink{URL: linkURL + "/", From: "Terraform", To: "acme"},
			want: []string{
				`- link https://tfe.example/acme "Terraform"`,
				`+ link https://tfe.example/acme "acme"`,
			},
		},
		"rename_link: done": {step: plan.RenameLink{URL: linkURL, From: "old", To: "Terraform"}},
		"rename_link: gone": {
			before: noLink, step: plan.RenameLink{URL: linkURL, To: "acme"}, status: Broken,
			err: []string{"the link on https://tfe.example/acme is gone; plan again"},
		},

		"delete_link: there": {
			step: plan.DeleteLink{URL: linkURL, ConsumerKey: "ck-A"},
			want: []string{
				`- link https://tfe.example/acme "Terraform"`,
				`- link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
				"+ corp/acme: refused token ot-new",
			},
		},
		"delete_link: gone": {
			before: noLink, step: plan.DeleteLink{URL: linkURL, ConsumerKey: "ck-A"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"delete_link: without consumer": {
			before: noConsumer, step: plan.DeleteLink{URL: linkURL, ConsumerKey: "ck-A"},
			want: []string{
				`- link https://tfe.example/acme "Terraform"`,
				"+ corp/acme: refused token ot-new",
			},
		},
		"delete_link: somebody else's": {before: otherConsumer, step: plan.DeleteLink{URL: linkURL, ConsumerKey: "ck-A"}},
		"delete_link: not a URL": {
			step: plan.DeleteLink{URL: "nonsense"}, status: Broken,
			err: []string{"the application link's url is not an absolute URL"},
		},

		"set_consumer: none there": {
			before: noConsumer, step: set,
			want: []string{
				"+ corp/acme: link https://tfe.example/acme made@0s",
				"+ corp/acme: refused token ot-new",
				`+ link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
			},
		},
		"set_consumer: there already": {step: set},
		"set_consumer: another name": {
			step: plan.SetConsumer{LinkURL: linkURL, Name: "acme"},
			want: []string{
				`- link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
				`+ link's consumer: ck-A A "acme" "managed by bbsync, fleet prod"`,
			},
		},
		"set_consumer: another key": {
			before: func(w *world) { w.addLink("B") }, step: set,
			want: []string{
				`- link's consumer: ck-B B "Terraform" "managed by bbsync, fleet prod"`,
				"+ corp/acme: refused token ot-new",
				`+ link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
			},
		},
		"set_consumer: another public key": {
			before: func(w *world) {
				c := w.consumers[linkID(linkURL)]
				c.PublicKey = testKeys()["B"].Public
				w.consumers[linkID(linkURL)] = c
			}, step: set,
			want: []string{
				`- link's consumer: ck-A B "Terraform" "managed by bbsync, fleet prod"`,
				"+ corp/acme: refused token ot-new",
				`+ link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
			},
		},
		"set_consumer: no link": {
			before: noLink, step: set, status: Broken,
			err: []string{"not found"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"set_consumer: no key": {
			before: func(w *world) { w.record().Consumer = nil }, step: set, status: Broken,
			err: []string{"consumer key: the record in Vault has no such key; plan again"},
		},
		"set_consumer: not a URL": {
			step: plan.SetConsumer{LinkURL: "nonsense"}, status: Broken,
			err: []string{"the application link's url is not an absolute URL"},
		},
		"set_consumer: the record's public key was changed": {
			before: func(w *world) { clear(w.consumers); w.record().Consumer.Public = testKeys()["B"].Public }, step: set,
			want: []string{
				"+ corp/acme: refused token ot-new",
				`+ link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
			},
		},
		"set_consumer: held by Terraform": {
			before: func(w *world) { clear(w.consumers); w.record().Consumer.Private = secret.Text{} }, step: set,
			want: []string{
				"+ corp/acme: refused token ot-new",
				`+ link's consumer: ck-A A "Terraform" "managed by bbsync, fleet prod"`,
			},
		},
		"set_consumer: held by Terraform, which has another": {
			before: func(w *world) {
				clear(w.consumers)
				w.record().Consumer.Private = secret.Text{}
				w.clients[0].RSAPublicKey = testKeys()["B"].Public
			}, step: set, status: Broken,
			err: []string{"consumer's pair A: its private half is not in Vault, so that its public half is not published: OAuth client oc-1 of Terraform has another"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"set_consumer: held by Terraform, which has none": {
			before: func(w *world) {
				clear(w.consumers)
				w.record().Consumer.Private = secret.Text{}
				w.clients[0].RSAPublicKey = "nonsense"
			}, step: set, status: Broken,
			err: []string{"consumer's pair A: its private half is not in Vault, so that its public half is not published: OAuth client oc-1 of Terraform has another"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"set_consumer: held by a client that is gone": {
			before: func(w *world) {
				clear(w.consumers)
				w.record().Consumer.Private = secret.Text{}
				w.clients = nil
			}, step: set, status: Broken,
			err: []string{"the OAuth client is gone; plan again"},
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},

		"prove_consumer: works": {
			step: plan.ProveConsumer{},
			says: []string{"proof: Bitbucket gave a request token for consumer key ck-A"},
		},
		"prove_consumer: another key": {
			before: func(w *world) { w.addLink("B") }, step: plan.ProveConsumer{}, status: Broken,
			err: []string{"signature_invalid"},
		},
		"prove_consumer: no key": {
			before: func(w *world) { w.record().Consumer = nil }, step: plan.ProveConsumer{}, status: Broken,
			err: []string{"consumer key: the record in Vault has no such key; plan again"},
		},
	}
}
