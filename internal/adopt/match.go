package adopt

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// A Kind is a way in which what people made does not fit.
type Kind string

// The kinds of Unmatched.
const (
	Unreadable       Kind = "cannot be read"
	LinkAlone        Kind = "link without client"
	LinkEmpty        Kind = "link without consumer"
	OrphanedConsumer Kind = "consumer without link"
	ClientAlone      Kind = "client without link"
	ClientElsewhere  Kind = "client for another Bitbucket"
	ClientSecond     Kind = "second client of an organization for one Bitbucket"
	ClientUnnamed    Kind = "client without a name of its own"
	SharedLink       Kind = "several clients on one link"
	PairDiffers      Kind = "two sides with different keys"
	NeverAuthorized  Kind = "never authorized"
	NoSSHKey         Kind = "token without SSH key"
	UnknownUser      Kind = "authorized by nobody we know"
	KeyOfOthers      Kind = "SSH key of a connection that these files do not describe"
	KeyOfNobody      Kind = "SSH key that no connection is known to use"
	Unnameable       Kind = "name that the configuration cannot hold"
	NotAdministrator Kind = "workspace on a repository that the service user may not administer"
)

// An Unmatched is something that fits no connection, or not quite.
type Unmatched struct {
	Kind   Kind
	Text   string
	Remedy string
}

// A Match is a connection that people made: both sides, with the same keys.
type Match struct {
	Client    Client
	Link      Link
	User      *User
	Key       *bitbucket.SSHKey // that Terraform holds the private half of; nil: which one is not known
	Bitbucket *schema.Bitbucket
}

// Pair joins the two sides: by consumer key, which is what they find each other
// by, and only where both have the same public key.
func Pair(f Found, bitbuckets []*schema.Bitbucket) (matches []Match, unmatched []Unmatched) {
	p := &pairing{found: f, bitbuckets: bitbuckets, used: map[string]bool{}, unmatched: slices.Clone(f.Unmatched)}
	candidates := map[string][]Client{} // by link
	var order []Link
	for _, c := range f.Clients {
		if link, ok := p.link(c); ok {
			name := link.Bitbucket.Label + " " + link.ID
			if len(candidates[name]) == 0 {
				order = append(order, link)
			}
			candidates[name] = append(candidates[name], c)
		}
	}
	for _, link := range order {
		if c, ok := p.one(link, candidates[link.Bitbucket.Label+" "+link.ID]); ok {
			p.match(c, link)
		}
	}
	p.names()
	p.leftLinks()
	p.sshKeys()
	return p.matches, p.unmatched
}

type pairing struct {
	found      Found
	bitbuckets []*schema.Bitbucket
	used       map[string]bool // links, by Bitbucket and id, that some client knows
	matches    []Match
	unmatched  []Unmatched
}

func (p *pairing) tell(kind Kind, remedy, format string, args ...any) {
	p.unmatched = append(p.unmatched, Unmatched{Kind: kind, Text: fmt.Sprintf(format, args...), Remedy: remedy})
}

// of tells of a client, unless bbsync keeps it.
func (p *pairing) of(c Client, kind Kind, remedy, format string, args ...any) {
	if !p.found.Existing.Clients[c.ID] {
		p.tell(kind, remedy, format, args...)
	}
}

func (c Client) String() string {
	return fmt.Sprintf("OAuth client %q (%s) of organization %s", c.Name, c.ID, c.Organization)
}

func (l Link) String() string {
	return fmt.Sprintf("application link %q on %s (bitbucket.%s)", l.Name, l.URL, l.Bitbucket.Label)
}

