package apply

import (
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
)

func noClient(w *world) {
	w.clients, w.record().Client = nil, nil
	delete(w.pairs, "oc-1")
	delete(w.tokenKeys, "ot-new")
}

func clientSteps() map[string]stepCase {
	create := plan.CreateClient{Name: "Bitbucket", HTTPURL: "https://bitbucket.example", APIURL: "https://bitbucket.example/", ServiceProvider: "bitbucket_data_center", Scoped: true}
	limited := create
	limited.Scoped, limited.Projects, limited.AgentPool = false, []string{"Web", "Data"}, "inside"
	unknown := func(w *world) { w.record().Client = nil }
	with := func(change func(*plan.CreateClient)) plan.CreateClient {
		s := limited
		change(&s)
		return s
	}
	remove := plan.DeleteClient{ID: "oc-1", Unlinks: 2, Others: []string{`policy set "base"`}}
	used := func(workspaces int, others ...string) func(*world) {
		return func(w *world) {
			w.affected = tfe.Affected{Workspaces: workspaces, Names: []string{"a", "b", "c", "d", "e", "f"}[:workspaces], Others: others}
		}
	}
	return map[string]stepCase{
		"create_client: none there": {
			before: noClient, step: create, once: true,
			want: []string{
				`+ client oc-made-0 "Bitbucket" https://bitbucket.example https://bitbucket.example/ bitbucket_data_center: ck-A A, private A scoped=true`,
				"+ corp/acme: client oc-made-0 made@0s",
			},
		},
		"create_client: limited": {
			before: noClient, step: limited,
			want: []string{
				`+ client oc-made-0 "Bitbucket" https://bitbucket.example https://bitbucket.example/ bitbucket_data_center: ck-A A, private A scoped=false [prj-web prj-data] apool-inside`,
				"+ corp/acme: client oc-made-0 made@0s",
			},
		},
		"create_client: no such project": {
			before: noClient, step: with(func(s *plan.CreateClient) { s.Projects = []string{"Web", "Nope"} }), status: Broken,
			err: []string{`organization acme has no project "Nope", or bbsync's token does not see it`},
		},
		"create_client: no such agent pool": {
			before: noClient, step: with(func(s *plan.CreateClient) { s.AgentPool = "nope" }), status: Broken,
			err: []string{`organization acme has no agent pool "nope", or bbsync's token does not see it`},
		},
		"create_client: no key": {
			before: func(w *world) { noClient(w); w.record().Consumer = nil }, step: create, status: Broken,
			err: []string{"consumer key: the record in Vault has no such key; plan again"},
		},
		"create_client: there, and not noted": {
			before: unknown, step: create,
			want: []string{
				"+ corp/acme: client oc-1 made@0s",
			},
		},
		"create_client: there, and noted": {step: create},
		"create_client: somebody else's": {
			before: func(w *world) { noClient(w); w.addClient("oc-2", "B", nil) }, step: create,
			want: []string{
				`+ client oc-made-1 "Bitbucket" https://bitbucket.example https://bitbucket.example/ bitbucket_data_center: ck-A A, private A scoped=true`,
				"+ corp/acme: client oc-made-1 made@0s",
			},
		},
		"create_client: ours has another key": {before: func(w *world) { w.clients[0].Key = "other" }, step: create},
		"create_client: two, one has a token": {
			before: func(w *world) { unknown(w); w.addClient("oc-0", "A", nil); w.clients[0].Created = began }, step: create,
			want: []string{
				"+ corp/acme: client oc-1 made@0s",
			},
		},
		"create_client: two, the second has a token": {
			before: func(w *world) { unknown(w); w.clients[0].Token = nil; w.addClient("oc-2", "A", &tfe.Token{ID: "ot-2"}) }, step: create,
			want: []string{
				"+ corp/acme: client oc-2 made@0s",
			},
		},
		"create_client: two, one is noted": {before: func(w *world) {
			w.clients[0].Token = nil
			w.addClient("oc-2", "A", nil)
			w.clients[1].Created = began.Add(-24 * time.Hour)
		}, step: create},
		"create_client: two, one is older": {
			before: func(w *world) {
				unknown(w)
				w.clients[0].Token = nil
				w.addClient("oc-2", "A", nil)
				w.clients[1].Created = began.Add(-24 * time.Hour)
			}, step: create,
			want: []string{
				"+ corp/acme: client oc-2 made@0s",
			},
		},
		"create_client: held by a client that is gone": {
			before: func(w *world) { noClient(w); w.record().Consumer.Private = secret.Text{} }, step: create, status: Broken,
			err: []string{"the OAuth client is gone; plan again"},
		},

		"update_client: name": {
			step: plan.UpdateClient{ID: "oc-1", Name: new("acme")},
			want: []string{
				`- client oc-1 "Bitbucket" : ck-A A, private A`,
				`+ client oc-1 "acme" : ck-A A, private A`,
			},
		},
		"update_client: scope": {
			step: plan.UpdateClient{ID: "oc-1", Scoped: new(false), Projects: &[]string{"Data"}, AgentPool: new("inside")},
			want: []string{
				`- client oc-1 "Bitbucket" : ck-A A, private A`,
				`+ client oc-1 "Bitbucket" : ck-A A, private A scoped=false [prj-data] apool-inside`,
			},
		},
		"update_client: no projects, no pool": {
			before: func(w *world) { w.clients[0].Projects, w.clients[0].AgentPool = []string{"prj-web"}, "apool-inside" }, step: plan.UpdateClient{ID: "oc-1", Projects: &[]string{}, AgentPool: new("")},
			want: []string{
				`- client oc-1 "Bitbucket" : ck-A A, private A [prj-web] apool-inside`,
				`+ client oc-1 "Bitbucket" : ck-A A, private A`,
			},
		},
		"update_client: no such project": {
			step: plan.UpdateClient{ID: "oc-1", Projects: &[]string{"Nope"}}, status: Broken,
			err: []string{`organization acme has no project "Nope", or bbsync's token does not see it`},
		},
		"update_client: no such agent pool": {
			step: plan.UpdateClient{ID: "oc-1", AgentPool: new("nope")}, status: Broken,
			err: []string{`organization acme has no agent pool "nope", or bbsync's token does not see it`},
		},
		"update_client: keys": {
			before: func(w *world) { w.clients[0].Key, w.pairs["oc-1"] = "other", "B" }, step: plan.UpdateClient{ID: "oc-1", Keys: true},
			want: []string{
				`- client oc-1 "Bitbucket" : other A, private B`,
				`+ client oc-1 "Bitbucket" : ck-A A, private A`,
				"+ corp/acme: refused token ot-new",
			},
		},
		"update_client: keys, none there": {
			before: func(w *world) { w.record().Consumer = nil }, step: plan.UpdateClient{ID: "oc-1", Keys: true}, status: Broken,
			err: []string{"consumer key: the record in Vault has no such key; plan again"},
		},
		"update_client: keys, not held": {
			before: func(w *world) { w.record().Consumer.Private = secret.Text{}; w.clients[0].RSAPublicKey = "" }, step: plan.UpdateClient{ID: "oc-1", Keys: true}, status: Broken,
			err: []string{"consumer's pair A: its private half is not in Vault, so that its public half is not published: OAuth client oc-1 of Terraform has another"},
		},
		"update_client: adopted": {
			before: func(w *world) { noClient(w); w.addClient("oc-2", "A", nil) }, step: plan.UpdateClient{ID: "oc-2", Name: new("acme")},
			want: []string{
				`- client oc-2 "Bitbucket" : ck-A A, private A`,
				`+ client oc-2 "acme" : ck-A A, private A`,
				"+ corp/acme: client oc-2 made@0s",
			},
		},
		"update_client: gone": {
			before: noClient, step: plan.UpdateClient{ID: "oc-1", Name: new("acme")}, status: Broken,
			err: []string{"not found, or not allowed"},
		},

		"delete_client: unused": {
			step: remove,
			want: []string{
				`- client oc-1 "Bitbucket" : ck-A A, private A`,
			},
		},
		"delete_client: as planned": {
			before: used(2, `policy set "base"`), step: remove,
			want: []string{
				`- client oc-1 "Bitbucket" : ck-A A, private A`,
			},
		},
		"delete_client: one more workspace": {
			before: used(3), step: remove, status: Broken,
			err: []string{"it would unlink 3 workspaces ([a b c]), and 2 were planned: plan again, or run with --allow-unlink=3 to accept that"},
		},
		"delete_client: many more workspaces": {
			before: used(6), step: remove, status: Broken,
			err: []string{"it would unlink 6 workspaces ([a b c d e] and more), and 2 were planned: plan again, or run with --allow-unlink=6 to accept that"},
		},
		"delete_client: something else": {
			before: used(1, `stack "x"`), step: remove, status: Broken,
			err: []string{`it would take the OAuth token from stack "x", which was not planned: plan again, or run with --allow-unlink=2 to accept that`},
		},
		"delete_client: more, and allowed": {
			before: used(3, `stack "x"`), step: remove, opts: Options{AllowUnlink: 4},
			want: []string{
				`- client oc-1 "Bitbucket" : ck-A A, private A`,
			},
		},
		"delete_client: more than is allowed": {
			before: used(3, `stack "x"`), step: remove, opts: Options{AllowUnlink: 3}, status: Broken,
			err: []string{`it would take the OAuth token from stack "x", which was not planned: plan again, or run with --allow-unlink=4 to accept that`},
		},
		"delete_client: gone": {before: noClient, step: remove},
	}
}
