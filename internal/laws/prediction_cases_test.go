package laws_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

// predictions are the walks: each feature once, each drift once.
func predictions() []prediction {
	out := []prediction{
		{name: "from nothing", state: "nothing"},
		{name: "with the token authorized", state: "relocating", files: relocated(), prune: true},
		{name: "rotation", state: "one", rotate: plan.Rotation{SSH: true}},
		{name: "the overlap has passed", state: "rotated", later: 30 * 24 * time.Hour},
		{name: "rotation of both", state: "one", rotate: plan.Rotation{SSH: true, Consumer: true}},
		{name: "emergency", state: "one", rotate: plan.Rotation{SSH: true, Consumer: true, Emergency: "stolen"}},
		{name: "rollback", state: "rotated", rotate: plan.Rotation{Rollback: true}},
		{name: "adoption", state: "one", people: []string{"delete-record"}, adopt: true},
		{name: "moved", state: "one", files: renamed()},
		{name: "a move that was interrupted", state: "cut", files: movedOn()},
		{name: "another service user", state: "one", files: strings.ReplaceAll(files, sandbox.ServiceUser, "svc-second"), change: secondUser},
		{name: "removal", state: "one", files: undescribed(""), prune: true},
		{name: "let go", state: "one", files: undescribed("removed { from = connection.team }\n"), prune: true},
		{name: "a wave was interrupted", state: "relocating", files: relocated(), change: interruptWave},
		{name: "protected", state: "one", files: strings.Replace(files, "name         =", "protect      = true\n  name         =", 1)},
		{name: "a lease that no run takes", state: "one", people: []string{"rename-client"}, change: leaseForever},
		{name: "a retirement was interrupted", state: "one", change: interruptRetirement},
		{name: "several at once", state: "one", people: []string{"rename-client", "change-client-key", "delete-ssh-keys", "delete-link"}},
	}
	for _, what := range breakages() {
		switch what {
		case "delete-record": // adopted above
		case "foreign-link":
			out = append(out, prediction{name: what, state: "one", people: []string{"delete-link", what}, adopt: true})
		default:
			out = append(out, prediction{name: what, state: "one", people: []string{what}, adopt: true})
		}
	}
	return out
}

// secondUser creates the user that the configuration names now.
func secondUser(t *testing.T, b *bed) {
	t.Helper()
	b.must(t, b.world.Bitbuckets[0].AddUser(bitbucketd.Account{Name: "svc-second", DisplayName: "Second", Password: b.world.Facts.People.ServiceUser}))
}

// interruptWave leaves the connection as a run does that is killed when it has moved
// the last workspace of a wave.
func interruptWave(t *testing.T, b *bed) {
	t.Helper()
	_, result, err := b.applyOnce(t.Context(), false)
	b.must(t, err)
	b.peopleFollow(t, result)
	run, err := b.start(t.Context(), fleet.Scope{}, nil)
	b.must(t, err)
	defer run.Close()
	org, one := sandbox.OrgName(1), b.fleet.Connections[0]
	terraform, err := run.Systems.Terraform(t.Context(), "hcp", org)
	b.must(t, err)
	clients, err := terraform.Clients(t.Context(), org)
	b.must(t, err)
	i := slices.IndexFunc(clients, func(c tfe.OAuthClient) bool { return names.SameURL(c.HTTPURL, one.Bitbucket.URL) })
	from, to := clients[1-i].Token.ID, clients[i].Token.ID
	using, err := terraform.WorkspacesByToken(t.Context(), org, to)
	b.must(t, err)
	b.edit(t, one.Record, map[string]any{"moving_from": from, "moving_to": to, "moving_workspaces": using[0].ID + "\tnone\t" + using[0].Name})
}

// interruptRetirement leaves the versions of a retired key undestroyed.
func interruptRetirement(t *testing.T, b *bed) {
	t.Helper()
	b.edit(t, b.fleet.Connections[0].Record, map[string]any{"retired_fingerprint": "SHA256:retired", "retired_at": time.Now().UTC().Format(time.RFC3339), "retired_destroyed": ""})
}

// leaseForever leaves a lease in the record that is not believed.
func leaseForever(t *testing.T, b *bed) {
	t.Helper()
	b.edit(t, b.fleet.Connections[0].Record, map[string]any{
		"lease_holder": "somebody", "lease_nonce": "1", "lease_expires": time.Now().AddDate(70, 0, 0).UTC().Format(time.RFC3339),
	})
}

// edit changes fields of a record, as it is stored.
func (b *bed) edit(t *testing.T, path string, fields map[string]any) {
	t.Helper()
	record := maps.Clone(b.record(path))
	maps.Copy(record, fields)
	_, err := b.vault.Root.KVv2(mount).Put(t.Context(), folder+path, record)
	b.must(t, err)
}
