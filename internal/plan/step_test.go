package plan_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
)

func TestStepsAsShown(t *testing.T) {
	for _, c := range []struct {
		step plan.AnyStep
		want string
	}{
		{plan.CreateConsumerKey{Bits: 3072}, "+ vault: make a consumer key and an RSA pair of 3072 bits"},
		{plan.CreateConsumerKey{Bits: 3072, Key: "k"}, "+ vault: make an RSA pair of 3072 bits and take over consumer key k"},
		{plan.CreateConsumerKey{Bits: 3072, Key: "k", Again: true}, "+ vault: make a new RSA pair of 3072 bits for consumer key k"},
		{plan.CreateConsumerKey{Key: "k", From: "env:RSA"}, "+ vault: take the consumer's RSA pair from env:RSA"},
		{plan.CreateSSHKey{Role: plan.Pending, Bits: 4096}, "+ vault: make an SSH pair of 4096 bits (pending)"},
		{plan.CreateSSHKey{Role: plan.Current, From: "vault:secret/acme#ssh"}, "+ vault: take the SSH pair from vault:secret/acme#ssh"},
		{plan.CreateSSHKey{Role: plan.Pending, From: "env:SSH"}, "+ vault: take the SSH pair from env:SSH (pending)"},
		{plan.MarkCompromised{Fingerprints: []string{"f", "g"}, Reason: "stolen"}, "~ vault: mark the SSH keys f, g as compromised: stolen"},
		{plan.RestageKey{Fingerprint: "f"}, "~ vault: stage the previous SSH key again (f)"},
		{plan.SwitchKey{Fingerprint: "f"}, "~ terraform: switch the OAuth token to the pending private SSH key, the current one from then on (f)"},
		{plan.SwitchKey{NoToken: true}, "~ vault: make the pending SSH key the current one, for the OAuth token to come"},
		{plan.ProveRefused{Role: plan.Previous, Fingerprint: "f"}, "? bitbucket: prove over SSH that the key f is refused"},
		{plan.RetireKey{Role: plan.Previous, Fingerprint: "f"}, "- vault: drop the previous SSH key and destroy the versions that hold it (f)"},
		{plan.RetireKey{Role: plan.Previous}, "- vault: drop the previous SSH key and destroy the versions that hold it"}, // made by hand, not known
		{plan.SwapConsumer{}, "~ bitbucket and terraform: change the consumer's pair on both, back to back, and prove it with a request token"},
		{plan.RetireConsumer{}, "- vault: drop the consumer's pair before and destroy the versions that hold it"},
		{
			plan.CreateConsumerKey{Bits: 3072, Key: "k", Again: true, Reason: "stolen"},
			"+ vault: make a new RSA pair of 3072 bits for consumer key k; the one before is compromised: stolen",
		},
		{plan.CreateLink{URL: "https://x", Name: "n"}, `+ bitbucket: create application link "n" on https://x`},
		{plan.RenameLink{From: "a", To: "b\x1b[2J"}, `~ bitbucket: rename application link "a" to "b\x1b[2J"`},
		{plan.DeleteLink{URL: "https://x", Name: "n", ConsumerKey: "k"}, `- bitbucket: delete application link "n" on https://x with consumer k`},
		{plan.SetConsumer{Name: "n"}, `~ bitbucket: set consumer "n" in the link to the record's key`},
		{plan.SetConsumer{Name: "n", Fingerprint: "f"}, `~ bitbucket: set consumer "n" in the link to the record's key (f)`},
		{plan.ProveConsumer{}, "? bitbucket: prove the consumer with a request token"},
		{plan.CreateClient{Name: "n", HTTPURL: "https://b", ServiceProvider: "p", Scoped: true}, `+ terraform: create OAuth client "n" for https://b as p`},
		{
			plan.CreateClient{Name: "n", HTTPURL: "https://b", ServiceProvider: "p", Projects: []string{"x", "y"}, AgentPool: "dmz"},
			`+ terraform: create OAuth client "n" for https://b as p, for projects x, y only, through agent pool "dmz"`,
		},
		{
			plan.UpdateClient{Name: new("n"), Keys: true, Scoped: new(false), Projects: &[]string{}, AgentPool: new("dmz")},
			`~ terraform: update the OAuth client in place: name to "n", keys to the record's, organization-scoped to false, projects to none, agent pool to "dmz"`,
		},
		{plan.DeleteClient{ID: "oc-1", Name: "n", Why: "because"}, `- terraform: delete OAuth client "n" (oc-1): because`},
		{
			plan.DeleteClient{ID: "oc-1", Name: "n", Why: "because", Unlinks: 1, Workspaces: []string{"w"}, Others: []string{`policy set "p"`, `stack "s"`}},
			`- terraform: delete OAuth client "n" (oc-1): because; unlinks 1 workspace (w); takes the OAuth token from policy set "p", stack "s"`,
		},
		{plan.AddSSHKey{Role: plan.Current, Fingerprint: "f"}, "+ bitbucket: add the current SSH key to the service user (f)"},
		{plan.DeleteSSHKey{Fingerprint: "f"}, "- bitbucket: delete SSH key f from the service user"},
		{plan.DeleteSSHKey{Fingerprint: "f", User: "u"}, "- bitbucket: delete SSH key f from the service user before, u"},
		{plan.ProveSSH{Role: plan.Pending}, "? bitbucket: prove the pending SSH key with whoami over SSH"},
		{plan.Authorize{Client: "n", User: "u"}, `! a person: authorize "n" as u`},
		{plan.Authorize{Client: "n", User: "u", Again: true}, `! a person: authorize "n" again as u`},
		{plan.SetTokenKey{Role: plan.Current}, "~ terraform: put the current private SSH key on the OAuth token"},
		{plan.ProveRepositories{}, "? terraform: prove that it reaches Bitbucket"},
		{plan.ProveFetched{Back: "oc-1", Names: []string{"a", "b"}}, "? terraform: prove that it fetched 2 workspaces that a run had begun to move: a, b; back to OAuth client oc-1 if it could not"},
		{plan.ProveFetched{Names: []string{"a"}}, "? terraform: prove that it fetched 1 workspace that a run had begun to move: a; the OAuth client that they used is gone, so that they stay"},
		{plan.ProveRepositories{Repositories: []string{"A/b", "A/c"}}, "? terraform: prove that it sees A/b, A/c"},
		{vpcAdmin, "+ bitbucket: grant REPO_ADMIN on repository INFRA/vpc to svc-terraform"},
		{plan.GrantPermission{User: "u", Project: "P", Permission: "PROJECT_ADMIN"}, "+ bitbucket: grant PROJECT_ADMIN on project P to u"},
		{plan.InstallPlugin{Key: "k", URL: "https://x"}, "+ bitbucket: install plugin k from https://x"},
		{plan.EnablePlugin{Key: "k"}, "~ bitbucket: enable plugin k"},
		{plan.EnableHook{Project: "P", Repository: "r"}, "~ bitbucket: enable the webhook plugin's hook in P/r"},
	} {
		if got := c.step.Type().Symbol + " " + c.step.String(); got != c.want {
			t.Errorf("%T is shown as\n%s, want\n%s", c.step, got, c.want)
		}
	}
}
