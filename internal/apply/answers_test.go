package apply

import (
	"errors"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
)

// TestGoneByTheList: an OAuth client counts as deleted only when the list of the
// organization no longer has it, whatever the answer was.
func TestGoneByTheList(t *testing.T) {
	remove := plan.DeleteClient{ID: "oc-1"}
	for name, c := range map[string]struct {
		faults map[int]fault // requests: 1 lease, 2 count, 3 delete, 4 list
		status Status
		err    string
	}{
		"counted as gone, and listed": {map[int]fault{2: {refused, tfe.ErrNotFound}}, Broken, "OAuth client oc-1 was answered as deleted, or not found, and organization acme still lists it"},
		"cannot be counted":           {map[int]fault{2: {refused, tfe.ErrForbidden}}, Broken, "counting what it would unlink: "},
		"refused":                     {map[int]fault{3: {refused, tfe.ErrForbidden}}, Broken, "delete client: not allowed"},
		"not found, and listed":       {map[int]fault{3: {refused, tfe.ErrNotFound}}, Broken, "delete client: not found"},
		"not found, and not listed":   {map[int]fault{3: {answerLost, tfe.ErrNotFound}}, Applied, ""},
		"lost, and not listed":        {map[int]fault{3: {answerLost, nil}}, Applied, ""},
		"lost, and listed":            {map[int]fault{3: {refused, nil}}, Broken, "delete client: no usable answer"},
		"lost, and no list":           {map[int]fault{3: {refused, nil}, 4: {refused, tfe.ErrForbidden}}, Broken, "no usable answer from Terraform; reading whether it was done: list clients: not allowed"},
		"deleted, and no list":        {map[int]fault{4: {refused, nil}}, Broken, "reading whether OAuth client oc-1 is gone: "},
	} {
		inBubble(t, func(t *testing.T) {
			w := connected()
			w.faults = c.faults
			out := run(t.Context(), w, plan.Plan{Fleet: "prod", Connections: []plan.Connection{planned(w, acme, remove)}}, Options{}).Connections[0]
			if out.Status != c.status || (out.Err == nil) != (c.err == "") || out.Err != nil && !strings.Contains(out.Err.Error(), c.err) {
				t.Errorf("%s: %s, %v", name, out.Status, out.Err)
			}
		})
	}
}

// TestSwapFails lets each request of a swap fail, and the way back: what both sides
// and the record have in the end, and what is said.
func TestSwapFails(t *testing.T) {
	swap := plan.SwapConsumer{LinkURL: linkURL, Name: "Terraform", ClientID: "oc-1"}
	// Requests: 1 lease, 2 doubt, 3 set on Bitbucket, 4 set on Terraform, 5 proof.
	// The way back begins with the next one: the same three, then the record.
	for name, c := range map[string]struct {
		faults map[int]fault
		have   string // pair of Bitbucket, of Terraform, of the record
		err    string
	}{
		"Bitbucket":                      {map[int]fault{3: {failure: refused}}, "A A A", "setting the consumer on Bitbucket: set consumer: not available now; the pair before is back on both sides"},
		"Bitbucket, answer lost":         {map[int]fault{3: {failure: answerLost}}, "A A A", "the pair before is back on both sides"},
		"Terraform":                      {map[int]fault{4: {failure: refused}}, "A A A", "setting the pair on Terraform: update client: no usable answer from Terraform; the pair before is back on both sides"},
		"the proof":                      {map[int]fault{5: {failure: refused}}, "A A A", "request token: not available now; the pair before is back on both sides"},
		"the proof, then Bitbucket":      {map[int]fault{5: {failure: refused}, 6: {failure: refused}}, "B B B", "the pair before could not be put back on both sides: setting the consumer on Bitbucket: "},
		"the proof, then Terraform":      {map[int]fault{5: {failure: refused}, 7: {failure: refused}}, "A B B", "the pair before could not be put back on both sides: setting the pair on Terraform: "},
		"the proof, then Vault":          {map[int]fault{5: {failure: refused}, 9: {failure: refused}}, "A A B", "the pair before is back on both sides, but not in Vault: "},
		"the proof, Vault's answer lost": {map[int]fault{5: {failure: refused}, 9: {failure: answerLost}}, "A A A", "the pair before is back on both sides"},
		"aborted at Terraform":           {map[int]fault{4: {failure: aborted}}, "B A B", "context canceled"},
		"the lease is lost at Terraform": {map[int]fault{4: {failure: leaseLost}}, "B A B", "lease lost"},
	} {
		inBubble(t, func(t *testing.T) {
			w := swaps()
			w.faults = c.faults
			out := stepCase{}.carry(t.Context(), w, swap)
			have := publicName(w.consumers[linkID(linkURL)].PublicKey) + " " + w.pairs["oc-1"] + " " + nameOf(w.record().Consumer.Fingerprint)
			if out.Status != Broken || have != c.have || !strings.Contains(out.Err.Error(), c.err) {
				t.Errorf("%s: %s, have %s, %v (%q)", name, out.Status, have, out.Err, w.calls)
			}
			if again := (stepCase{}).carry(t.Context(), w, swap); w.record().Consumer.Previous != nil && again.Status != Applied {
				t.Errorf("%s: resumed: %v", name, again.Err)
			}
		})
	}
}

