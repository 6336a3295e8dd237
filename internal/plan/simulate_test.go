package plan_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/plan"
)

// errRefused ends a round as it ends an apply: the token is dead, which is
// noted, and the next plan asks for a person.
var errRefused = errors.New("the token is refused")

// simulate returns the world after a step. An error is a step that could not
// have been carried out, or that breaks a law: a plan that has one is wrong.
// With cut, the process dies after the write and before the record is told.
func simulate(step plan.AnyStep, before world, cut bool) (world, error) {
	drawn.note("step: " + step.Type().Kind)
	w := before.clone()
	w.describe()
	var err error
	if _, moves := step.(plan.MoveRecord); w.elsewhere && !moves && step.Type().Kind != "grant_permission" {
		return w, errors.New("the record is at another path")
	}
	switch s := step.(type) {
	case plan.CreateConsumerKey:
		err = w.createConsumerKey(s)
	case plan.CreateSSHKey:
		err = w.createSSHKey(s)
	case plan.CreateLink:
		err = w.createLink(s)
	case plan.RenameLink:
		err = w.renameLink(s)
	case plan.DeleteLink:
		err = w.deleteLink(s)
	case plan.SetConsumer:
		err = w.setConsumer(s)
	case plan.ProveConsumer:
		err = w.proveConsumer()
	case plan.CreateClient:
		err = w.createClient(s)
	case plan.UpdateClient:
		err = w.updateClient(s)
	case plan.DeleteClient:
		err = w.deleteClient(s)
	case plan.MoveWorkspaces:
		err = w.moveWorkspaces(s, cut)
	case plan.ProveFetched:
		err = w.proveFetched(s)
	case plan.NoteConnection, plan.MoveRecord, plan.ForgetRecord, plan.RetireRecord:
		err = w.keepRecord(s, cut)
	case plan.AddSSHKey:
		err = w.addSSHKey(s.Role)
	case plan.ProveSSH:
		err = w.proveSSH(s.Role)
	case plan.Authorize:
		err = w.authorize(s)
	case plan.SetTokenKey:
		err = w.setTokenKey()
	case plan.ProveRepositories:
		err = w.proveRepositories()
	case plan.MarkCompromised, plan.RestageKey, plan.SwitchKey, plan.DeleteSSHKey, plan.ProveRefused, plan.RetireKey, plan.SwapConsumer, plan.RetireConsumer:
		err = w.rotate(s, cut)
	case plan.GrantPermission:
		w.granted[s.User] = true
	case plan.InstallPlugin, plan.EnablePlugin, plan.EnableHook, plan.BreakLease, plan.RemoveUnknownKey:
		err = errors.New("nothing here asks for it")
	}
	if cut && before.record != nil && !isRecords(step) {
		named := w.record.clientID
		w.record = before.clone().record
		w.describe()
		if givesKey(step) {
			w.record.clientID = named
		}
		if m, ok := step.(plan.MoveWorkspaces); ok {
			w.record.moving, w.record.movingFrom = m.Names, w.old.token.id // before the first is moved
		}
		if _, ok := step.(plan.SwitchKey); ok {
			w.noteToken() // before Terraform is told
		}
	}
	return w, err
}

// isRecords reports whether a step writes to the record and nowhere else.
func isRecords(step plan.AnyStep) bool {
	switch step.(type) {
	case plan.CreateConsumerKey, plan.CreateSSHKey, plan.MarkCompromised, plan.RestageKey, plan.RetireKey, plan.RetireConsumer,
		plan.NoteConnection, plan.MoveRecord, plan.ForgetRecord, plan.RetireRecord:
		return true
	default:
		return false
	}
}

func (w *world) createConsumerKey(s plan.CreateConsumerKey) error {
	if w.record == nil {
		w.record = &recordKept{}
		w.describe()
	}
	r := w.record
	switch {
	case s.Again && (r.rsa == 0 || r.before != 0):
		return errors.New("there is no pair to go back to, or one already")
	case !s.Again && r.rsa != 0 && !r.privateElsewhere[r.rsa]:
		return errors.New("a pair in the record would be overwritten")
	}
	if r.before = r.rsa; !s.Again {
		r.before = 0
	}
	r.key, r.rsa = s.Key, w.tick()
	w.born[r.rsa] = w.hours
	if s.Key == "" {
		w.record.key = fmt.Sprint("bbsync-", w.record.rsa)
	}
	if s.From != "" && !s.Again {
		w.record.rsa = theirPair
		w.born[theirPair] = w.hours
	}
	if r.bring(s.From, r.rsa); s.Client != "" {
		r.clientID = s.Client
	}
	return nil
}

