package apply

import (
	"errors"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
)

func tokenSteps() map[string]stepCase {
	authorize := plan.Authorize{Client: "Bitbucket", User: serviceUser}
	set := plan.SetTokenKey{Role: plan.Current}
	janes := func(w *world) { w.clients[0].Token.User = "jane" }
	noToken := func(w *world) { w.clients[0].Token = nil }
	doubted := func(w *world) { w.record().RefusedToken = "ot-new" }
	repos := plan.ProveRepositories{Repositories: []string{"infra/VPC", "INFRA/dns"}}
	return map[string]stepCase{
		"authorize: done": {step: authorize},
		"authorize: somebody else did": {
			before: janes, step: authorize, status: Broken,
			err: []string{`"Bitbucket" was authorized as jane, not as svc: Terraform would act on Bitbucket as jane. Revoke the connection in the organization's VCS provider settings, log in to Bitbucket as svc, and connect again`},
		},
		"authorize: not yet": {before: noToken, step: authorize, status: Waiting},
		"authorize: again":   {step: plan.Authorize{Client: "Bitbucket", User: serviceUser, Again: true}, status: Waiting},
		"authorize: no client": {
			before: noClient, step: authorize, status: Broken,
			err: []string{"the OAuth client is gone; plan again"},
		},

		"set_token_key: current": {
			before: func(w *world) { clear(w.tokenKeys); *w.record().SSH.Current = *sshKey("K1"); w.record().Client = nil }, step: set,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s",
				"+ corp/acme: authorized ot-new svc 7",
				"+ corp/acme: client oc-1 made@0s",
				"+ corp/acme: current K1 created@-1h0m0s token=ot-new set@0s",
				"+ token ot-new has K1",
			},
		},
		"set_token_key: there already": {
			step: set,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"+ corp/acme: authorized ot-new svc 7",
				"+ corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@0s",
			},
		},
		"set_token_key: back from a switch that was cut off": {
			world: rotates, before: func(w *world) { w.record().SSH.Pending.Token = "ot-new"; w.tokenKeys["ot-new"] = "K2" }, step: set,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"- corp/acme: pending K2 created@-1h0m0s published@-1m0s token=ot-new",
				"- token ot-new has K2",
				"+ corp/acme: authorized ot-new svc 7",
				"+ corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@0s",
				"+ corp/acme: pending K2 created@-1h0m0s published@-1m0s",
				"+ token ot-new has K1",
			},
		},
		"set_token_key: no user is shown": {
			before: func(w *world) { clear(w.tokenKeys); w.clients[0].Token.User = "" }, step: set,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"+ corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@0s",
				"+ token ot-new has K1",
			},
		},
		"set_token_key: no id of the user": {
			target: func(t *plan.Target) { t.UserID = 0 }, step: set,
			want: []string{
				"- corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@-1h0m0s",
				"+ corp/acme: current K1 created@-1h0m0s published@-1h0m0s token=ot-new set@0s",
			},
		},
		"set_token_key: somebody else's": {
			before: janes, step: set, status: Broken,
			err: []string{`"Bitbucket" was authorized as jane, not as svc: Terraform would act on Bitbucket as jane. Revoke the connection in the organization's VCS provider settings, log in to Bitbucket as svc, and connect again`},
		},
		"set_token_key: no token": {
			before: noToken, step: set, status: Broken,
			err: []string{"the OAuth token is gone; plan again"},
		},
		"set_token_key: no client": {
			before: noClient, step: set, status: Broken,
			err: []string{"the OAuth client is gone; plan again"},
		},
		"set_token_key: no key": {
			step: plan.SetTokenKey{Role: plan.Pending}, status: Broken,
			err: []string{"pending SSH key: the record in Vault has no such key; plan again"},
		},

		"prove_repositories: all": {
			before: doubted, step: repos,
			want: []string{
				"- corp/acme: refused token ot-new",
			},
			says: []string{"proof: Terraform sees 2 repositories, those of the connection among them"},
		},
		"prove_repositories: trusted": {
			step: repos,
			says: []string{"proof: Terraform sees 2 repositories, those of the connection among them"},
		},
		"prove_repositories: one is missing": {
			before: func(w *world) { doubted(w); w.repos = w.repos[:1] }, step: repos, status: Broken,
			err: []string{"of the repositories, Terraform does not see INFRA/dns; it sees [INFRA/vpc]"},
		},
		"prove_repositories: many, one is missing": {
			before: func(w *world) { w.repos = []string{"a/1", "a/2", "a/3", "a/4", "a/5", "a/6"} }, step: repos, status: Broken,
			err: []string{"of the repositories, Terraform does not see infra/VPC; it sees [a/1 a/2 a/3 a/4 a/5] and more"},
		},
		"prove_repositories: cannot tell": {
			before: func(w *world) { doubted(w); w.reposErr = tfe.ErrUnsupported }, step: repos, once: true,
			want: []string{
				"- corp/acme: refused token ot-new",
			},
			says: []string{"warning: this Terraform cannot tell whether the OAuth token works and which repositories it sees; should a workspace not reach Bitbucket, authorize again", "proof: none: this Terraform cannot tell"},
		},
		"prove_repositories: dead": {
			before: func(w *world) { w.reposErr = tfe.ErrTokenRefused }, step: repos, status: Waiting,
			want: []string{
				"+ corp/acme: refused token ot-new",
			},
		},
		"prove_repositories: fails": {
			before: func(w *world) { w.reposErr = errors.New("no such thing") }, step: repos, status: Broken,
			err: []string{"no such thing"},
		},
		"prove_repositories: no token": {
			before: noToken, step: repos, status: Broken,
			err: []string{"the OAuth token is gone; plan again"},
		},
	}
}
