package plan_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/schema"
)

// olderKeys are the keys that the records of older versions hold.
type olderKeys struct {
	pair         keys.Pair
	first, other keys.Pair
}

func newOlderKeys(t *testing.T) olderKeys {
	t.Helper()
	var out olderKeys
	var errs [3]error
	out.pair, errs[0] = keys.GenerateConsumer(2048)
	out.first, errs[1] = keys.GenerateSSH(2048, "")
	out.other, errs[2] = keys.GenerateSSH(2048, "")
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// fields are a record as the commits c88f307 and e070df3 store it, where a rotation has
// not begun.
func (k olderKeys) fields() record.Fields {
	out := record.Fields{
		"format": "1", "nonce": "n", "generation": "g", "fleet": fleet, "address": address,
		"terraform": "https://app.terraform.io", "organization": "acme", "bitbucket": "https://bitbucket.example/git", "service_user": user,
		"consumer_key": "bbsync-1", "consumer_private": k.pair.Private.Reveal(), "consumer_public": k.pair.Public, "consumer_fingerprint": k.pair.Fingerprint,
		"consumer_created": older(50), "link_id": "link-1", "link_url": linkURL, "link_made": older(50), "client_id": "oc-1", "client_made": older(50),
	}
	maps.Copy(out, keyFields("ssh_current_", k.first))
	out["ssh_current_token"], out["ssh_current_set"] = "ot-1", older(50)
	return out
}

func keyFields(prefix string, k keys.Pair) record.Fields {
	return record.Fields{
		prefix + "private": k.Private.Reveal(), prefix + "public": k.Public, prefix + "fingerprint": k.Fingerprint,
		prefix + "created": older(50), prefix + "published": older(50),
	}
}

func older(days int) string { return noon.AddDate(0, 0, -days).Format(time.RFC3339Nano) }

// TestOlderRecords: a rotation that an earlier version began is brought to its end. A
// staged key that Terraform may hold is not deleted before Terraform has another:
// c88f307 notes nothing of a switch that was cut off, e070df3 the token.
func TestOlderRecords(t *testing.T) {
	k := newOlderKeys(t)
	staged := func(more record.Fields) record.Fields {
		out := keyFields("ssh_pending_", k.other)
		maps.Copy(out, more)
		return out
	}
	previous := func(left string) record.Fields {
		out := keyFields("ssh_previous_", k.other)
		out["ssh_previous_left"], out["ssh_current_set"] = left, left
		return out
	}
	stolen := record.Fields{"ssh_current_condemned": "stolen", "ssh_pending_condemned": "stolen"}
	emergency, back := plan.Rotation{SSH: true, Emergency: "stolen"}, plan.Rotation{Rollback: true}
	const (
		finish   = "ProveSSH SwitchKey"
		replace  = "ProveSSH SwitchKey DeleteSSHKey ProveRefused RetireKey CreateSSHKey AddSSHKey ProveSSH SwitchKey DeleteSSHKey ProveRefused RetireKey"
		giveBack = "ProveSSH SetTokenKey DeleteSSHKey RetireKey"
	)
	for name, c := range map[string]struct {
		fields record.Fields
		asked  plan.Rotation
		want   string
	}{
		"c88f307, staged or half switched":                      {fields: staged(nil), want: finish},
		"c88f307, staged or half switched, back":                {fields: staged(nil), asked: back, want: giveBack},
		"c88f307, staged or half switched, emergency":           {fields: staged(nil), asked: emergency, want: "MarkCompromised " + replace},
		"c88f307, staged or half switched, emergency under way": {fields: staged(stolen), want: replace},
		"e070df3, half switched":                                {fields: staged(record.Fields{"ssh_pending_token": "ot-1"}), want: finish},
		"e070df3, half switched, back":                          {fields: staged(record.Fields{"ssh_pending_token": "ot-1"}), asked: back, want: giveBack},
		"e070df3, half switched, emergency":                     {fields: staged(record.Fields{"ssh_pending_token": "ot-1"}), asked: emergency, want: "MarkCompromised " + replace},
		"going back was cut off":                                {fields: staged(record.Fields{"ssh_pending_left": older(1)}), asked: back, want: finish},
		"the overlap is not over":                               {fields: previous(noon.Add(-time.Hour).Format(time.RFC3339Nano))},
		"the overlap is over":                                   {fields: previous(older(9)), want: "DeleteSSHKey RetireKey"},
		"in the overlap, back":                                  {fields: previous(older(0)), asked: back, want: "RestageKey ProveSSH SwitchKey"},
	} {
		t.Run(name, func(t *testing.T) {
			fields := k.fields()
			maps.Copy(fields, c.fields)
			want, have := k.read(t, fields)
			got := plan.Rotate(fleet, want, have, noon, c.asked)
			if diff := cmp.Diff(c.want, kindsOf(got)); diff != "" || len(got.Blocks) > 0 {
				t.Errorf("steps (-want +got):\n%s%v", diff, got.Blocks)
			}
		})
	}
}

// read returns what is read where a record is as stored, and Bitbucket has both keys.
func (k olderKeys) read(t *testing.T, fields record.Fields) (*schema.Connection, plan.Have) {
	t.Helper()
	stored, err := record.Decode(fields)
	if err != nil {
		t.Fatal(err)
	}
	want, have := aConnection(), inSync()
	want.SSHKey.Overlap = 24 * time.Hour
	have.Record = record.Facts(stored, 1)
	have.Consumer.Fingerprint, have.Clients[0].Fingerprint = k.pair.Fingerprint, k.pair.Fingerprint
	have.Keys = map[string]plan.SSHKey{}
	for i, pair := range []keys.Pair{k.first, k.other} {
		have.Keys[pair.Fingerprint] = plan.SSHKey{ID: i + 1, Fingerprint: pair.Fingerprint}
	}
	return want, have
}

// TestExpiredKeyWithoutToken: the key in use has expired, and Terraform holds none. The
// previous key makes way for a new one, so that nobody proves the expired one.
func TestExpiredKeyWithoutToken(t *testing.T) {
	want, have := aConnection(), inSync()
	have.Keys = map[string]plan.SSHKey{"ssh-0": {ID: 3, Fingerprint: "ssh-0"}, "ssh-1": {ID: 1, Fingerprint: "ssh-1", Expires: noon.Add(-time.Hour)}}
	have.Record.Previous, have.Record.Current.Token = &plan.Key{Fingerprint: "ssh-0", Left: noon.Add(-time.Hour)}, ""
	have.Clients[0].Token = nil
	const steps = "DeleteSSHKey RetireKey CreateSSHKey AddSSHKey ProveSSH SwitchKey(no token) Authorize SetTokenKey ProveRepositories"
	if diff := cmp.Diff(steps, kindsOf(plan.Diff(fleet, want, have, noon))); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}
