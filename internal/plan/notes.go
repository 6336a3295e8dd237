package plan

import (
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
)

// A telling says what is to be known of a plan and needs no step. It looks at the world
// as it was read, at the steps, and at the world that they lead to.
type telling struct {
	findings
	view
	end     view
	asked   Rotation
	changes []Change
}

func (t *telling) tell() {
	t.unknownCompromised()
	t.secondClients()
	t.lostKeyStays()
	t.link()
	t.consumerKey()
	t.client()
	t.previousKey()
	t.leavingKeys()
	t.rollback()
	t.waits()
	t.authorized()
	t.tokenMayDie()
	t.relocated()
	t.privateElsewhere()
	t.lifetime()
	t.keyRules()
}

// has reports whether a plan has a kind of step.
func has[S Step](changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool {
		_, ok := c.Step.(S)
		return ok
	})
}

func (t *telling) unknownCompromised() {
	for _, c := range t.changes {
		if s, ok := c.Step.(MarkCompromised); ok && slices.Contains(s.Fingerprints, "") {
			t.warn(t.want.Where("ssh_key"), "which public key of %s is the compromised one is not known, as only Terraform had it: delete it on Bitbucket", t.want.ServiceUser)
		}
	}
}

func (t *telling) secondClients() {
	for _, c := range t.World.secondClients() {
		switch {
		case c.Token != nil:
			t.warn(t.want.Range, "OAuth client %s has this connection's consumer key and a token of its own, beside %s: remove one of them in Terraform", c.ID, t.Client().ID)
		case !t.madeHere(c):
			t.warn(t.want.Range, "OAuth client %s has this connection's consumer key, beside %s, and bbsync did not make it: remove it in Terraform if nobody needs it", c.ID, t.Client().ID)
		}
	}
}

// lostKeyStays tells of the public half of a key that is replaced and stays on
// Bitbucket.
func (t *telling) lostKeyStays() {
	k := t.current()
	if k == nil || !t.published(k.Fingerprint) {
		return
	}
	for _, c := range t.changes {
		if s, ok := c.Step.(CreateSSHKey); ok && s.Role == Current {
			t.note(t.want.Where("ssh_key"), "SSH key %s stays on Bitbucket, and nothing of bbsync uses it any more: delete it there if nobody else does", k.Fingerprint)
		}
	}
}

func (t *telling) link() {
	want := t.want.Link
	switch {
	case !t.NameTaken:
	case t.Link == nil:
		t.warn(t.want.Where("application_link.name"), "another application link is named %q: Bitbucket will add a number to the name", want.Name)
	case !has[CreateLink](t.changes) && t.Link.Name != want.Name && !strings.HasPrefix(t.Link.Name, want.Name+" - "):
		t.warn(t.want.Where("application_link.name"), "the application link is named %q: it cannot be renamed to %q, as another link has that name", t.Link.Name, want.Name)
	}
}

func (t *telling) consumerKey() {
	if key := t.want.Consumer.Key; key != "" && t.end.Record != nil && t.end.Record.Consumer != nil && key != t.end.Record.Consumer.Key {
		t.warn(t.want.Where("consumer.key"), "the connection was made with consumer key %s, which stays: a consumer key is not changed in place; write it into the files, or give the connection another record", t.end.Record.Consumer.Key)
	}
}

// client tells of what cannot be changed in an OAuth client.
func (t *telling) client() {
	provider, api := ServiceProvider(t.want, t.Bitbucket.Version), APIURL(t.want.Bitbucket.URL)
	if has[CreateClient](t.changes) {
		t.note(t.want.Where("bitbucket"), "Terraform cannot change an OAuth client's HTTP URL (%s), API URL (%s) or service provider (%s) later", t.want.Bitbucket.URL, api, provider)
		return
	}
	have, remedy := t.view.client(), "to move to another URL, describe it as a bitbucket block of its own and write relocate { from = ... } (docs/relocate.md)"
	if have == nil {
		return
	}
	if !names.SameURL(have.APIURL, api) {
		t.warn(t.want.Where("bitbucket"), "OAuth client %s has API URL %s, want %s, which Terraform cannot change; %s", have.ID, have.APIURL, api, remedy)
	}
	if !names.SameURL(have.HTTPURL, t.want.Bitbucket.URL) {
		t.warn(t.want.Where("bitbucket"), "OAuth client %s has HTTP URL %s, want %s, which Terraform cannot change; %s", have.ID, have.HTTPURL, t.want.Bitbucket.URL, remedy)
	}
	if have.ServiceProvider != provider {
		t.note(t.want.Where("service_provider"), "OAuth client %s is of service provider %s; a new one would be %s. Terraform treats them alike and cannot change it", have.ID, have.ServiceProvider, provider)
	}
}

