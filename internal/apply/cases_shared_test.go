package apply

import (
	"errors"

	"github.com/bbsync/bbsync/internal/plan"
)

func sharedSteps() map[string]stepCase {
	grant := plan.GrantPermission{User: serviceUser, Project: "INFRA", Repository: "vpc", Permission: "REPO_ADMIN"}
	remove := plan.RemoveUnknownKey{User: serviceUser, ID: 5, Fingerprint: print("K3")}
	strange := func(w *world) { w.addSSHKey(serviceUser, 5, "K3"); w.strange = true }
	return map[string]stepCase{
		"grant_permission: missing": {
			step: grant,
			want: []string{
				"+ permission REPO_ADMIN on repository INFRA/vpc of svc",
			},
		},
		"grant_permission: not effective": {
			before: func(w *world) { w.misses = map[string]bool{"INFRA": true} }, step: grant, status: Broken,
			err: []string{"REPO_ADMIN was granted, but svc does not hold it effectively: is the user licensed?"},
			want: []string{
				"+ permission REPO_ADMIN on repository INFRA/vpc of svc",
			},
		},
		"remove_unknown_key: there": {
			before: strange, step: remove,
			want: []string{
				`- SSH key of svc: K3 "bbsync"`,
			},
		},
		"remove_unknown_key: gone": {before: func(w *world) { w.strange = true }, step: remove},
		"remove_unknown_key: known by now": {
			before: func(w *world) { strange(w); w.faults = map[int]fault{1: {refused, errors.New("known by now")}} }, step: remove, status: Broken, once: true,
			err: []string{"find unknown key: known by now"},
		},
		"install_plugin": {
			step: plan.InstallPlugin{URL: "https://plugins.example/x.jar"},
			want: []string{
				"+ plugin from https://plugins.example/x.jar",
			},
		},
		"enable_plugin": {
			step: plan.EnablePlugin{Key: "com.example"},
			want: []string{
				"+ plugin enabled com.example",
			},
		},
		"enable_hook": {
			step: plan.EnableHook{Project: "INFRA", Repository: "vpc", Key: "com.example:hook"},
			want: []string{
				"+ hook enabled INFRA vpc com.example:hook",
			},
		},
	}
}
