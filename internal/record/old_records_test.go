package record_test

import (
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
)

// pairs are one pair of each kind.
var pairs = sync.OnceValue(func() (p struct{ consumer, ssh keys.Pair }) {
	var err error
	if p.consumer, err = keys.GenerateConsumer(keys.MinRSABits); err == nil {
		p.ssh, err = keys.GenerateSSH(keys.MinRSABits, "bbsync/corp/acme")
	}
	if err != nil {
		panic(err)
	}
	return p
})

// TestOldRecords reads records as earlier versions of bbsync stored them. The names of
// stored fields never change: a record that is there already must not lose a key.
func TestOldRecords(t *testing.T) {
	t.Parallel()
	consumer, ssh := pairs().consumer, pairs().ssh
	made := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	const at = "2026-11-23T08:00:00Z"
	for name, tc := range map[string]struct {
		fields record.Fields
		want   plan.Record
	}{
		"the first version": { // no proofs, no account of the token, no age of the lease
			fields: record.Fields{
				"fleet": "corp", "address": `connection.team["acme"]`, "generation": "g",
				"consumer_key": "bbsync-1", "consumer_private": consumer.Private.Reveal(), "consumer_public": consumer.Public, "consumer_created": at,
				"ssh_current_private": ssh.Private.Reveal(), "ssh_current_public": ssh.Public, "ssh_current_fingerprint": ssh.Fingerprint,
				"ssh_current_created": at, "ssh_current_published": at, "ssh_current_token": "ot-1", "ssh_current_set": at,
				"link_id": "l-1", "link_url": "https://app.terraform.io/app/acme", "link_made": at, "client_id": "oc-1", "client_made": at,
				"host_keys": "ssh-ed25519 A\nssh-rsa B", "lease_holder": "ann", "lease_nonce": "n", "lease_expires": at,
			},
			want: plan.Record{
				Fleet: "corp", Address: `connection.team["acme"]`,
				Consumer: &plan.ConsumerKey{Key: "bbsync-1", Fingerprint: consumer.Fingerprint, Created: made},
				Current:  &plan.Key{Fingerprint: ssh.Fingerprint, Created: made, Published: made, Token: "ot-1", Set: made},
				LinkID:   "l-1", LinkURL: "https://app.terraform.io/app/acme", ClientID: "oc-1", HostKeys: "ssh-ed25519 A\nssh-rsa B",
			},
		},
		"cut off in a switch, of which nothing was noted before": {
			fields: record.Fields{
				"fleet": "corp", "ssh_pending_private": ssh.Private.Reveal(), "ssh_pending_created": at, "ssh_pending_published": at,
				"ssh_previous_fingerprint": "SHA256:old", "ssh_previous_left": at,
			},
			want: plan.Record{
				Fleet:    "corp",
				Pending:  &plan.Key{Fingerprint: ssh.Fingerprint, Created: made, Published: made},
				Previous: &plan.Key{PrivateElsewhere: true, Fingerprint: "SHA256:old", Left: made},
			},
		},
		"compromised, user-supplied pairs": {
			fields: record.Fields{
				"consumer_key": "own", "consumer_private": consumer.Private.Reveal(), "consumer_brought": "true", "consumer_condemned": "stolen",
				"consumer_previous_fingerprint": "SHA256:old", "consumer_previous_condemned": "leaked",
				"ssh_current_private": ssh.Private.Reveal(), "ssh_current_brought": "true", "ssh_current_condemned": "stolen", "ssh_current_proved": at,
				"refused_token": "ot-1", "retired_fingerprint": "SHA256:older", "retired_at": at, "retired_why": "lost", "retired_destroyed": "true",
			},
			want: plan.Record{
				Consumer: &plan.ConsumerKey{
					Key: "own", Fingerprint: consumer.Fingerprint, UserSupplied: true, Compromised: "stolen",
					Previous: "SHA256:old", PreviousCompromised: "leaked",
				},
				Current:      &plan.Key{Fingerprint: ssh.Fingerprint, UserSupplied: true, Compromised: "stolen", Proved: made},
				RefusedToken: "ot-1", Retired: &plan.RetiredKey{Fingerprint: "SHA256:older", Destroyed: true},
			},
		},
		"moved elsewhere": {
			fields: record.Fields{
				"organization": "acme", "bitbucket": "https://bitbucket.corp", "service_user": "svc", "protected": "true",
				"ended": "moved", "ended_at": at, "ended_to": "corp/new", "moved_from": "corp/older",
			},
			want: plan.Record{
				About: plan.About{Organization: "acme", Bitbucket: "https://bitbucket.corp", ServiceUser: "svc", Protected: true},
				Ended: "moved", MovedFrom: "corp/older",
			},
		},
		"by a newer version": { // its fields are kept
			fields: record.Fields{"fleet": "corp", "ssh_current_quantum": "yes", "colour": map[string]any{"deep": []any{"x", 1.0}}},
			want:   plan.Record{Fleet: "corp"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.fields["format"] = "1"
			r, err := record.Decode(maps.Clone(tc.fields))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tc.want, record.Facts(r, 0), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			again, err := record.Encode(r, "")
			if err != nil {
				t.Fatal(err)
			}
			for key, value := range tc.fields {
				if !cmp.Equal(again[key], value) {
					t.Errorf("field %s was %v, is %v", key, value, again[key])
				}
			}
		})
	}
}
