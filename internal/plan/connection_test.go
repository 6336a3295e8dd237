package plan_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

const immutableNote = "Terraform cannot change an OAuth client's HTTP URL (https://bitbucket.example/git), API URL (https://bitbucket.example)"

func TestNewConnection(t *testing.T) {
	runDiff(t, nothing, []diffCase{{
		name:  "everything, in the one order that is safe",
		steps: everything(),
		reasons: []string{
			"consumer key in Vault: none -> one, before any system learns it",
			"SSH key in Vault: none -> one, before any system learns it",
			"application link on " + linkURL + ": none -> " + name,
			"consumer in the link: none -> the record's",
			"OAuth client in acme: none -> Bitbucket (corp)",
			"SSH key of svc-terraform: none -> the record's",
			"OAuth token: none -> one of svc-terraform",
			"private SSH key on the token: no token yet -> the record's current key",
		},
		notes: []string{immutableNote},
		state: plan.StateChanges,
	}, {
		name: "a record that holds a lease that ended counts as none",
		have: func(h *plan.Have) {
			h.Record = &plan.Record{Version: 1, Lease: &plan.Lease{Holder: "eve@laptop", Expires: noon}}
		},
		steps: everything(),
		notes: []string{immutableNote},
	}, {
		name: "keys that the user brings",
		want: func(c *schema.Connection) {
			c.Consumer.Key, c.Consumer.Private = "their-key", &schema.SecretRef{Vault: "secret/acme#rsa"}
			c.SSHKey.Private = &schema.SecretRef{Env: "ACME_SSH"}
		},
		steps: replaced(everything(), map[int]plan.Step{
			0: plan.CreateConsumerKey{Key: "their-key", Bits: 3072, From: "vault:secret/acme#rsa"},
			1: plan.CreateSSHKey{Role: plan.Current, Bits: 3072, Comment: label, From: "env:ACME_SSH"},
		}),
		notes: []string{immutableNote},
	}, {
		name:  "another link has the name",
		have:  func(h *plan.Have) { h.NameTaken = true },
		steps: everything(),
		notes: []string{`another application link is named "Terraform Cloud (acme)": Bitbucket will add a number`, immutableNote},
	}, {
		name: "projects and an agent pool instead of the whole organization",
		want: func(c *schema.Connection) {
			c.OrganizationScoped, c.Projects, c.AgentPool = false, []string{"net", "app"}, "dmz"
		},
		have: func(h *plan.Have) {
			h.Projects, h.Pools = map[string]string{"app": "prj-1", "net": "prj-2"}, map[string]string{"dmz": "apool-1"}
		},
		steps: replaced(everything(), map[int]plan.Step{
			5: plan.CreateClient{
				Name: "Bitbucket (corp)", HTTPURL: "https://bitbucket.example/git", APIURL: "https://bitbucket.example",
				ServiceProvider: "bitbucket_data_center", Projects: []string{"app", "net"}, AgentPool: "dmz",
			},
		}),
		notes: []string{immutableNote},
	}})
}

func replaced(steps []plan.Step, with map[int]plan.Step) []plan.Step {
	for i, s := range with {
		steps[i] = s
	}
	return steps
}

