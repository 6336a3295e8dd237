package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// byHand is an organization that a person connected with the main URL.
func byHand() plan.Have {
	have := nothing()
	have.Main = &plan.OtherLink{Link: plan.Link{ID: "link-0", Name: "Terraform", URL: "https://app.terraform.io", Type: "generic"}, ConsumerKey: "by-hand"}
	have.Clients = []plan.Client{{
		ID: "oc-0", Name: "Bitbucket by hand", Key: "by-hand", HTTPURL: "https://bitbucket.example/git", Scoped: true,
		Token: &plan.Token{ID: "ot-0", User: user, HasSSHKey: true},
	}}
	return have
}

func TestMadeByHandOnTheMainURL(t *testing.T) {
	want := aConnection()
	h := plan.FindHandMade(want, byHand())
	if h == nil || h.Client.ID != "oc-0" || h.Link.Name != "Terraform" {
		t.Fatalf("have %+v", h)
	}
	got := plan.Diff(fleet, want, byHand(), noon)
	if len(got.Blocks) > 0 || len(got.Changes) == 0 || !noted(got, "linked by hand on the main URL") {
		t.Errorf("blocks %v, notes %v", got.Blocks, got.Notes)
	}
	for name, adopt := range map[string]bool{"asked": false, "adopting": true} {
		same := aConnection()
		same.Name, same.Adopt = "Bitbucket by hand", adopt
		if got := plan.Diff(fleet, same, byHand(), noon); len(got.Blocks) != 1 || got.Blocks[0].Kind != plan.Refused || len(got.Changes) > 0 {
			t.Errorf("%s: blocks %v", name, got.Blocks)
		}
	}
}

// Somebody else's link on the main URL is nobody's business.
func TestNotMadeByHand(t *testing.T) {
	for name, edit := range map[string]func(*plan.Have){
		"another organization's": func(h *plan.Have) { h.Main.ConsumerKey = "else" },
		"no consumer":            func(h *plan.Have) { h.Main.ConsumerKey = ""; h.Clients[0].Key = "" },
		"another Bitbucket":      func(h *plan.Have) { h.Clients[0].HTTPURL = "https://other.example" },
		"ours": func(h *plan.Have) {
			h.Record = &plan.Record{Consumer: &plan.ConsumerKey{Key: "by-hand"}}
		},
		"no main link": func(h *plan.Have) { h.Main = nil },
	} {
		have := byHand()
		edit(&have)
		if h := plan.FindHandMade(aConnection(), have); h != nil {
			t.Errorf("%s: have %+v", name, h)
		}
	}
}

func noted(c plan.Connection, text string) bool {
	for _, n := range c.Notes {
		if n.Warning && strings.Contains(n.Text, text) {
			return true
		}
	}
	return false
}

func TestKeyRules(t *testing.T) {
	rules := func(r plan.KeyRules) func(*plan.Have) {
		return func(h *plan.Have) { h.Bitbucket.KeyRules = r }
	}
	for _, c := range []struct {
		name        string
		start       func() plan.Have
		rules       plan.KeyRules
		want        func(*schema.Connection)
		block, note string
	}{
		{name: "no RSA", start: nothing, rules: plan.KeyRules{RSARefused: true}, block: "allow no RSA keys"},
		{name: "too short", start: nothing, rules: plan.KeyRules{RSABits: 4096}, block: "RSA keys of 4096 bits, and the files for 3072"},
		{name: "long enough", start: nothing, rules: plan.KeyRules{RSABits: 3072}},
		{name: "no key is made", start: inSync, rules: plan.KeyRules{RSABits: 4096}},
		{name: "brought", start: nothing, rules: plan.KeyRules{RSABits: 4096}, want: func(c *schema.Connection) {
			c.SSHKey.Private = &schema.SecretRef{Vault: "secret/x#y"}
		}},
		{name: "keys end", start: nothing, rules: plan.KeyRules{MaxExpiryDays: 90}, note: "lets SSH keys end after 90 days"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, have := aConnection(), c.start()
			rules(c.rules)(&have)
			if c.want != nil {
				c.want(want)
			}
			got := plan.Diff(fleet, want, have, noon)
			if blocked := len(got.Blocks) > 0; blocked != (c.block != "") || blocked && (!strings.Contains(got.Blocks[0].Text, c.block) || len(got.Changes) > 0) {
				t.Errorf("blocks %v", got.Blocks)
			}
			told := slices.ContainsFunc(got.Notes, func(n plan.Note) bool { return strings.Contains(n.Text, "lets SSH keys end after 90 days") })
			if told != (c.note != "") {
				t.Errorf("notes %v", got.Notes)
			}
		})
	}
}
