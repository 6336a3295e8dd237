package plan_test

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// want is what the configuration asks for in this world.
func (w world) want() *schema.Connection {
	want := aConnection()
	want.Adopt, want.ServiceUser, want.Protect = w.adopt, w.user, w.protect
	if w.brought {
		want.Consumer.Key, want.Consumer.Private = theirKey, &schema.SecretRef{Env: "THEIRS"}
	}
	if w.supplied {
		want.SSHKey.Private = &schema.SecretRef{Env: "THEIR_SSH"}
	}
	want.SSHKey.Overlap = 24 * time.Hour
	if w.aging {
		want.SSHKey.RotateAfter, want.Consumer.RotateAfter = 90*24*time.Hour, 365*24*time.Hour
	}
	if w.relocates {
		want.Relocate = &schema.Relocate{From: &schema.Bitbucket{Label: "old", URL: oldURL}, First: 1, Wave: 2}
	}
	return want
}

// plan reads the world and plans. It is the one place where laws ask the planner.
func (w world) plan() plan.Plan {
	want, have := w.want(), w.read()
	if w.leaves {
		return w.planRemoval(want, have)
	}
	fleet := &schema.Fleet{Name: fleet, Bitbuckets: []*schema.Bitbucket{want.Bitbucket}, Connections: []*schema.Connection{want}, MaxRemovals: 1}
	opts := plan.Options{Now: at(w.hours), Rotate: w.asked, Run: []*schema.Connection{want}}
	if w.moved {
		fleet.Moved = []schema.Moved{{From: beforeAddress, To: address}}
	}
	if w.other != nil {
		w.besides(fleet, &opts)
	}
	return ends(plan.Make(fleet, []*schema.Connection{want}, []plan.Have{have}, map[string]plan.Bitbucket{"corp": *have.Bitbucket}, opts))
}

// ends returns a plan, and panics on one whose walk had no end: no law may take that for
// a connection that is refused.
func ends(p plan.Plan) plan.Plan {
	for _, c := range p.Connections {
		for _, b := range c.Blocks {
			if strings.Contains(b.Text, "a bug of bbsync") {
				panic(b.Text)
			}
		}
	}
	return p
}

// besides adds the other connection to what the planner knows of the fleet.
func (w world) besides(fleet *schema.Fleet, opts *plan.Options) {
	opts.Records = w.records()
	if !w.other.described {
		return
	}
	other := aConnection()
	other.Address, other.Record, other.Organization = otherAddress, otherPath, "other"
	fleet.Connections = append(fleet.Connections, other)
	if w.other.planned {
		opts.Run = append(opts.Run, other)
	}
}

// records are those of other connections, by path.
func (w world) records() map[string]*plan.Record {
	out := map[string]*plan.Record{}
	if w.other != nil {
		key := &plan.Key{Fingerprint: ssh(w.other.ssh)}
		if w.other.compromised {
			key.Compromised = "stolen"
		}
		out[otherPath] = &plan.Record{Fleet: fleet, Address: otherAddress, Current: key}
	}
	return out
}

// planRemoval plans what is to become of a connection that no file describes.
func (w world) planRemoval(want *schema.Connection, have plan.Have) plan.Plan {
	if w.record == nil || w.record.ended != "" {
		return plan.Plan{Connections: make([]plan.Connection, 1)}
	}
	want.Protect, want.Grants = w.record.protected, nil
	if w.record.user != "" {
		want.ServiceUser = w.record.user
	}
	r := plan.Removals{
		Fleet: fleet, Why: "no file describes it", Max: 1, Now: at(w.hours), Records: w.records(), Affected: map[string]plan.Affected{},
	}
	for _, c := range w.clients {
		r.Affected[c.id] = plan.Affected{Count: w.usersOf(c)}
	}
	if w.accepts {
		r.AllowUnlink = w.unlinks()
	}
	leaving := plan.Leaving{Want: want, Record: have.Record, Forget: w.forget}
	return plan.Plan{Connections: r.Plan([]plan.Leaving{leaving}, []plan.Have{have})}
}

// usersOf counts the workspaces that use a client.
func (w world) usersOf(c clientKept) int {
	n := 0
	for _, id := range w.workspaces {
		if c.token != nil && c.token.id == id {
			n++
		}
	}
	return n
}

// unlinks counts the workspaces that the removal unlinks.
func (w world) unlinks() int {
	n := 0
	for _, c := range w.clients {
		if c.id == w.record.clientID || c.key == w.record.key && c.key != "" {
			n += w.usersOf(c)
		}
	}
	return n
}

// read returns what bbsync would read of the world.
func (w world) read() plan.Have {
	have := nothing()
	have.User = &plan.User{Name: w.user, Slug: w.user, DisplayName: w.user, Active: true}
	if w.leaves && w.record != nil && w.record.user != "" {
		have.User.Name = w.record.user
	}
	grant := vpcAdmin
	grant.User = w.user
	have.Bitbucket.Granted = map[plan.GrantPermission]bool{grant: w.granted[w.user]}
	have.Bitbucket.KeyUsage = w.telling
	have.NameTaken = w.nameTaken
	have.Keys = w.readKeys(have.User.Name)
	if w.link != nil {
		have.Link = &plan.Link{ID: linkID, Name: w.link.name, URL: linkURL, Type: "generic"}
		if c, ok := w.consumers[w.link.key]; ok {
			have.Consumer = &plan.Consumer{Key: w.link.key, Name: c.name, Description: c.mark, Fingerprint: rsa(c.rsa)}
		}
	}
	for i, c := range w.clients {
		have.Clients = append(have.Clients, w.readClient(i, c, &have))
	}
	w.readOld(&have)
	w.readRecords(&have)
	if r := w.record; r != nil && r.user != "" && r.user != have.User.Name {
		have.OldKeys = w.readKeys(r.user)
	}
	return have
}

