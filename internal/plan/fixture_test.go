package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

const (
	address = `connection.team["acme"]`
	fleet   = "corp"
	linkURL = "https://app.terraform.io/app/acme"
	name    = "Terraform Cloud (acme)"
	user    = "svc-terraform"
	label   = "bbsync/corp/acme"
)

var (
	noon     = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	vpcAdmin = plan.GrantPermission{User: user, Project: "INFRA", Repository: "vpc", Permission: "REPO_ADMIN"}
	vpcHook  = plan.GrantPermission{Project: "INFRA", Repository: "vpc"}
)

// aConnection is what the files ask for.
func aConnection() *schema.Connection {
	return &schema.Connection{
		Address: address, Block: "team", Key: "acme",
		Terraform:    &schema.Terraform{Label: "hcp", Address: "https://app.terraform.io"},
		Organization: "acme",
		Bitbucket:    &schema.Bitbucket{Label: "corp", URL: "https://bitbucket.example/git"},
		ServiceUser:  user,
		Name:         "Bitbucket (corp)",
		SSHKey:       schema.SSHKey{Bits: 3072, Overlap: aDay},
		Consumer:     schema.Consumer{Bits: 3072, Name: name},
		Link:         schema.ApplicationLink{URL: linkURL, Name: name},
		Grants:       []schema.Grant{{Project: "INFRA", Repository: "vpc", Permission: "REPO_ADMIN"}},
		Record:       "corp/app.terraform.io/acme/bitbucket.example-git",

		OrganizationScoped: true,
	}
}

// nothing is what is read where no connection was ever made.
func nothing() plan.Have {
	return plan.Have{
		User: &plan.User{Name: user, Slug: "svc_terraform", DisplayName: "Terraform", Active: true},
		Bitbucket: &plan.Bitbucket{
			Version: "9.4.0", NativeWebhooks: true, KeyUsage: true,
			Granted: map[plan.GrantPermission]bool{vpcAdmin: true},
		},
	}
}

// inSync is what is read of aConnection when nothing is left to do.
func inSync() plan.Have {
	have := nothing()
	have.Record = &plan.Record{
		Version: 7, Fleet: fleet, Address: address,
		Consumer: &plan.ConsumerKey{Key: "bbsync-1", Fingerprint: "rsa-1"},
		Current:  &plan.Key{Fingerprint: "ssh-1", Token: "ot-1"},
		LinkID:   "link-1", ClientID: "oc-1",
	}
	have.Link = &plan.Link{ID: "link-1", Name: name, URL: linkURL, Type: "generic"}
	have.Consumer = &plan.Consumer{Key: "bbsync-1", Name: name, Description: plan.OwnerMark(fleet), Fingerprint: "rsa-1"}
	have.Clients = []plan.Client{{
		ID: "oc-1", Name: "Bitbucket (corp)", Key: "bbsync-1", Fingerprint: "rsa-1",
		HTTPURL: "https://bitbucket.example/git", APIURL: "https://bitbucket.example",
		ServiceProvider: "bitbucket_data_center", Scoped: true, Created: noon,
		Token: &plan.Token{ID: "ot-1", User: user, HasSSHKey: true},
	}}
	have.Keys = map[string]plan.SSHKey{"ssh-1": {ID: 1, Fingerprint: "ssh-1", Label: label}}
	return have
}

// everything is the plan of a connection that is not there, step by step.
func everything() []plan.Step {
	return []plan.Step{
		plan.CreateConsumerKey{Bits: 3072},
		plan.CreateSSHKey{Role: plan.Current, Bits: 3072, Comment: label},
		plan.CreateLink{URL: linkURL, Name: name},
		plan.SetConsumer{LinkURL: linkURL, Name: name},
		plan.ProveConsumer{},
		plan.CreateClient{
			Name: "Bitbucket (corp)", HTTPURL: "https://bitbucket.example/git", APIURL: "https://bitbucket.example",
			ServiceProvider: "bitbucket_data_center", Scoped: true, Projects: []string{},
		},
		plan.AddSSHKey{Role: plan.Current, Label: label},
		plan.ProveSSH{Role: plan.Current},
		plan.Authorize{Client: "Bitbucket (corp)", User: user},
		plan.SetTokenKey{Role: plan.Current},
		plan.ProveRepositories{Repositories: []string{"INFRA/vpc"}},
	}
}