// previousKey tells of an overlap, or why there is no way back from it.
func (t *telling) previousKey() {
	if t.Record == nil || t.Record.Previous == nil || t.isCompromised(t.Record.Previous) || has[RestageKey](t.changes) {
		return
	}
	previous := t.Record.Previous
	if why := t.wayBack(previous); t.asked.Rollback && why != "" {
		t.note(t.want.Where("ssh_key"), "there is no way back to the SSH key before: %s", why)
		return
	}
	s := t.overlap()
	if k := t.end.Record.Previous; k != nil && k.Fingerprint == previous.Fingerprint {
		t.note(t.want.Where("ssh_key.overlap"), "%s", s.String())
	}
	if s.warning != "" {
		t.warn(t.want.Where("ssh_key.overlap"), "%s", s.warning)
	}
}

// isCompromised reports whether a key is, or is marked in this plan.
func (t *telling) isCompromised(k *Key) bool {
	return k.Compromised != "" || slices.ContainsFunc(t.changes, func(c Change) bool {
		s, ok := c.Step.(MarkCompromised)
		return ok && slices.Contains(s.Fingerprints, k.Fingerprint)
	})
}

// leavingKeys tells of keys that leave the record and stay on Bitbucket.
func (t *telling) leavingKeys() {
	for _, k := range t.keys() {
		retired := slices.ContainsFunc(t.changes, func(c Change) bool {
			s, ok := c.Step.(RetireKey)
			return ok && s.Fingerprint == k.Fingerprint
		})
		switch {
		case !retired || !t.published(k.Fingerprint) || t.isCompromised(k):
		case len(t.Shared[k.Fingerprint]) > 0:
			t.warn(t.want.Where("ssh_key"), "SSH key %s stays on Bitbucket: %s uses it, too; bring one for each", k.Fingerprint, t.Shared[k.Fingerprint][0].Address)
		case k.PrivateElsewhere:
			t.note(t.want.Where("ssh_key"), "SSH key %s was made by hand and stays on Bitbucket: delete it there when nobody uses it any more", k.Fingerprint)
		}
	}
}

// rollback tells why there is no way back.
func (t *telling) rollback() {
	if !t.asked.Rollback || t.current() == nil || t.compromised() || t.ask.Key != t.current().Fingerprint {
		return
	}
	at, staged := t.want.Where("ssh_key"), t.Record.Pending
	switch {
	case staged == nil && !t.lostKey() && !t.expired(t.ask.Key):
		t.note(at, "there is no earlier SSH key to go back to")
	case staged != nil && staged.Compromised == "" && t.foreignToken():
		t.note(at, "the staged SSH key is dropped when %s has authorized: a token that acts as somebody else may hold it, and is given no other", t.want.ServiceUser)
	case staged != nil && staged.Compromised == "" && (t.mayHold(staged) || t.expired(t.ask.Key)) && t.wayBack(t.current()) != "":
		t.note(at, "there is no way back to SSH key %s: %s", t.current().Fingerprint, t.wayBack(t.current()))
	}
}

// waits tells of rotations that are wanted and have not begun, and of those that are
// near.
func (t *telling) waits() {
	end := t.end
	if end.Record == nil || end.Record.Consumer == nil || end.current() == nil {
		return
	}
	if end.Record.Previous != nil && end.ask.Key == "" && t.Record != nil && t.Record.Previous != nil && end.whyKey() != nil {
		t.note(t.want.Where("ssh_key.overlap"), "a new SSH key waits for the overlap to end; --emergency does not wait")
		return
	}
	if end.ask.Key == "" {
		t.due(end.keyDue(), "SSH key")
	}
	t.due(consumerDue(t.want, end.Record.Consumer), "consumer's pair")
}

