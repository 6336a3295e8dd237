package expiry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/expiry"
)

// now is a time that all tests share.
func now() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) }

func in(days float64) time.Time { return now().Add(time.Duration(days * float64(expiry.Day))) }

// An end is soon in the last 30 days, or in the last quarter of a short life; not if
// bbsync renews the thing, and not for what lives for hours.
func TestState(t *testing.T) {
	for name, c := range map[string]struct {
		end  expiry.End
		want expiry.State
		when string
	}{
		"never":                       {expiry.End{}, expiry.Never, "does not end"},
		"unknown":                     {expiry.End{Unknown: "it does not say"}, expiry.Unknown, "ends at a time that cannot be known: it does not say"},
		"far":                         {expiry.End{At: in(31)}, expiry.Later, "ends on 2026-12-29, in 31 days"},
		"in 30 days":                  {expiry.End{At: in(30)}, expiry.Soon, "ends on 2026-12-28, in 30 days"},
		"tomorrow":                    {expiry.End{At: in(1.5)}, expiry.Soon, "ends on 2026-11-30, in 1 day"},
		"today":                       {expiry.End{At: in(0.4)}, expiry.Soon, "ends on 2026-11-28, in less than a day"},
		"now":                         {expiry.End{At: in(0)}, expiry.Past, "ended on 2026-11-28"},
		"estimated":                   {expiry.End{At: in(100), About: true}, expiry.Later, "ends on about 2027-03-08, in 100 days"},
		"renewed by itself":           {expiry.End{At: in(1), Auto: true}, expiry.Later, "ends on 2026-11-29, in 1 day"},
		"should have been renewed":    {expiry.End{At: in(-1), Auto: true}, expiry.Past, "ended on 2026-11-27"},
		"90 days, 29 left":            {expiry.End{Begins: in(-61), At: in(29)}, expiry.Later, "ends on 2026-12-27, in 29 days"},
		"90 days, 22 left":            {expiry.End{Begins: in(-68), At: in(22)}, expiry.Soon, "ends on 2026-12-20, in 22 days"},
		"two years, 30 days left":     {expiry.End{Begins: in(-700), At: in(30)}, expiry.Soon, "ends on 2026-12-28, in 30 days"},
		"a pipeline's token, minutes": {expiry.End{Begins: in(0), At: in(0.01)}, expiry.Later, "ends on 2026-11-28, in less than a day"},
	} {
		if have := c.end.State(now()); have != c.want {
			t.Errorf("%s: state %d, want %d", name, have, c.want)
		}
		if have := c.end.When(now()); have != c.when {
			t.Errorf("%s: %q, want %q", name, have, c.when)
		}
	}
}

// Whatever its life, a thing is never soon before 30 days ahead, and once it is soon it
// stays so until it has ended.
func TestStateOnlyAdvances(t *testing.T) {
	for life := 0.5; life < 4000; life *= 1.3 {
		last := expiry.Later
		for at := 0.0; at <= life*1.1; at += life / 97 {
			e := expiry.End{Begins: in(-at), At: in(life - at)}
			have := e.State(now())
			if have < last {
				t.Fatalf("life %.1f days at %.1f: state %d after %d", life, at, have, last)
			}
			if have == expiry.Soon && life-at > 30 {
				t.Fatalf("life %.1f days: soon %.1f days ahead", life, life-at)
			}
			last = have
		}
		if last != expiry.Past {
			t.Fatalf("life %.1f days ends in state %d", life, last)
		}
	}
}

func TestWarnings(t *testing.T) {
	ends := []expiry.End{
		expiry.OfCertificate("bitbucket.corp", "CN=leaf", in(-340), in(25), false),
		expiry.OfCertificate("bitbucket.corp", "CN=client", in(-340), in(24), true),
		expiry.OfAPIToken("terraform.hcp", "vault:secret/hcp#token", in(-700), in(3), true),
		expiry.OfAPIToken("terraform.tfe", "env:TFE", in(-700), in(4), false),
		expiry.OfLicense("bitbucket.corp", in(-360), in(-1), in(13)),
		expiry.OfVaultToken(expiry.Vault{Created: in(-20), Expires: in(5)}),
		expiry.OfVaultToken(expiry.Vault{Login: true, Created: in(-20), Expires: in(5)}),
		expiry.OfSecretID(in(-300), in(10), 7),
		expiry.OfAdminLogin("corp", in(-1800), in(11)),
		expiry.OfAdminLogin("old", in(-1800), time.Time{}),
		expiry.OfSSHKey("connection.a", in(-300), in(10), true),
		expiry.OfSSHKey("connection.b", in(-300), in(10), false),
		expiry.CannotKnow(expiry.APIToken, "terraform.old", "env:OLD", "it does not say"),
	}
	for i := range 200 {
		ends = append(ends, expiry.OfOAuthToken(fmt.Sprintf("connection.team[%03d]", i), "svc", in(float64(20+i/10)).Add(-expiry.OAuthTokenLife)))
	}
	want := []string{
		"the license of bitbucket.corp ended on 2026-11-27: have Bitbucket's administrator install a new license: without one pushes are refused from 2026-12-11 on",
		"the API token vault:secret/hcp#token of terraform.hcp ends on 2026-12-01, in 3 days: run bbsync rotate --token terraform.hcp",
		"the API token env:TFE of terraform.tfe ends on 2026-12-02, in 4 days: create another one in Terraform and store it there",
		"the Vault token ends on 2026-12-03, in 4 days: log in to Vault again (vault login), or give the vault block an auth block",
		"the SSH key of connection.a ends on 2026-12-08, in 10 days: put another key where ssh_key refers to, and run bbsync rotate",
		"the secret id of the Vault login ends on 2026-12-08, in 10 days: create a new secret id for the role, and give it to bbsync; this one is good for 7 more logins",
		"the administrator's login to bitbucket.corp ends on 2026-12-09, in 11 days: run bbsync login corp",
		"the OAuth token of connection.team[000] ends on about 2026-12-18, in 20 days, and 109 more like it soon (bbsync drift --json lists them): authorize the connection again as svc before (bbsync authorize)",
		"the client certificate CN=client for bitbucket.corp ends on 2026-12-22, in 24 days: store a new certificate and key where client_certificate and client_key refer to",
		"the certificate CN=leaf of bitbucket.corp ends on 2026-12-23, in 25 days: have the server's certificate renewed",
	}
	have := expiry.Warnings(ends, now())
	if len(have) != len(want) {
		t.Errorf("%d warnings, want %d:\n%s", len(have), len(want), strings.Join(texts(have), "\n"))
	}
	for i := range min(len(have), len(want)) {
		if have[i].Text != want[i] {
			t.Errorf("have %s\nwant %s", have[i].Text, want[i])
		}
	}
}

// The nearest end is first; what does not end is last.
func TestSort(t *testing.T) {
	ends := []expiry.End{{Of: "never"}, {Of: "b", At: in(3)}, {Of: "a", At: in(3)}, {Of: "first", At: in(-9)}}
	expiry.Sort(ends)
	var order []string
	for _, e := range ends {
		order = append(order, e.Of)
	}
	if have := strings.Join(order, " "); have != "first a b never" {
		t.Error(have)
	}
}

func texts(warnings []expiry.Warning) []string {
	var out []string
	for _, w := range warnings {
		out = append(out, w.Text)
	}
	return out
}
