package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A World is all that is known of one connection: what was read of it, and what the
// steps that are planned so far make of it. It is a value: Effect copies what it
// changes.
type World struct {
	Have
	Target Target    // what the steps act on
	Now    time.Time // when it was read: rules and effects have no other clock
	since  since

	leaving bool // the connection is to go: apply does not note what the configuration says of it
}

// since is what happened since the world was read, and what no reading can show. A
// crash forgets it, so it holds proofs, and nothing that decides what is done.
type since struct {
	pair    standing            // of the consumer's pair, with Bitbucket
	token   standing            // of the OAuth token, with Terraform
	login   map[string]standing // of SSH keys, by fingerprint
	refused map[string]bool     // SSH keys that Bitbucket was seen to refuse
	made    int                 // numbers what does not exist yet
}

// A standing says how sure it is that something works.
type standing int

const (
	asRead  standing = iota // it was not changed, and not proven
	doubted                 // it was changed, and may have stopped working
	proven
)

// Forget returns the world as a run would read it that begins here: without what no
// reading can show.
func (w World) Forget() World {
	w.since = since{made: w.since.made}
	return w
}

// unmade begins the name of what does not exist yet: a fingerprint or an id. No step
// carries such a name.
const unmade = "\x00new "

// name makes a name for what a step is going to make.
func (w *World) name(kind string) string {
	w.since.made++
	return fmt.Sprint(unmade, kind, " ", w.since.made)
}

// known returns a name as a step may carry it: "" for what does not exist yet.
func known(name string) string {
	if strings.HasPrefix(name, unmade) {
		return ""
	}
	return name
}

// orNew returns a fingerprint, or a consumer key, for people to read.
func orNew(fingerprint string) string {
	if known(fingerprint) == "" {
		return "a new one"
	}
	return fingerprint
}

// token returns the token of the connection's OAuth client, nil for none.
func (w *World) token() *Token {
	if c := w.Client(); c != nil {
		return c.Token
	}
	return nil
}

func (w *World) isServiceUser(t *Token) bool { return w.User.Is(t.User) }

// foreignToken reports whether the token acts as somebody else: it is given no key.
func (w *World) foreignToken() bool {
	t := w.token()
	return t != nil && !w.isServiceUser(t)
}

// doubtfulToken reports whether the record says that the token may not work any more.
func (w *World) doubtfulToken() bool {
	t := w.token()
	return t != nil && w.Record != nil && w.Record.RefusedToken == t.ID
}

// deadToken reports whether Bitbucket refuses the token.
func (w *World) deadToken() bool { return w.TokenDead && w.doubtfulToken() }

// goodToken reports whether there is a token that may be given a key: one of the
// service user that Bitbucket accepts.
func (w *World) goodToken() bool {
	return w.token() != nil && !w.foreignToken() && !w.deadToken()
}

// keys returns the SSH keys of the record: current, pending, previous.
func (w *World) keys() []*Key {
	if w.Record == nil {
		return nil
	}
	return slices.DeleteFunc([]*Key{w.Record.Current, w.Record.Pending, w.Record.Previous}, func(k *Key) bool { return k == nil })
}

// current returns the SSH key in use, nil for none.
func (w *World) current() *Key {
	if w.Record == nil {
		return nil
	}
	return w.Record.Current
}

// compromised reports whether the SSH key in use is.
func (w *World) compromised() bool {
	k := w.current()
	return k != nil && k.Compromised != ""
}

// inEmergency reports whether one of the record's SSH keys is compromised.
func (w *World) inEmergency() bool {
	return slices.ContainsFunc(w.keys(), func(k *Key) bool { return k.Compromised != "" })
}

// hasKey reports whether an SSH key is on the service user.
func (w *World) hasKey(fingerprint string) bool {
	_, ok := w.Keys[fingerprint]
	return ok
}

// published reports whether an SSH key is on Bitbucket: on the service user, or on
// the user that the configuration named before.
func (w *World) published(fingerprint string) bool {
	_, old := w.OldKeys[fingerprint]
	return old || w.hasKey(fingerprint)
}

// expired reports whether Bitbucket accepts the key no longer because of its age.
func (w *World) expired(fingerprint string) bool {
	end := w.Keys[fingerprint].Expires
	return !end.IsZero() && !w.Now.Before(end)
}

