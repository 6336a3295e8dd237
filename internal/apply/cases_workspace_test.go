package apply

import (
	"errors"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/tfe"
)

// relocates is a world whose workspaces a and b use another client's token.
func relocates() *world {
	w := connected()
	w.addClient("oc-old", "B", &tfe.Token{ID: "ot-old"})
	w.users = three()
	return w
}

func workspaceSteps() map[string]stepCase {
	move := plan.MoveWorkspaces{From: "oc-old", Names: []string{"space-a", "space-b"}}
	noted := func(w *world) {
		w.record().Moving = &record.Moving{From: "ot-old", To: "ot-new", Workspaces: []record.MovingWorkspace{{ID: "a", Name: "space-a", Version: "cv-before-a"}, {ID: "b", Name: "space-b", Version: "cv-before-b"}}}
		w.token["a"], w.moved["a"] = "ot-new", began
	}
	fails := func(w *world) { w.fetches = map[string]fetch{"a": {ends: "errored"}} }
	see := plan.ProveFetched{Back: "oc-old", Names: []string{"space-a", "space-b"}}
	return map[string]stepCase{
		"move_workspaces: to be moved": {
			world: relocates, step: move,
			want: []string{
				"- workspace space-a uses ot-old",
				"- workspace space-b uses ot-old",
				"+ workspace space-a uses ot-new",
				"+ workspace space-b uses ot-new",
			},
			says: []string{"proof: 2 moved, of 2 Terraform fetched the repository"},
		},
		"move_workspaces: one has moved already": {
			world: relocates, before: func(w *world) { w.token["a"] = "ot-new" }, step: move,
			want: []string{
				"- workspace space-b uses ot-old",
				"+ workspace space-b uses ot-new",
			},
			says: []string{"proof: 1 moved, of 1 Terraform fetched the repository"},
		},
		"move_workspaces: all have moved": {
			world: relocates, before: func(w *world) { w.token["a"], w.token["b"] = "ot-new", "ot-new" }, step: move,
			says: []string{"proof: 0 moved, of 0 Terraform fetched the repository"},
		},
		"move_workspaces: a fetch fails": {
			once: true, world: relocates, before: fails, step: move, status: Broken,
			err: []string{"workspace space-a: Terraform could not fetch INFRA/a with the new OAuth client: no such host; the workspaces of this wave use the old OAuth client again"},
		},
		"move_workspaces: none begins": {
			world: relocates, before: func(w *world) { w.fetches = map[string]fetch{"a": {begins: -1}} }, step: move, once: true,
			want: []string{
				"- workspace space-a uses ot-old",
				"- workspace space-b uses ot-old",
				"+ workspace space-a uses ot-new",
				"+ workspace space-b uses ot-new",
			},
			says: []string{"warning: Terraform did not begin within 10s to fetch the repositories of [space-a]: look at their newest configuration version", "proof: 2 moved, of 1 Terraform fetched the repository"},
			took: 10*time.Second + 500*time.Millisecond,
		},
		"move_workspaces: the other client is gone": {
			world: relocates, before: func(w *world) { w.clients = w.clients[:1] }, step: move, status: Broken,
			err: []string{"OAuth client oc-old, or its token, is gone: plan again"},
		},
		"move_workspaces: its token is gone": {
			world: relocates, before: func(w *world) { w.clients[1].Token = nil }, step: move, status: Broken,
			err: []string{"OAuth client oc-old, or its token, is gone: plan again"},
		},
		"move_workspaces: somebody else's token": {
			world: relocates, before: func(w *world) { w.clients[0].Token.User = "jane" }, step: move, status: Broken,
			err: []string{`"Bitbucket" was authorized as jane, not as svc: Terraform would act on Bitbucket as jane. Revoke the connection in the organization's VCS provider settings, log in to Bitbucket as svc, and connect again`},
		},
		"move_workspaces: no token": {
			world: relocates, before: func(w *world) { w.clients[0].Token = nil }, step: move, status: Broken,
			err: []string{"the OAuth token is gone; plan again"},
		},

		"prove_fetched: fetched": {
			world: relocates, before: noted, step: see,
			want: []string{
				"- corp/acme: moving from ot-old to ot-new [{a space-a cv-before-a} {b space-b cv-before-b}]",
			},
			says: []string{"proof: 1 moved, of 1 Terraform fetched the repository"},
		},
		"prove_fetched: fetched, the old client is gone": {
			world: relocates, before: noted, step: plan.ProveFetched{},
			want: []string{"- corp/acme: moving from ot-old to ot-new [{a space-a cv-before-a} {b space-b cv-before-b}]"},
			says: []string{"proof: 1 moved, of 1 Terraform fetched the repository"},
		},
		"prove_fetched: nothing noted": {world: relocates, step: see},
		"prove_fetched: a fetch failed": {
			once: true, world: relocates, before: func(w *world) { noted(w); fails(w) }, step: see, status: Broken,
			err: []string{"workspace space-a: Terraform could not fetch INFRA/a with the new OAuth client: no such host; the workspaces of this wave use the old OAuth client again"},
			want: []string{
				"- corp/acme: moving from ot-old to ot-new [{a space-a cv-before-a} {b space-b cv-before-b}]",
				"- workspace space-a uses ot-new",
				"+ workspace space-a uses ot-old",
			},
		},
		"prove_fetched: a fetch failed, the old client is gone": {
			world: relocates, before: func(w *world) { noted(w); fails(w) }, step: plan.ProveFetched{}, once: true,
			want: []string{
				"- corp/acme: moving from ot-old to ot-new [{a space-a cv-before-a} {b space-b cv-before-b}]",
			},
			says: []string{"warning: workspace space-a: Terraform could not fetch INFRA/a with the new OAuth client: no such host; the OAuth client that it used is gone", "proof: none: Terraform did not fetch the repository of every workspace"},
		},
		"prove_fetched: cannot be moved back": {
			world: relocates, before: func(w *world) {
				noted(w)
				fails(w)
				w.refuses = map[string]error{"a ot-old": errors.New("not allowed")}
			}, step: see, status: Broken,
			err: []string{"workspace space-a: Terraform could not fetch INFRA/a with the new OAuth client: no such host; and it could not be moved back: workspace space-a: not allowed"},
		},
	}
}