// due tells of a rotation that is near, or held back by the maintenance window.
func (t *telling) due(at due, what string) {
	switch {
	case at.at.IsZero():
		return
	case t.Now.Before(at.at):
		if at.at.Sub(t.Now) <= soon {
			t.note(t.want.Where(at.attribute), "the %s is due to be rotated on %s: %s", what, day(at.at), at.why)
		}
		return
	}
	open, next := window(t.want.Maintenance, t.Now)
	if t.asked.Hold || open || at.isOverdue(t.Now) {
		return
	}
	opens := "never"
	if !next.IsZero() {
		opens = next.UTC().Format(minutes)
	}
	t.note(t.want.Maintenance.Range, "the %s is due to be rotated since %s and waits for the maintenance window, which opens at %s", what, day(at.at), opens)
}

func (t *telling) authorized() {
	if token := t.clientToken(); token != nil && !t.isServiceUser(token) {
		t.warn(t.want.Where("service_user"), "Terraform shows that %s authorized %q, not %s: revoke the connection in the organization's settings, log in to Bitbucket as %s, and connect again", token.User, t.want.Name, t.want.ServiceUser, t.want.ServiceUser)
	}
}

// tokenMayDie tells that a step of the plan may end the OAuth token, or one before that
// changed the consumer's pair.
func (t *telling) tokenMayDie() {
	if has[Authorize](t.changes) || !has[ProveRepositories](t.changes) || t.clientToken() == nil {
		return
	}
	swapped := t.Record != nil && t.Record.Consumer != nil && t.Record.Consumer.Previous != ""
	if swapped || t.endsTokens() {
		t.note(t.want.Range, "the OAuth token may not outlive this change: a person may have to authorize again")
	}
}

// endsTokens reports whether a step of the plan may end the tokens of the consumer.
func (t *telling) endsTokens() bool {
	w := *t.World
	for _, c := range t.changes {
		switch s := c.Step.(type) {
		case CreateLink, DeleteLink, SwapConsumer:
			return true
		case SetConsumer:
			if w.Consumer == nil || w.Consumer.Fingerprint != w.Record.Consumer.Fingerprint {
				return true
			}
		case UpdateClient:
			if s.Keys {
				return true
			}
		default:
		}
		w = Effect(c.Step, w)
	}
	return false
}

// relocated says when the relocate block has done its work.
func (t *telling) relocated() {
	from := t.want.Relocate
	if from == nil || from.From == nil {
		return
	}
	for _, c := range t.Clients {
		if k := t.keptBy(c); k != nil && t.isThere(c) && c.Token != nil && len(t.Using[c.Token.ID]) > 0 {
			t.note(from.Range, "the workspaces of OAuth client %s stay: it is that of %s, which the files keep on %s; they come along when it is taken out of the files", c.ID, k.Address, from.From.URL)
		}
	}
	if !slices.ContainsFunc(t.Clients, t.isLeft) {
		t.note(from.Range, "%s has no OAuth client for %s any more: the relocate block has done its work and can go", t.want.Organization, from.From.URL)
		return
	}
	if len(t.left()) > 0 {
		t.note(from.Range, "only workspaces move: have registry modules, policy sets and stacks use the new OAuth client before the old one goes")
	}
}

// privateElsewhere tells of private keys that only Terraform has: what cannot be
// proven, and how it could be.
func (t *telling) privateElsewhere() {
	if t.Record == nil || t.end.Record == nil {
		return
	}
	if c := t.end.Record.Consumer; c != nil && c.PrivateElsewhere {
		t.note(t.want.Range, "only Terraform holds the private half of the consumer's pair, %s: it cannot be proven; bbsync rotate --consumer makes a pair that Vault has, too", c.Fingerprint)
	}
	k := t.end.Record.Current
	switch {
	case k == nil || !k.PrivateElsewhere:
	case k.Fingerprint == "":
		t.note(t.want.Range, "only Terraform holds the SSH key, and which of the public keys of %s it is cannot be known; bbsync rotate --ssh makes one that Vault has, too", t.want.ServiceUser)
	default:
		t.note(t.want.Range, "only Terraform holds the private half of SSH key %s: it cannot be proven; bbsync rotate --ssh makes one that Vault has, too", k.Fingerprint)
	}
}
