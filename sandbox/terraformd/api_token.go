package terraformd

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The kinds of API tokens, as token-ttl-policies names them.
const (
	userToken         = "user"
	teamToken         = "team"
	organizationToken = "organization"
	auditToken        = "audit_trails"
)

// apiToken is a token for the API. It belongs to a user, a team or an organization.
type apiToken struct {
	ID          string     `json:"id"`
	Kind        string     `json:"kind"`
	Text        kept       `json:"text"`
	Description *string    `json:"description"` // a team's token without one is its legacy token
	CreatedAt   time.Time  `json:"created_at"`
	ExpiredAt   *time.Time `json:"expired_at"` // nil: never
	CreatedBy   ref        `json:"created_by"`

	lastUsed *atomic.Int64 // Unix milliseconds; nil until the index knows the token
}

// digest is what the index finds a token by.
func (t *apiToken) digest() [sha256.Size]byte { return sha256.Sum256([]byte(t.Text.Reveal())) }

// ended reports whether the token is past its end.
func (t *apiToken) ended(now time.Time) bool { return t.ExpiredAt != nil && !now.Before(*t.ExpiredAt) }

// exceeds reports whether the token lives longer than the organization allows tokens of its kind.
func (t *apiToken) exceeds(o *organization) bool {
	limit, limited := o.TokenTTLs[t.Kind]
	return limited && (t.ExpiredAt == nil || t.ExpiredAt.Sub(t.CreatedAt) > time.Duration(limit)*time.Millisecond)
}

type apiTokenAttributes struct {
	CreatedAt   time.Time  `json:"created-at"`
	LastUsedAt  *time.Time `json:"last-used-at"`
	Description *string    `json:"description"`
	Token       *string    `json:"token"` // only in the answer to the request that creates it
	ExpiredAt   *time.Time `json:"expired-at"`
}

// render shows a token of the actor it speaks for.
func (t *apiToken) render(a actor, text *string) resource {
	attributes := apiTokenAttributes{CreatedAt: t.CreatedAt, Description: t.Description, Token: text, ExpiredAt: t.ExpiredAt}
	if used := t.lastUsed.Load(); used != 0 {
		attributes.LastUsedAt = new(time.UnixMilli(used).UTC())
	}
	relationships := map[string]relation{"created-by": toOne(t.CreatedBy.Type, t.CreatedBy.ID)}
	if a.team != nil {
		relationships["team"] = toOne("teams", a.team.ID)
	}
	return resource{ID: t.ID, Type: "authentication-tokens", Attributes: attributes, Relationships: relationships}
}

// tokenInput is what a token is made from. go-tfe sends no data.type.
type tokenInput struct {
	Description optional[string]    `json:"description"`
	ExpiredAt   optional[time.Time] `json:"expired-at"`
}

func readTokenInput(s *Server, c call) (tokenInput, error) {
	if c.ContentLength == 0 {
		return tokenInput{}, nil
	}
	in, err := readBody[tokenInput](s, c.Request, anyTokenType, nil)
	return in.attributes, err
}

// newToken makes a token of a kind. The caller holds the lock and adds it to its owner.
func (s *Server) newToken(c call, kind string, in tokenInput) (*apiToken, error) {
	made := &apiToken{
		ID: newID("at"), Kind: kind, Text: keep(newID("sandbox") + ".atlasv1." + randomHex(32)), Description: in.Description.value,
		CreatedAt: s.now(), ExpiredAt: in.ExpiredAt.value, CreatedBy: c.actor.ref(),
	}
	if made.ExpiredAt == nil && s.tokensEnd() {
		made.ExpiredAt = new(made.CreatedAt.AddDate(2, 0, 0))
	}
	if made.ended(made.CreatedAt) {
		return nil, invalid("expired-at", "Expired at must be in the future") // Doubt: the text
	}
	return made, nil
}

// tokensEnd reports whether a token without an end gets one, 24 months ahead: in HCP
// Terraform, and in Terraform Enterprise from 2.0. The releases before 1.0 are named
// by their month (v202410-1).
func (s *Server) tokensEnd() bool {
	major, err := strconv.Atoi(strings.TrimPrefix(strings.SplitN(s.opts.Version, ".", 2)[0], "v"))
	return s.IsCloud() || err == nil && major >= 2 && major < 1000
}

// ref names the actor in a relationship.
func (a actor) ref() ref {
	switch {
	case a.user != nil:
		return ref{ID: a.user.ID, Type: "users"}
	case a.team != nil:
		return ref{ID: a.team.ID, Type: "teams"}
	}
	return ref{ID: a.organization.Name, Type: "organizations"}
}

// maySeeToken reports whether the actor may read and delete a token of the owner.
func (s *Server) maySeeToken(a, owner actor) bool {
	switch {
	case owner.team != nil:
		return s.managesTokens(a, owner.organization, owner.team)
	case owner.organization != nil:
		return a.allowed(owner.organization, ownOrganization) == nil
	}
	return a.user == owner.user
}

func (s *Server) readAPIToken(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		owner, found := s.index.tokenIDs[c.PathValue("token")]
		if !found || !s.maySeeToken(c.actor, owner) {
			return notFound()
		}
		document.Data = owner.token.render(owner, nil)
		return nil
	})
	return ok(document), err
}

func (s *Server) deleteAPIToken(c call) (reply, error) {
	return noContent(), s.write("API token deleted", func() error {
		owner, found := s.index.tokenIDs[c.PathValue("token")]
		if !found || !s.maySeeToken(c.actor, owner) {
			return notFound()
		}
		s.index.dropAPIToken(owner.token)
		owner.remove()
		return nil
	})
}

// tokens is the list that an actor's tokens are in.
func (a actor) tokens() *[]*apiToken {
	switch {
	case a.user != nil:
		return &a.user.Tokens
	case a.team != nil:
		return &a.team.Tokens
	}
	return &a.organization.Tokens
}

// remove takes the actor's token out of its owner's list.
func (a actor) remove() {
	list := a.tokens()
	kept := (*list)[:0:0]
	for _, t := range *list {
		if t != a.token {
			kept = append(kept, t)
		}
	}
	*list = kept
}