// TestTakeOverFails does so where only Terraform has the private half of the old
// pair.
func TestTakeOverFails(t *testing.T) {
	swap := plan.SwapConsumer{LinkURL: linkURL, Name: "Terraform", ClientID: "oc-1"}
	// Requests: 1 lease, 2 doubt, 3 set on Bitbucket, 4 proof, 5 set on Terraform; the
	// way back: list of clients, Bitbucket.
	for name, c := range map[string]struct {
		faults map[int]fault
		have   string
		err    string
	}{
		"Bitbucket":                      {map[int]fault{3: {failure: refused}}, "A A B", "setting the consumer on Bitbucket: "},
		"the proof":                      {map[int]fault{4: {failure: refused}}, "A A B", "request token: not available now; the public key before is back on Bitbucket; run again to go on"},
		"Terraform":                      {map[int]fault{5: {failure: refused}}, "A A B", "update client: no usable answer from Terraform; the public key before is back on Bitbucket"},
		"Terraform, answer lost":         {map[int]fault{5: {failure: answerLost}}, "B B B", "the public key before could not be put back on Bitbucket: consumer's pair A: "},
		"the proof, then Bitbucket":      {map[int]fault{4: {failure: refused}, 6: {failure: refused}}, "B A B", "the public key before could not be put back on Bitbucket: set consumer: not available now"},
		"aborted at the proof":           {map[int]fault{4: {failure: aborted}}, "B A B", "context canceled"},
		"the lease is lost at the proof": {map[int]fault{4: {failure: leaseLost}}, "B A B", "lease lost"},
	} {
		inBubble(t, func(t *testing.T) {
			w := swaps()
			w.record().Consumer.Previous.Private = secret.Text{}
			w.faults = c.faults
			out := stepCase{}.carry(t.Context(), w, swap)
			have := publicName(w.consumers[linkID(linkURL)].PublicKey) + " " + w.pairs["oc-1"] + " " + nameOf(w.record().Consumer.Fingerprint)
			if out.Status != Broken || have != c.have || !strings.Contains(plain(out.Err.Error()), c.err) {
				t.Errorf("%s: %s, have %s, %v (%q)", name, out.Status, have, out.Err, w.calls)
			}
			if again := (stepCase{}).carry(t.Context(), w, swap); again.Status != Applied {
				t.Errorf("%s: resumed: %v", name, again.Err)
			}
		})
	}
}

// TestKeyThatIsRefused: one that no system ever had leaves the record, with a
// refusal that will not change; any other stays.
func TestKeyThatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		kind    error
		changed func(*record.SSHKey)
		stays   bool
	}{
		"exists":         {kind: bitbucket.ErrExists},
		"policy":         {kind: bitbucket.ErrPolicy},
		"not available":  {kind: bitbucket.ErrUnavailable, stays: true},
		"published":      {bitbucket.ErrPolicy, func(k *record.SSHKey) { k.Published = began }, true},
		"with Terraform": {bitbucket.ErrPolicy, func(k *record.SSHKey) { k.Token = "ot-new" }, true},
	} {
		inBubble(t, func(t *testing.T) {
			w := connected()
			key := sshKey("K1")
			if c.changed != nil {
				c.changed(key)
			}
			w.record().SSH.Current = key
			w.faults = map[int]fault{3: {refused, c.kind}}
			out := stepCase{}.carry(t.Context(), w, plan.AddSSHKey{Role: plan.Current})
			if stays := w.record().SSH.Current != nil; stays != c.stays || !errors.Is(out.Err, c.kind) || !strings.Contains(plain(out.Err.Error()), "SSH key K1: ") {
				t.Errorf("%s: stays %t, %v", name, stays, out.Err)
			}
		})
	}
}