// Steps that many plans end with.
var (
	setConsumer = plan.SetConsumer{LinkURL: linkURL, Name: name, Fingerprint: "rsa-1"}
	proveSSH    = plan.ProveSSH{Role: plan.Current}
	setKey      = plan.SetTokenKey{Role: plan.Current, Fingerprint: "ssh-1"}
	proveRepos  = plan.ProveRepositories{Repositories: []string{"INFRA/vpc"}}
	authorize   = plan.Authorize{Client: "Bitbucket (corp)", User: user}
	again       = plan.Authorize{Client: "Bitbucket (corp)", User: user, Again: true}
)

// A diffCase is one row: what differs from aConnection and inSync, and what the
// plan then says. Reasons are "what: live -> want"; a block is "kind: text" and
// a note its text, where a part is enough.
type diffCase struct {
	name    string
	want    func(*schema.Connection)
	have    func(*plan.Have)
	steps   []plan.Step
	reasons []string
	block   string
	remedy  string
	notes   []string
	state   plan.State // "": by the steps and the block
}

func runDiff(t *testing.T, start func() plan.Have, cases []diffCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want, have := aConnection(), start()
			if c.want != nil {
				c.want(want)
			}
			if c.have != nil {
				c.have(&have)
			}
			got := plan.Diff(fleet, want, have, noon)
			if diff := cmp.Diff(c.steps, got.Steps(), cmp.Transformer("list", emptyIsNil[plan.Step])); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.reasons, reasons(got.Changes)); c.reasons != nil && diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			for _, change := range got.Changes {
				for _, r := range change.Because {
					if !kindForm.MatchString(r.Kind) {
						t.Errorf("the reason %q has the kind %q", r.What, r.Kind)
					}
				}
			}
			checkBlocks(t, got.Blocks, c.block, c.remedy)
			checkNotes(t, got.Notes, c.notes)
			if c.state != "" && got.State() != c.state {
				t.Errorf("state %q, want %q", got.State(), c.state)
			}
		})
	}
}

// emptyIsNil lets a row say nil where nothing is planned.
func emptyIsNil[S plan.AnyStep](steps []S) []string {
	var out []string
	for _, s := range steps {
		out = append(out, fmt.Sprintf("%T %s", s, encoded(s)))
	}
	return out
}

func reasons(changes []plan.Change) []string {
	var out []string
	for _, c := range changes {
		for _, r := range c.Because {
			line := fmt.Sprintf("%s: %s -> %s|", r.What, r.Live, r.Want)
			out = append(out, strings.TrimSuffix(strings.NewReplacer(":  ->", ": none ->", "-> |", "-> none|").Replace(line), "|"))
		}
	}
	return out
}

func checkBlocks(t *testing.T, blocks []plan.Block, want, remedy string) {
	t.Helper()
	if want == "" && len(blocks) == 0 {
		return
	}
	if len(blocks) != 1 {
		t.Errorf("blocks %v, want one with %q", blocks, want)
		return
	}
	if text := string(blocks[0].Kind) + ": " + blocks[0].Text; want == "" || !strings.Contains(text, want) {
		t.Errorf("block %q, want %q in it", text, want)
	}
	if !strings.Contains(blocks[0].Remedy, remedy) {
		t.Errorf("remedy %q, want %q in it", blocks[0].Remedy, remedy)
	}
}

func checkNotes(t *testing.T, notes []plan.Note, want []string) {
	t.Helper()
	var texts []string
	for _, n := range notes {
		texts = append(texts, n.Text)
	}
	if !slices.EqualFunc(texts, want, strings.Contains) {
		t.Errorf("notes %q, want %q in them", texts, want)
	}
}