// bring notes that a pair is the user's own.
func (r *recordKept) bring(from string, pair int) {
	if from == "" {
		return
	}
	if r.supplied == nil {
		r.supplied = map[int]bool{}
	}
	r.supplied[pair] = true
}

func (w *world) createSSHKey(s plan.CreateSSHKey) error {
	if w.record == nil || *w.slot(s.Role) != 0 && !w.record.privateElsewhere[*w.slot(s.Role)] {
		return errors.New("the role is not empty, or there is no record")
	}
	pair := w.tick()
	w.born[pair] = w.hours
	*w.slot(s.Role) = pair
	w.record.bring(s.From, pair)
	if s.Role == plan.Current {
		w.record.token = "" // no token was given this one
	}
	return nil
}

// consumer returns the record, which must have a pair: a key is in Vault before
// any other system learns it.
func (w *world) consumer() (*recordKept, error) {
	if w.record == nil || w.record.rsa == 0 {
		return nil, errors.New("the record has no consumer pair")
	}
	return w.record, nil
}

func (w *world) sshKey() (*recordKept, error) {
	if w.record == nil || w.record.ssh == 0 {
		return nil, errors.New("the record has no SSH pair")
	}
	return w.record, nil
}

func (w *world) createLink(s plan.CreateLink) error {
	r, err := w.consumer()
	if err != nil {
		return err
	}
	if w.link != nil {
		return errors.New("a link is on the URL")
	}
	w.doubtToken()
	w.link = &linkKept{name: s.Name}
	if w.nameTaken {
		w.link.name += " - 2"
	}
	r.linkID = linkID
	return nil
}

func (w *world) renameLink(s plan.RenameLink) error {
	if w.link == nil || w.link.name != s.From || w.nameTaken {
		return errors.New("the link is not there as planned, or the name is taken")
	}
	w.link.name = s.To
	return nil
}

func (w *world) deleteLink(s plan.DeleteLink) error {
	if w.link == nil || w.link.key != s.ConsumerKey {
		return errors.New("the link is not there as planned")
	}
	w.doubtToken()
	w.dropConsumer(w.link.key)
	w.link = nil
	return nil
}

func (w *world) setConsumer(s plan.SetConsumer) error {
	r, err := w.consumer()
	if err != nil {
		return err
	}
	if w.link == nil {
		return errors.New("there is no link")
	}
	if _, there := w.consumers[w.link.key]; there && w.link.key != r.key {
		return fmt.Errorf("consumer %s would stay alive beside %s", w.link.key, r.key)
	}
	if s.Fingerprint != "" && s.Fingerprint != rsa(r.rsa) {
		return errors.New("the record has another pair than was planned")
	}
	if have, ok := w.consumers[w.link.key]; !ok || have.rsa != r.rsa {
		w.doubtToken()
	}
	w.consumers[r.key] = consumerKept{rsa: r.rsa, name: s.Name, mark: plan.OwnerMark(fleet)}
	w.link.key, r.linkID, w.provenRSA = r.key, linkID, 0
	return nil
}

// doubtToken notes that the token may not outlive what is done next.
func (w *world) doubtToken() {
	if r := w.record; r != nil && r.ssh != 0 && r.token != "" {
		r.refused = r.token
	}
}

func (w *world) proveConsumer() error {
	r, err := w.consumer()
	if err != nil {
		return err
	}
	if w.consumers[r.key].rsa != r.rsa || r.privateElsewhere[r.rsa] {
		return errors.New("Bitbucket refuses the consumer")
	}
	w.provenRSA = r.rsa
	return nil
}

// proven returns the record whose pair Bitbucket was seen to accept, since it
// was last changed: Terraform learns no other.
func (w *world) proven() (*recordKept, error) {
	r, err := w.consumer()
	if err != nil {
		return nil, err
	}
	if w.provenRSA != r.rsa {
		return nil, errors.New("the consumer is not proven")
	}
	return r, nil
}

// givesKey reports whether a step gives Terraform a private key: which client has
// it is noted before.
func givesKey(step plan.AnyStep) bool {
	switch step.(type) {
	case plan.SetTokenKey, plan.SwitchKey:
		return true
	default:
		return false
	}
}

