package adopt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/adopt"
	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/schema"
)

const blocks = `
bbsync { fleet = "found" }
terraform "hcp" {
  address = "https://app.terraform.io"
  token { env = "TOKEN" }
}
bitbucket "corp" {
  url = "https://bitbucket.example/git"
  admin {
    username = "admin"
    password { env = "PASSWORD" }
  }
}
`

// pairs are made once: what matters is which of them are the same.
func pairs(t *testing.T) (rsa, ssh []string) {
	t.Helper()
	for range 3 {
		consumer, err := keys.GenerateConsumer(2048)
		if err != nil {
			t.Fatal(err)
		}
		key, err := keys.GenerateSSH(2048, "by hand")
		if err != nil {
			t.Fatal(err)
		}
		rsa, ssh = append(rsa, consumer.Public), append(ssh, key.Public)
	}
	return rsa, ssh
}

// TestPlanAfterImportIsEmpty: whatever people made, what is imported loads, and
// nothing of it is planned to change.
func TestPlanAfterImportIsEmpty(t *testing.T) {
	rsa, ssh := pairs(t)
	fleet := load(t, t.TempDir(), blocks)
	imported := 0
	rapid.Check(t, func(t *rapid.T) {
		f := draw(t, fleet, rsa, ssh)
		matches, _ := adopt.Pair(f, fleet.Bitbuckets)
		text, places := adopt.Files(matches, nil)
		dir, err := os.MkdirTemp("", "adopt-") //nolint:usetesting // one for each case, not for the test
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		after := load(t, dir, blocks+string(text))
		if len(after.Connections) != len(matches) {
			t.Fatalf("%d connections of %d matches:\n%s", len(after.Connections), len(matches), text)
		}
		byAddress := map[string]adopt.Place{}
		for _, p := range places {
			byAddress[p.Address] = p
		}
		have := make([]plan.Have, len(after.Connections))
		for i, c := range after.Connections {
			have[i] = haveOf(f, c, byAddress[c.Address], after.Name)
		}
		now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
		p := plan.Make(after, after.Connections, have, map[string]plan.Bitbucket{"corp": shared(after)}, plan.Options{Now: now})
		for _, c := range p.Connections {
			if len(c.Changes)+len(c.Blocks) > 0 {
				t.Fatalf("%s: %v %v\n%s", c.Address, c.Steps(), c.Blocks, text)
			}
			if len(c.Notes) == 0 {
				t.Fatalf("%s: nothing is said of keys that only Terraform has", c.Address)
			}
		}
		imported += len(matches)
	})
	if imported == 0 {
		t.Error("no case imported anything")
	}
}

type failer interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func load(t failer, dir, text string) *schema.Fleet {
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	fleet, _, diags := schema.Load(dir, schema.Options{})
	if fleet == nil {
		t.Fatalf("%v\n%s", diags, text)
	}
	return fleet
}

// draw makes up what people left: organizations with clients and links that fit
// each other, or do not.
func draw(t *rapid.T, fleet *schema.Fleet, rsa, ssh []string) adopt.Found {
	terraform, corp := fleet.Terraforms[0], fleet.Bitbuckets[0]
	var f adopt.Found
	names := rapid.SampledFrom([]string{"Bitbucket", "Bitbucket of %s", "", `a "quoted" ${name} %%{x}`, "VCS"})
	made := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range rapid.IntRange(1, 6).Draw(t, "organizations") {
		org := rapid.SampledFrom([]string{"acme", "team", "app", "o_rg", "X", "with.dot"}).Draw(t, "org") + fmt.Sprint("-", n)
		for k := range rapid.IntRange(0, 2).Draw(t, "clients of it") {
			id := fmt.Sprintf("%d-%d", n, k)
			key := fmt.Sprint("key-", rapid.IntRange(0, 3).Draw(t, "key"), "-", id)
			if rapid.IntRange(0, 5).Draw(t, "a shared key") == 0 {
				key = "key-shared"
			}
			pair := rsa[rapid.IntRange(0, 2).Draw(t, "pair")]
			name := rapid.Map(names, func(s string) string { return strings.ReplaceAll(s, "%s", org) }).Draw(t, "name")
			scoped := rapid.Bool().Draw(t, "scoped")
			c := adopt.Client{Terraform: terraform, Organization: org, OAuthClient: tfe.OAuthClient{
				ID: "oc-" + id, Name: name, HTTPURL: rapid.SampledFrom([]string{corp.URL, corp.URL + "/", "https://old.example"}).Draw(t, "for"),
				APIURL: "https://bitbucket.example", Key: key, RSAPublicKey: pair, ServiceProvider: "bitbucket_data_center",
				Created: made.AddDate(0, 0, n), OrganizationScoped: &scoped,
			}}
			if !scoped {
				c.Projects, c.OAuthClient.Projects = []string{"Default"}, []string{"prj-1"}
			}
			if rapid.IntRange(0, 4).Draw(t, "token") > 0 {
				c.Token = &tfe.Token{
					ID: "ot-" + id, Created: made, HasSSHKey: rapid.IntRange(0, 4).Draw(t, "ssh key") > 0,
					User: rapid.SampledFrom([]string{"svc", "svc", "svc", "gone"}).Draw(t, "user"),
				}
			}
			if rapid.Bool().Draw(t, "in use") {
				project := rapid.SampledFrom([]string{"INFRA", "INFRA", "TF-INFRA", "~_svc.1", "9A", "A B"}).Draw(t, "project")
				c.Uses = []adopt.Use{{Project: project, Repository: rapid.SampledFrom([]string{"vpc", "vpc", "a b", ".."}).Draw(t, "repository"), Admin: rapid.Bool().Draw(t, "admin")}}
			}
			f.Clients = append(f.Clients, c)
			if rapid.IntRange(0, 5).Draw(t, "link") > 0 {
				f.Links = append(f.Links, drawLink(t, corp, org, id, key, pair, rsa))
			}
		}
	}
	user := adopt.User{Bitbucket: corp, User: bitbucket.User{Name: "svc", Slug: "svc", DisplayName: "Service", Active: true}}
	for i, line := range ssh[:rapid.IntRange(0, 3).Draw(t, "ssh keys")] {
		user.Keys = append(user.Keys, bitbucket.SSHKey{ID: i + 1, Line: line, Label: rapid.SampledFrom([]string{"", "terraform", "for acme-0", "team-1 laptop"}).Draw(t, "label")})
	}
	f.Users = []adopt.User{user}
	return f
}

