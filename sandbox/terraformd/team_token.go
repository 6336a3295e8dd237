package terraformd

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// managesTokens reports whether the actor may see, make and delete tokens of a team:
// owners, the organization's token (documented), and the team itself, where its
// setting lets it. Doubt: whether the team's own token counts as a member there; see
// Choices.TeamTokenManagesNone.
func (s *Server) managesTokens(a actor, o *organization, t *team) bool {
	access, member := a.access(o)
	own := a.team == t && t.MemberTokens && !s.opts.Choices.TeamTokenManagesNone
	return member && (access.Owner || own || a.team != nil && a.team.Access["manage-teams"] || a.team == nil && a.organization != nil)
}

// teamForTokens finds the team whose tokens a request is about. The caller holds the lock.
func (s *Server) teamForTokens(c call) (*organization, *team, error) {
	o, t := s.teamByID(c.PathValue("team"))
	if t == nil || !s.managesTokens(c.actor, o, t) {
		return nil, nil, notFound()
	}
	return o, t, nil
}

// legacyToken is the team's token without a description, nil if there is none.
func (t *team) legacyToken() *apiToken {
	if i := slices.IndexFunc(t.Tokens, func(other *apiToken) bool { return other.Description == nil }); i >= 0 {
		return t.Tokens[i]
	}
	return nil
}

// createTeamToken makes one more token of a team (documented since March 2025). Its
// description must be unique within the team.
func (s *Server) createTeamToken(c call) (reply, error) {
	if s.opts.Missing.TeamTokens {
		return reply{}, notFound()
	}
	return s.addTeamToken(c, func(_ *organization, t *team, made *apiToken) error {
		// Doubt: whether this path takes a request without a description.
		if made.Description == nil || slices.ContainsFunc(t.Tokens, func(other *apiToken) bool {
			return other.Description != nil && *other.Description == *made.Description
		}) {
			return &problem{
				status: http.StatusUnprocessableEntity, title: "invalid attributes", detail: "Validation failed: Description has already been taken",
			}
		}
		return nil
	})
}

// replaceTeamToken makes the team's legacy token, which ends the one before at once.
func (s *Server) replaceTeamToken(c call) (reply, error) {
	return s.addTeamToken(c, func(o *organization, t *team, made *apiToken) error {
		made.Description = nil
		if old := t.legacyToken(); old != nil {
			s.index.dropAPIToken(old)
			actor{organization: o, team: t, token: old}.remove()
		}
		return nil
	})
}

func (s *Server) addTeamToken(c call, before func(*organization, *team, *apiToken) error) (reply, error) {
	in, err := readTokenInput(s, c)
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("team token created", func() error {
		o, t, err := s.teamForTokens(c)
		if err != nil {
			return err
		}
		made, err := s.newToken(c, teamToken, in)
		if err != nil {
			return err
		}
		if err := before(o, t, made); err != nil {
			return err
		}
		t.Tokens = append(t.Tokens, made)
		owner := actor{organization: o, team: t, token: made}
		s.index.addAPIToken(owner)
		document.Data = made.render(owner, new(made.Text.Reveal()))
		return nil
	})
	return created(document), err
}

func (s *Server) readTeamToken(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		o, t, err := s.teamForTokens(c)
		if err != nil {
			return err
		}
		found := t.legacyToken()
		if found == nil {
			return notFound()
		}
		document.Data = found.render(actor{organization: o, team: t}, nil)
		return nil
	})
	return ok(document), err
}

func (s *Server) deleteTeamToken(c call) (reply, error) {
	return noContent(), s.write("team token deleted", func() error {
		o, t, err := s.teamForTokens(c)
		if err != nil {
			return err
		}
		old := t.legacyToken()
		if old == nil {
			return notFound()
		}
		s.index.dropAPIToken(old)
		actor{organization: o, team: t, token: old}.remove()
		return nil
	})
}

// listTeamTokens lists the tokens of all teams of an organization that the actor may
// manage. There is no list of one team's: q searches by the team's name.
func (s *Server) listTeamTokens(c call) (reply, error) {
	p, q := s.pager(c.Request), c.URL.Query()
	var document list
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err != nil {
			return err
		}
		var found []actor
		for _, t := range o.Teams {
			if !containsFold(t.Name, q.Get("q")) || !s.managesTokens(c.actor, o, t) {
				continue
			}
			for _, token := range t.Tokens {
				found = append(found, actor{organization: o, team: t, token: token})
			}
		}
		sortTokens(found, q.Get("sort"))
		document = page(p, found, func(a actor) resource { return a.token.render(a, nil) })
		return nil
	})
	return ok(document), err
}

// sortTokens sorts by what the request asks for, by the end without it. What never
// ends and what was never used comes last.
func sortTokens(found []actor, by string) {
	field, reverse := strings.CutPrefix(by, "-")
	order := map[string]func(a, b actor) int{
		"team-name":    func(a, b actor) int { return cmp.Compare(a.team.Name, b.team.Name) },
		"created-by":   func(a, b actor) int { return cmp.Compare(a.token.CreatedBy.ID, b.token.CreatedBy.ID) },
		"last-used-at": func(a, b actor) int { return cmp.Compare(a.token.lastUsed.Load(), b.token.lastUsed.Load()) },
	}[field]
	if order == nil {
		order = func(a, b actor) int { return a.token.end().Compare(b.token.end()) }
	}
	slices.SortStableFunc(found, func(a, b actor) int {
		if reverse {
			a, b = b, a
		}
		return order(a, b)
	})
}

// end is when the token ends; a time that never comes for one that does not.
func (t *apiToken) end() time.Time {
	if t.ExpiredAt == nil {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return *t.ExpiredAt
}