// readKeys returns the SSH keys of a user.
func (w world) readKeys(user string) map[string]plan.SSHKey {
	out := map[string]plan.SSHKey{}
	for pair, owner := range w.published {
		if owner != user {
			continue
		}
		key := plan.SSHKey{ID: pair, Fingerprint: ssh(pair), Label: label}
		if hour, ok := w.used[pair]; ok && w.telling {
			key.LastUsed = at(hour)
		}
		if end, ok := w.ends[pair]; ok {
			key.Created, key.Expires = at(end-90*24), at(end)
		}
		out[ssh(pair)] = key
	}
	return out
}

// readOld reads the client of the Bitbucket that the connection relocates from, and
// the workspaces.
func (w world) readOld(have *plan.Have) {
	if !w.relocates || w.leaves {
		return
	}
	if w.old != nil {
		have.Clients = append(have.Clients, plan.Client{
			ID: w.old.id, Name: w.old.name, Key: w.old.key, HTTPURL: oldURL, Created: noon.Add(-time.Hour), Token: &plan.Token{ID: w.old.token.id},
		})
	}
	have.Using = map[string][]plan.Workspace{}
	for _, name := range slices.Sorted(maps.Keys(w.workspaces)) {
		id := w.workspaces[name]
		have.Using[id] = append(have.Using[id], plan.Workspace{Name: name, Repository: "INFRA/vpc"})
	}
}

func (w world) readClient(i int, c clientKept, have *plan.Have) plan.Client {
	out := plan.Client{
		ID: c.id, Name: c.name, Organization: "acme", Key: c.key, Fingerprint: rsa(c.rsa), HTTPURL: "https://bitbucket.example/git", APIURL: "https://bitbucket.example",
		ServiceProvider: "bitbucket_data_center", Scoped: c.scoped, Projects: c.projects, Created: noon.Add(time.Duration(i) * time.Minute),
	}
	if t := c.token; t != nil {
		out.Token = &plan.Token{ID: t.id, User: t.user, HasSSHKey: t.ssh != 0}
		have.TokenDead = have.TokenDead || !w.blind && w.record != nil && w.record.refused == t.id && !w.works(c)
	}
	return out
}

// readRecords reads the connection's record, wherever it is.
func (w world) readRecords(have *plan.Have) {
	record := w.readRecord(w.record, address)
	switch {
	case w.elsewhere && record != nil:
		record.Address = beforeAddress
		have.Moved = &plan.MovedRecord{Path: beforePath, Record: record}
	case w.behind != nil:
		have.Record, have.Before = record, &plan.MovedRecord{Path: beforePath, Record: w.readRecord(w.behind, beforeAddress)}
	default:
		have.Record = record
	}
}

func (w world) readRecord(r *recordKept, address string) *plan.Record {
	if r == nil {
		return nil
	}
	out := &plan.Record{
		Fleet: fleet, Address: address, LinkID: r.linkID, ClientID: r.clientID, RefusedToken: r.refused, Ended: r.ended,
		About: plan.About{
			Terraform: "https://app.terraform.io", Organization: "acme", Bitbucket: "https://bitbucket.example/git", ServiceUser: r.user, Protected: r.protected,
		},
	}
	if r.linkID != "" {
		out.LinkURL = linkURL
	}
	if r.movedFrom {
		out.MovedFrom = beforePath
	}
	if len(r.moving) > 0 {
		out.Moving = &plan.Moving{From: r.movingFrom, To: r.token, Names: r.moving}
	}
	if r.rsa != 0 {
		out.Consumer = w.readPair(r)
	}
	out.Pending, out.Current, out.Previous = w.readKey(r, r.pending), w.readKey(r, r.ssh), w.readKey(r, r.previous)
	if out.Current != nil && r.token != "" {
		out.Current.Token, out.Current.Set, out.Current.Proved = r.token, at(r.set), at(r.set)
	}
	if out.Pending != nil {
		out.Pending.Token, out.Pending.SwitchNoted = r.tokenMay, !r.olderSwitch
	}
	if out.Previous != nil {
		out.Previous.Left = at(r.left)
		if r.leftToken != "" {
			out.Previous.Token, out.Previous.Set = r.leftToken, noon
		}
	}
	if r.undestroyed || r.retired {
		out.Retired = &plan.RetiredKey{Fingerprint: "retired", Destroyed: !r.undestroyed}
	}
	return out
}

func (w world) readPair(r *recordKept) *plan.ConsumerKey {
	out := &plan.ConsumerKey{Key: r.key, Fingerprint: rsa(r.rsa), Created: at(w.born[r.rsa]), UserSupplied: r.supplied[r.rsa], PrivateElsewhere: r.privateElsewhere[r.rsa]}
	if r.pairGone == r.rsa {
		out.Compromised = "stolen"
	}
	if r.before != 0 {
		out.Previous = rsa(r.before)
		if r.pairGone == r.before {
			out.PreviousCompromised = "stolen"
		}
	}
	return out
}

func (w world) readKey(r *recordKept, pair int) *plan.Key {
	if pair == 0 {
		return nil
	}
	out := &plan.Key{Fingerprint: ssh(pair), Created: at(w.born[pair]), PrivateElsewhere: r.privateElsewhere[pair], UserSupplied: r.supplied[pair]}
	if r.wasUsed[pair] {
		out.Left = noon
	}
	if r.compromised[pair] {
		out.Compromised = "stolen"
	}
	return out
}