// link returns the link whose consumer has the client's key.
func (p *pairing) link(c Client) (Link, bool) {
	b := bitbucketOf(c, p.bitbuckets)
	if b == nil {
		p.of(c, ClientElsewhere, "add a bitbucket block for it and import again, if it is to be kept", "%s is for %s", c, c.HTTPURL)
		return Link{}, false
	}
	for _, l := range p.found.Links {
		if l.Bitbucket == b && l.Consumer != nil && c.Key != "" && l.Consumer.Key == c.Key {
			p.used[b.Label+" "+l.ID] = true
			if !samePublic(l.Consumer.PublicKey, c.RSAPublicKey) {
				p.of(c, PairDiffers, "describe it and run bbsync apply --adopt: new keys are made on both sides", "%s and %s have the same consumer key and different public keys", c, l)
				return Link{}, false
			}
			return l, true
		}
	}
	for _, l := range p.found.Links { // the same pair under another key: typed wrong on one side
		if l.Bitbucket == b && l.Consumer != nil && samePublic(l.Consumer.PublicKey, c.RSAPublicKey) {
			p.used[b.Label+" "+l.ID] = true
			p.of(c, PairDiffers, "describe it and run bbsync apply --adopt: new keys are made on both sides", "%s has consumer key %q, and %s with the same public key has %q", c, c.Key, l, l.Consumer.Key)
			return Link{}, false
		}
	}
	p.of(c, ClientAlone, "delete it in Terraform if no workspace uses it, or describe it and run bbsync apply --adopt", "%s: no link on bitbucket.%s has its consumer key %q", c, b.Label, c.Key)
	return Link{}, false
}

func samePublic(a, b string) bool {
	have, err := keys.PublicFingerprint(a)
	want, err2 := keys.PublicFingerprint(b)
	return err == nil && err2 == nil && have == want
}

// one returns the client that a link is for: the only one, or the one whose
// organization the link's URL names.
func (p *pairing) one(link Link, clients []Client) (Client, bool) {
	if len(clients) == 1 {
		return clients[0], true
	}
	var named []Client
	for _, c := range clients {
		if names.SameURL(link.URL, c.Terraform.Address+"/app/"+c.Organization) {
			named = append(named, c)
		}
	}
	const remedy = "give each organization a link of its own: describe it with another link and run bbsync apply"
	for _, c := range clients {
		if len(named) != 1 || c.ID != named[0].ID {
			p.of(c, SharedLink, remedy, "%s uses %s, as %d clients do", c, link, len(clients))
		}
	}
	if len(named) == 1 {
		return named[0], true
	}
	return Client{}, false
}

// match takes a pair in if nothing would have to change.
func (p *pairing) match(c Client, l Link) {
	user := p.found.user(l.Bitbucket, c.Token)
	switch {
	case c.Token == nil:
		p.of(c, NeverAuthorized, "authorize it or delete it, then import again", "%s", c)
	case user == nil || !user.Active:
		p.of(c, UnknownUser, "authorize it again as the service user, then import again", "%s was authorized by %q", c, c.Token.User)
	case !c.Token.HasSSHKey:
		p.of(c, NoSSHKey, "describe it and run bbsync apply --adopt: an SSH key is made for it, too", "%s", c)
	case p.unnameable(c, l, user):
	default:
		c.Uses = p.uses(c)
		p.matches = append(p.matches, Match{Client: c, Link: l, User: user, Bitbucket: l.Bitbucket})
	}
}

// uses returns the repositories that grants can name, and reports the others and
// those that the service user may not administer.
func (p *pairing) uses(c Client) []Use {
	var out []Use
	for _, u := range c.Uses {
		if !names.IsProject(u.Project) || !names.IsRepository(u.Repository) {
			p.of(c, Unnameable, "the connection is imported without it: check the name in Terraform and on Bitbucket", "repository %q of project %q, used through %s", u.Repository, u.Project, c)
			continue
		}
		if !u.Admin {
			p.of(c, NotAdministrator, "grant it, or add it to the grants of the connection", "%s/%s, used through %s", u.Project, u.Repository, c)
		}
		out = append(out, u)
	}
	return out
}

// unnameable reports what the configuration cannot say of a pair: one such name
// must not keep all other connections from being imported.
func (p *pairing) unnameable(c Client, l Link, user *User) bool {
	const remedy = "rename it, then import again; all other connections are imported"
	_, err := schema.CanonicalURL(l.URL)
	switch {
	case !names.IsOrganization(c.Organization):
		p.of(c, Unnameable, remedy, "organization %q of %s", c.Organization, c)
	case !names.IsUser(user.Name):
		p.of(c, Unnameable, remedy, "user %q, who authorized %s", user.Name, c)
	case err != nil:
		p.of(c, Unnameable, remedy, "%s: %v", l, err)
	default:
		return false
	}
	return true
}