func (w *world) createClient(s plan.CreateClient) error {
	r, err := w.proven()
	if err != nil {
		return err
	}
	if c, err := w.ours(); err == nil {
		return fmt.Errorf("client %s is there", c.id)
	}
	r.clientID = fmt.Sprint("oc-", w.tick())
	w.clients = append(w.clients, clientKept{id: r.clientID, name: s.Name, key: r.key, rsa: r.rsa, scoped: s.Scoped})
	return nil
}

func (w *world) updateClient(s plan.UpdateClient) error {
	i := slices.IndexFunc(w.clients, func(c clientKept) bool { return c.id == s.ID })
	if i < 0 {
		return fmt.Errorf("no client %s", s.ID)
	}
	c := &w.clients[i]
	if s.Name != nil {
		c.name = *s.Name
	}
	if s.Scoped != nil {
		c.scoped = *s.Scoped
	}
	if s.Projects != nil {
		if *s.Projects == nil {
			return errors.New("no projects, and no list: in JSON that is as if they were left alone")
		}
		c.projects = nil
	}
	if s.Keys {
		r, err := w.proven()
		if err != nil {
			return err
		}
		if changed := c.key != r.key || c.rsa != r.rsa; changed && w.fragile && c.token != nil {
			c.token.dead = true
		}
		w.doubtToken()
		c.key, c.rsa = r.key, r.rsa
	}
	w.record.clientID = c.id
	return nil
}

func (w *world) deleteClient(s plan.DeleteClient) error {
	i := slices.IndexFunc(w.clients, func(c clientKept) bool { return c.id == s.ID })
	if i < 0 || w.clients[i].token != nil && !w.leaves {
		return errors.New("no such client, or workspaces may use it")
	}
	w.dropToken(&w.clients[i])
	w.clients = slices.Delete(w.clients, i, i+1)
	return nil
}

func (w *world) addSSHKey(role plan.Role) error {
	pair := *w.slot(role)
	owner, taken := w.published[pair]
	switch {
	case pair == 0:
		return errors.New("the record has no such SSH pair")
	case w.record.compromised[pair]:
		return errors.New("a compromised key would be published")
	case taken && owner != w.user:
		return errors.New("Bitbucket has the SSH key on " + owner)
	}
	w.published[pair] = w.user
	if role == plan.Current {
		w.record.user = w.user
	}
	delete(w.ends, pair)
	if w.expiring {
		w.ends[pair] = w.hours + 90*24
	}
	return nil
}

// lets reports whether Bitbucket lets the service user in with an SSH key.
func (w *world) lets(pair int) bool {
	return pair != 0 && w.published[pair] == w.user && !w.hasExpired(pair)
}

func (w *world) proveSSH(role plan.Role) error {
	pair := *w.slot(role)
	if !w.lets(pair) || w.record.privateElsewhere[pair] {
		return errors.New("Bitbucket refuses the SSH key, or there is none, or nobody has its private half")
	}
	w.provenSSH[pair] = true
	return nil
}

// authorize is the person, who can do it only when the handshake works.
func (w *world) authorize(s plan.Authorize) error {
	c, err := w.ours()
	if err != nil {
		return err
	}
	if !w.handshake(*c) {
		return errors.New("Bitbucket refuses what Terraform signs")
	}
	if s.Again != (c.token != nil) {
		return errors.New("a token is there, or not, other than planned")
	}
	if c.token == nil || !w.sameToken {
		w.newToken(c, tokenKept{})
	}
	c.token.user, c.token.dead = w.user, false
	return nil
}

func (w *world) setTokenKey() error {
	r, err := w.sshKey()
	if err != nil {
		return err
	}
	c, err := w.ours()
	switch {
	case err != nil:
		return err
	case c.token == nil || c.token.user != w.user:
		return errors.New("no token of the service user")
	case r.privateElsewhere[r.ssh]:
		return errors.New("nobody has the private half")
	case w.published[r.ssh] != w.user || !w.provenSSH[r.ssh]:
		return errors.New("Terraform would get a key that Bitbucket does not know, or that was not proven")
	}
	r.clientID = c.id
	c.token.ssh, r.token, r.set = r.ssh, c.token.id, w.hours
	r.tokenMay, r.olderSwitch = "", false
	return nil
}

func (w *world) proveRepositories() error {
	c, err := w.ours()
	switch {
	case err != nil:
		return err
	case c.token == nil:
		return errors.New("no token")
	case w.blind || w.works(*c):
		w.record.refused = ""
		return nil
	}
	w.record.refused = c.token.id
	return errRefused
}
