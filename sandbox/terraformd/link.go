package terraformd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// inaccessible is the one answer for a repository that cannot be linked, whatever
// the reason. The pointer is as recorded.
func inaccessible() *problem {
	return invalid("repository", "Repository doesn't exist or isn't accessible")
}

// place is where something that is linked to a repository is.
type place struct {
	*organization
	project string // whose clients it may use; empty: those of any project
}

// link joins a workspace, a policy set or a registry module to a repository as the
// real server does: it asks Bitbucket for the repository and puts a webhook there,
// both signed with the client's key and the access token. It does not clone; a
// missing SSH key shows only when the configuration is fetched.
func (s *Server) link(ctx context.Context, at place, in repoInput) (*repo, error) {
	made := &repo{Hook: newUUID(), HookSecret: keep(randomHex(20))}
	in.apply(made)
	if in.GitHubApp != nil && *in.GitHubApp != "" {
		return nil, unprocessable("GitHub App installation does not exist")
	}
	if err := checkIdentifier(made.Identifier); err != nil {
		return nil, err
	}
	conn, err := s.connection(at.organization, made.Token, at.project)
	if err != nil {
		return nil, err
	}
	if !conn.provider.connects { // the sandbox has no such provider: whatever is named there exists
		made.HTTPURL = conn.httpURL + "/" + made.Identifier
		return made, nil
	}
	bb, err := s.bitbucket(conn)
	if err != nil {
		return nil, s.refuse(conn, made.Identifier, err)
	}
	found, err := bb.repository(ctx, made.Identifier)
	if err != nil {
		return nil, s.refuse(conn, made.Identifier, err)
	}
	made.HTTPURL, made.CloneURL = found.browse(), found.clone("ssh")
	// Without admin permission the real server fails or hangs here, depending on
	// the report one reads; it never makes the workspace.
	if made.HookID, err = bb.hook(ctx, made.Identifier, hookURL(s.address(), made), made.HookSecret.Reveal()); err != nil {
		return nil, s.refuse(conn, made.Identifier, err)
	}
	return made, nil
}

// refuse keeps the reason where a person at the real server could not see it.
func (s *Server) refuse(conn connection, identifier string, reason error) error {
	s.event(conn, fmt.Sprintf("linking repository %s: %v", identifier, reason))
	return inaccessible()
}

func (in repoInput) apply(r *repo) {
	set(&r.Branch, optional[string]{value: in.Branch})
	set(&r.Identifier, optional[string]{value: in.Identifier})
	set(&r.Submodules, optional[bool]{value: in.Submodules})
	set(&r.Token, optional[string]{value: in.OAuthTokenID})
	set(&r.TagsRegex, optional[string]{value: in.TagsRegex})
	set(&r.TagPrefix, optional[string]{value: in.TagPrefix})
	set(&r.Source, optional[string]{value: in.Source})
}

// checkIdentifier accepts PROJECT/repository.
func checkIdentifier(identifier string) error {
	parts := strings.Split(identifier, "/")
	if len(parts) != 2 || slices.Contains(parts, "") {
		return inaccessible()
	}
	return nil
}

// relink changes what something is linked to; nil in takes it away. What the
// request leaves out stays as it is.
func (s *Server) relink(ctx context.Context, at place, have *repo, in optional[repoInput]) (*repo, error) {
	if in.value == nil {
		return nil, nil //nolint:nilnil // no repository is a valid answer
	}
	if have == nil {
		return s.link(ctx, at, *in.value)
	}
	changed := *have
	in.value.apply(&changed)
	if changed.Token == have.Token && changed.Identifier == have.Identifier {
		return &changed, nil
	}
	whole := repoInput{
		Branch: &changed.Branch, Identifier: &changed.Identifier, Submodules: &changed.Submodules,
		OAuthTokenID: &changed.Token, TagsRegex: &changed.TagsRegex, TagPrefix: &changed.TagPrefix, Source: &changed.Source, GitHubApp: in.value.GitHubApp,
	}
	return s.link(ctx, at, whole)
}

// unhookTimeout bounds what an answer waits for when a webhook is taken away.
const unhookTimeout = 10 * time.Second

// unhook removes a repository's webhook. What it was for is already unlinked, so a
// failure is told in an event and nowhere else.
func (s *Server) unhook(o *organization, r *repo) {
	conn, err := s.connection(o, r.Token, "")
	if err != nil {
		return // the client is gone, and with it the right to ask
	}
	ctx, cancel := context.WithTimeout(s.ctx, unhookTimeout)
	defer cancel()
	bb, err := s.bitbucket(conn)
	if err == nil {
		err = bb.unhook(ctx, r.Identifier, r.HookID, hookURL(s.address(), r))
	}
	if err != nil {
		s.event(conn, fmt.Sprintf("removing the webhook of repository %s: %v", r.Identifier, err))
	}
}