// names leaves out clients without a name, and all but one of those that join
// one organization to one Bitbucket: the one that most is used through stays.
func (p *pairing) names() {
	best := map[string]int{}
	for i, m := range p.matches {
		j, seen := best[m.place()]
		if m.Client.Name != "" && (!seen || p.better(m.Client, p.matches[j].Client)) {
			best[m.place()] = i
		}
	}
	var kept []Match
	for i, m := range p.matches {
		switch j, ok := best[m.place()]; {
		case m.Client.Name == "":
			p.of(m.Client, ClientUnnamed, "give it a name in Terraform, then import again", "%s", m.Client)
		case !ok || i != j:
			p.of(m.Client, ClientSecond, "move its workspaces to the other one and delete it", "%s: %s is imported", m.Client, p.matches[j].Client)
		default:
			kept = append(kept, m)
		}
	}
	p.matches = kept
}

// better reports whether a client is rather the organization's than another: the
// one that bbsync keeps, or that more is used through.
func (p *pairing) better(c, other Client) bool {
	if ours := p.found.Existing.Clients; ours[c.ID] != ours[other.ID] {
		return ours[c.ID]
	}
	return len(c.Uses) > len(other.Uses)
}

func (m Match) place() string {
	return m.Client.Terraform.Label + " " + names.OrganizationKey(m.Client.Organization) + " " + m.Bitbucket.Label
}

func (p *pairing) leftLinks() {
	for _, l := range p.found.Links {
		switch {
		case p.used[l.Bitbucket.Label+" "+l.ID], p.found.Existing.Links[l.ID]:
		case l.Consumer == nil:
			p.tell(LinkEmpty, "delete it in Bitbucket if it is nobody's", "%s", l)
		default:
			p.tell(LinkAlone, "delete it in Bitbucket if it is nobody's", "%s, with consumer key %q", l, l.Consumer.Key)
		}
	}
}

// sshKeys finds the key that Terraform holds, where that can be known: the only
// one of the user, or the only one that names the organization.
func (p *pairing) sshKeys() {
	known := map[string]bool{}
	unknown := map[*User]int{}
	for i := range p.matches {
		m := &p.matches[i]
		if m.Key = keyOf(m.User, m.Client.Organization); m.Key != nil {
			known[fmt.Sprint(m.Bitbucket.Label, " ", m.Key.ID)] = true
		} else if ours := p.found.Existing; !ours.Clients[m.Client.ID] || ours.Unknown[m.Client.ID] {
			unknown[m.User]++
		}
	}
	for i := range p.found.Users {
		u := &p.found.Users[i]
		for _, k := range u.Keys {
			if known[fmt.Sprint(u.Bitbucket.Label, " ", k.ID)] || p.found.Existing.key(k) {
				continue
			}
			text := fmt.Sprintf("key %d, %q, of %s (bitbucket.%s)", k.ID, k.Label, u.Name, u.Bitbucket.Label)
			if madeElsewhere(k) {
				p.tell(KeyOfOthers, "leave it to the fleet in its label: bbsync plan --prune there shows whether it is to go", "%s", text)
				continue
			}
			if n := unknown[u]; n > 0 {
				text += fmt.Sprintf("; %d connections use a key that is not known, which may be this", n)
			}
			p.tell(KeyOfNobody, "delete it once every connection has a key of its own: bbsync rotate --ssh --all", "%s", text)
		}
	}
}

func keyOf(u *User, organization string) *bitbucket.SSHKey {
	if len(u.Keys) == 1 {
		return &u.Keys[0]
	}
	word := regexp.MustCompile(`(?i)(^|[^a-z0-9_-])` + regexp.QuoteMeta(organization) + `($|[^a-z0-9_-])`)
	var found *bitbucket.SSHKey
	for i := range u.Keys {
		k := &u.Keys[i]
		_, comment, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(k.Line, strings.SplitN(k.Line, " ", 2)[0])), " ")
		if word.MatchString(k.Label) || word.MatchString(comment) {
			if found != nil {
				return nil
			}
			found = k
		}
	}
	return found
}