// works reports whether a login with the key can succeed: Vault has its private half,
// and Bitbucket accepts the public one.
func (w *World) works(k *Key) bool {
	return k != nil && !k.PrivateElsewhere && w.hasKey(k.Fingerprint) && !w.expired(k.Fingerprint)
}

// onOldUser reports whether a key is on the user that the configuration named before.
// Bitbucket has a key on one user only.
func (w *World) onOldUser(k *Key) bool {
	if k == nil || w.hasKey(k.Fingerprint) {
		return false
	}
	_, ok := w.OldKeys[k.Fingerprint]
	return ok
}

// movedUser reports whether the SSH key in use is on the service user, and none of the
// record's keys is left on the user that the configuration named before.
func (w *World) movedUser() bool {
	k := w.current()
	return k != nil && w.hasKey(k.Fingerprint) && !slices.ContainsFunc(w.keys(), w.onOldUser)
}

// leftBehind reports whether the SSH key in use has to stay on the user that the
// configuration named before, as another connection uses it there. The service user
// then gets a new one.
func (w *World) leftBehind() bool {
	k := w.current()
	return w.onOldUser(k) && len(w.Shared[k.Fingerprint]) > 0
}

// lostPair reports whether the private half of the consumer's pair is nowhere: Vault
// never had it, and Terraform has another.
func (w *World) lostPair() bool {
	if w.Record == nil || w.Record.Consumer == nil || !w.Record.Consumer.PrivateElsewhere {
		return false
	}
	k, c := w.Record.Consumer, w.Client()
	return c == nil || c.Key != k.Key || c.Fingerprint != k.Fingerprint
}

// lostKey reports whether the private half of the SSH key in use is nowhere, or will
// be once someone has authorized again, or whether its public half is not on the
// service user: a key is published only by who has its private half. A token that is
// refused while the two sides have different pairs may work again when they do not.
func (w *World) lostKey() bool {
	k := w.current()
	if k == nil || !k.PrivateElsewhere {
		return false
	}
	t := w.token()
	return k.Fingerprint != "" && !w.hasKey(k.Fingerprint) || t == nil || !t.HasSSHKey || k.Token != t.ID || w.foreignToken() || w.deadToken() && w.bothHave()
}

// mayHold reports whether the service user's token may hold the staged key: the
// record names the token before Terraform is given the key. An older bbsync did not.
func (w *World) mayHold(staged *Key) bool {
	t := w.token()
	unnoted := staged.Token == "" && !staged.SwitchNoted && w.hasKey(staged.Fingerprint)
	return w.goodToken() && t.HasSSHKey && (staged.Token == t.ID || unnoted)
}

// holdsKey reports whether Terraform may hold one of the record's SSH keys.
func (w *World) holdsKey() bool {
	t := w.token()
	return t != nil && t.HasSSHKey && slices.ContainsFunc(w.keys(), func(k *Key) bool { return k.Token == t.ID })
}

// inPlace reports whether link, consumer and client are there and the connection's
// own, so that the pair can change on both sides at once.
func (w *World) inPlace() bool {
	r, c := w.Record, w.Client()
	return r != nil && r.Consumer != nil && w.Link != nil && w.Consumer != nil && w.Consumer.Key == r.Consumer.Key && c != nil
}

// bothHave reports whether Bitbucket and Terraform have the record's pair.
func (w *World) bothHave() bool {
	c := w.Client()
	if w.Record.Consumer == nil {
		return false
	}
	pair := w.Record.Consumer.Fingerprint
	return w.Consumer != nil && c != nil && w.Consumer.Fingerprint == pair && c.Fingerprint == pair
}

func (w *World) projectIDs(names []string) []string {
	var ids []string
	for _, name := range names {
		ids = append(ids, w.Projects[name])
	}
	return sorted(ids)
}

func (w *World) projectNames(ids []string) []string {
	names := slices.Clone(ids)
	for name, id := range w.Projects {
		if i := slices.Index(names, id); i >= 0 {
			names[i] = name
		}
	}
	return sorted(names)
}

// with returns a copy of a map with one more entry.
func with[V any](m map[string]V, key string, value V) map[string]V {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]V{}
	}
	out[key] = value
	return out
}

// without returns a copy of a map with one entry less.
func without[V any](m map[string]V, key string) map[string]V {
	out := maps.Clone(m)
	delete(out, key)
	return out
}