// TestDrift has what a person changes by hand, on any of the three systems.
func TestDrift(t *testing.T) {
	doubt := "the OAuth token may not outlive this change"
	runDiff(t, inSync, []diffCase{{
		name:  "none",
		state: plan.StateInSync,
	}, {
		name: "link deleted",
		have: func(h *plan.Have) { h.Link, h.Consumer = nil, nil },
		steps: []plan.Step{
			plan.CreateLink{URL: linkURL, Name: name}, setConsumer, plan.ProveConsumer{}, proveRepos,
		},
		reasons: []string{
			"application link on " + linkURL + ": none -> " + name,
			"consumer in the link: none -> the record's",
		},
		notes: []string{doubt},
	}, {
		name:    "consumer deleted from the link",
		have:    func(h *plan.Have) { h.Consumer = nil },
		steps:   []plan.Step{setConsumer, plan.ProveConsumer{}, proveRepos},
		reasons: []string{"consumer in the link: none -> the record's"},
		notes:   []string{doubt},
	}, {
		name:    "consumer's public key changed",
		have:    func(h *plan.Have) { h.Consumer.Fingerprint = "rsa-x" },
		steps:   []plan.Step{setConsumer, plan.ProveConsumer{}, proveRepos},
		reasons: []string{"consumer's public key: rsa-x -> rsa-1"},
		notes:   []string{doubt},
	}, {
		name: "consumer's key changed",
		have: func(h *plan.Have) { h.Consumer.Key = "typed-by-hand" },
		steps: []plan.Step{
			plan.DeleteLink{URL: linkURL, Name: name, ConsumerKey: "typed-by-hand"},
			plan.CreateLink{URL: linkURL, Name: name},
			setConsumer,
			plan.ProveConsumer{},
			proveRepos,
		},
		reasons: []string{
			"consumer key in the link: typed-by-hand -> bbsync-1",
			"consumer in the link: none -> the record's",
		},
		notes: []string{doubt},
	}, {
		name:    "consumer renamed",
		have:    func(h *plan.Have) { h.Consumer.Name = "x" },
		steps:   []plan.Step{setConsumer, plan.ProveConsumer{}},
		reasons: []string{"consumer's name: x -> " + name},
	}, {
		name:    "link renamed",
		have:    func(h *plan.Have) { h.Link.Name = "x" },
		steps:   []plan.Step{plan.RenameLink{URL: linkURL, From: "x", To: name}},
		reasons: []string{"application link's name: x -> " + name},
	}, {
		name: "link renamed, and another link has its name",
		have: func(h *plan.Have) { h.Link.Name, h.NameTaken = "x", true },
		notes: []string{
			`the application link is named "x": it cannot be renamed to "Terraform Cloud (acme)", as another link has that name`,
		},
		state: plan.StateInSync,
	}, {
		name:  "link numbered by Bitbucket",
		have:  func(h *plan.Have) { h.Link.Name, h.NameTaken = name+" - 2", true },
		state: plan.StateInSync,
	}, {
		name:  "link numbered by Bitbucket, and the name is free by now",
		have:  func(h *plan.Have) { h.Link.Name = name + " - 2" },
		steps: []plan.Step{plan.RenameLink{URL: linkURL, From: name + " - 2", To: name}},
	}, {
		name: "client deleted",
		have: func(h *plan.Have) { h.Clients = nil },
		steps: []plan.Step{
			plan.ProveConsumer{}, everything()[5], authorize, proveSSH, setKey, proveRepos,
		},
		notes: []string{immutableNote},
	}, {
		name:    "client renamed",
		have:    func(h *plan.Have) { h.Clients[0].Name = "x" },
		steps:   []plan.Step{plan.UpdateClient{ID: "oc-1", Name: new("Bitbucket (corp)")}},
		reasons: []string{"OAuth client's name: x -> Bitbucket (corp)"},
	}, {
		name:    "client's consumer key changed",
		have:    func(h *plan.Have) { h.Clients[0].Key = "x" },
		steps:   []plan.Step{plan.ProveConsumer{}, plan.UpdateClient{ID: "oc-1", Keys: true}, proveRepos},
		reasons: []string{"OAuth client's consumer key: x -> bbsync-1"},
		notes:   []string{doubt},
	}, {
		name:    "client's public key changed",
		have:    func(h *plan.Have) { h.Clients[0].Fingerprint = "" },
		steps:   []plan.Step{plan.ProveConsumer{}, plan.UpdateClient{ID: "oc-1", Keys: true}, proveRepos},
		reasons: []string{"OAuth client's public key: none -> rsa-1"},
		notes:   []string{doubt},
	}, {
		name:  "token revoked",
		have:  func(h *plan.Have) { h.Clients[0].Token = nil },
		steps: []plan.Step{authorize, proveSSH, setKey, proveRepos},
		state: plan.StateWaiting,
	}, {
		name:    "token made again, without the SSH key",
		have:    func(h *plan.Have) { h.Clients[0].Token = &plan.Token{ID: "ot-2", User: user} },
		steps:   []plan.Step{proveSSH, setKey, proveRepos},
		reasons: []string{"private SSH key on the token: none -> the record's current key"},
	}, {
		name:    "token made again, with some SSH key",
		have:    func(h *plan.Have) { h.Clients[0].Token.ID = "ot-2" },
		steps:   []plan.Step{proveSSH, setKey, proveRepos},
		reasons: []string{"private SSH key on the token: unknown: the token was made by another authorization -> the record's current key"},
	}, {
		name:    "SSH public key deleted",
		have:    func(h *plan.Have) { h.Keys = nil },
		steps:   []plan.Step{plan.AddSSHKey{Role: plan.Current, Label: label, Fingerprint: "ssh-1"}, proveSSH},
		reasons: []string{"SSH key of svc-terraform: not among its keys -> ssh-1"},
	}, {
		name: "somebody else authorized",
		have: func(h *plan.Have) { h.Clients[0].Token.User = "jane" },
		steps: []plan.Step{
			again, proveSSH, setKey, proveRepos,
		},
		reasons: []string{
			"who authorized: jane -> svc-terraform",
			"private SSH key on the token: no token yet -> the record's current key",
		},
		notes: []string{"Terraform shows that jane authorized"},
		state: plan.StateWaiting,
	}, {
		name:  "the service user under its other names",
		have:  func(h *plan.Have) { h.Clients[0].Token.User = "Terraform" },
		state: plan.StateInSync,
	}, {
		name:  "the service user's slug in capitals",
		have:  func(h *plan.Have) { h.Clients[0].Token.User = "SVC_Terraform" },
		state: plan.StateInSync,
	}, {
		name:  "token that Bitbucket refuses",
		have:  func(h *plan.Have) { h.Record.RefusedToken, h.TokenDead = "ot-1", true },
		steps: []plan.Step{again, proveSSH, setKey, proveRepos},
		reasons: []string{
			"OAuth token: ot-1, which Bitbucket refuses -> one that works",
			"private SSH key on the token: no token yet -> the record's current key",
		},
		state: plan.StateWaiting,
	}, {
		name:  "token that was refused and works again",
		have:  func(h *plan.Have) { h.Record.RefusedToken = "ot-1" },
		steps: []plan.Step{proveRepos},
	}, {
		name:  "the refused token is another client's",
		have:  func(h *plan.Have) { h.Record.RefusedToken, h.TokenDead = "ot-0", true },
		state: plan.StateInSync,
	}})
}