func drawLink(t *rapid.T, corp *schema.Bitbucket, org, id, key, pair string, rsa []string) adopt.Link {
	url := rapid.SampledFrom([]string{"https://app.terraform.io/app/" + org, "https://app.terraform.io/app/" + org, "https://proxy.example/" + org}).Draw(t, "url")
	if strings.HasSuffix(id, "-1") { // links of one URL cannot be
		url += "-again"
	}
	link := adopt.Link{Bitbucket: corp, Link: bitbucket.Link{ID: "link-" + id, URL: url, Type: "generic", Name: "Terraform of " + org + " " + id}}
	if rapid.IntRange(0, 5).Draw(t, "consumer") > 0 {
		public := pair
		if rapid.IntRange(0, 5).Draw(t, "another pair") == 0 {
			public = rsa[0]
		}
		link.Consumer = &bitbucket.Consumer{Key: key, Name: rapid.SampledFrom([]string{link.Name, "Consumer", `"` + org + `"`}).Draw(t, "consumer's name"), PublicKey: public}
	}
	return link
}

// haveOf is what reading the systems after the import gives.
func haveOf(f adopt.Found, c *schema.Connection, p adopt.Place, fleet string) plan.Have {
	consumer, _ := keys.PublicFingerprint(p.Link.Consumer.PublicKey)
	b := shared(nil)
	have := plan.Have{
		Record: record.Facts(adopt.Record(fleet, c, p.Match), 1), Bitbucket: &b,
		Link:     &plan.Link{ID: p.Link.ID, Name: p.Link.Name, URL: p.Link.URL, Type: "generic"},
		Consumer: &plan.Consumer{Key: p.Link.Consumer.Key, Name: p.Link.Consumer.Name, Fingerprint: consumer},
		User:     &plan.User{Name: "svc", Slug: "svc", DisplayName: "Service", Active: true},
		Keys:     map[string]plan.SSHKey{}, Projects: map[string]string{"Default": "prj-1"},
	}
	for _, k := range f.Users[0].Keys {
		fingerprint, _ := keys.SSHFingerprint(k.Line)
		have.Keys[fingerprint] = plan.SSHKey{ID: k.ID, Fingerprint: fingerprint, Label: k.Label}
	}
	for _, o := range f.Clients {
		if o.Organization != c.Organization {
			continue
		}
		public, _ := keys.PublicFingerprint(o.RSAPublicKey)
		client := plan.Client{
			ID: o.ID, Name: o.Name, Key: o.Key, Fingerprint: public, HTTPURL: o.HTTPURL, APIURL: o.APIURL,
			ServiceProvider: o.ServiceProvider, Scoped: *o.OrganizationScoped, Projects: o.OAuthClient.Projects, Created: o.Created,
		}
		if o.Token != nil {
			client.Token = &plan.Token{ID: o.Token.ID, User: o.Token.User, HasSSHKey: o.Token.HasSSHKey, Created: o.Token.Created}
		}
		have.Clients = append(have.Clients, client)
	}
	return have
}

func shared(fleet *schema.Fleet) plan.Bitbucket {
	b := plan.Bitbucket{Version: "9.4.0", NativeWebhooks: true, KeyUsage: true, Granted: map[plan.GrantPermission]bool{}}
	if fleet != nil {
		for _, c := range fleet.Connections {
			for _, g := range c.Grants {
				b.Granted[plan.GrantPermission{User: c.ServiceUser, Project: g.Project, Repository: g.Repository, Permission: g.Permission}] = true
			}
		}
	}
	return b
}
