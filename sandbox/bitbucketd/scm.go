package bitbucketd

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/cgi" //nolint:gosec // runs git's own program, of a Go that is not vulnerable to Httpoxy
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// gitCGI is git's own server for HTTP; empty where this git has none.
var gitCGI = sync.OnceValue(func() string { //nolint:gochecknoglobals // asked of git once
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return ""
	}
	path := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	if _, err := exec.LookPath(path); err != nil {
		return ""
	}
	return path
})

// serveGit serves clones and pushes over HTTP: /scm/{project}/{repo}.git/…
func serveGit(c *call) (reply, error) {
	if gitCGI() == "" {
		return unknownPage(c)
	}
	if err := c.mayUseGit(); err != nil {
		return reply{}, err
	}
	rest := c.r.PathValue("rest")
	need := RepoRead
	if rest == "git-receive-pack" || c.query("service") == "git-receive-pack" {
		need = RepoWrite
	}
	key, slug := c.r.PathValue("project"), strings.TrimSuffix(c.r.PathValue("repo"), ".git")
	if to, moved := c.st.Moved[strings.ToUpper(key)+"/"+strings.ToLower(slug)]; moved {
		newKey, newSlug, _ := strings.Cut(to, "/") // clones of moved repositories just work [I]
		key, slug = newKey, newSlug
	}
	p, r := c.st.Projects[strings.ToUpper(key)], c.st.Repo(key, slug)
	switch {
	case r == nil || c.repoRank(p, r) == 0:
		return reply{status: http.StatusNotFound, media: "text/plain", text: "Repository not found\nThe requested repository does not exist, or you do not have permission to access it.\n"}, nil
	case c.repoRank(p, r) < need.rank():
		return reply{status: http.StatusForbidden, media: "text/plain", text: "You are not permitted to push to this repository.\n"}, nil
	case need == RepoWrite && r.Archived:
		return reply{status: http.StatusForbidden, media: "text/plain", text: archivedText}, nil // Doubt: the status
	}
	return reply{later: func() reply { return c.gitBackend(p.Key, r, rest) }}, nil
}

// archivedText is what git shows of a push to an archived repository. Doubt: the text.
const archivedText = "Repository is archived and cannot be pushed to.\n"

// mayUseGit refuses strangers and users without a licence.
func (c *call) mayUseGit() error {
	if c.who.user == nil && !c.st.Settings.Public {
		no := reply{status: http.StatusUnauthorized, header: http.Header{"Www-Authenticate": {basicChallenge}}}
		return &refusal{no}
	}
	if c.who.user != nil && c.st.globalRank(c.who.user) == 0 {
		return &refusal{reply{status: http.StatusForbidden, media: "text/plain", text: unlicensedText}}
	}
	return nil
}

// unlicensedText is what git shows a user without a licence. Doubt: the text.
const unlicensedText = "You do not have a license to use this Bitbucket instance.\n"

// gitBackend has git answer the request, with the server not locked.
func (c *call) gitBackend(project string, r *Repo, rest string) reply {
	name := ""
	if c.who.user != nil {
		name = c.who.user.Name
	}
	pushes := rest == "git-receive-pack"
	var before map[string]string
	if pushes {
		before = c.refs(r)
	}
	answer := &recorder{header: http.Header{}, status: http.StatusOK}
	request := c.r.Clone(c.r.Context())
	request.URL.Path = "/" + rest
	request.Body = http.NoBody
	if len(c.body) > 0 {
		request.Body = http.MaxBytesReader(answer, nopCloser{bytes.NewReader(c.body)}, maxBody)
		request.ContentLength = int64(len(c.body))
	}
	env := append(c.gitEnv(), "GIT_PROJECT_ROOT="+c.repoDir(r), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER="+name,
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.receivepack", "GIT_CONFIG_VALUE_0=true")
	if protocol := c.r.Header.Get("Git-Protocol"); protocol != "" {
		env = append(env, "GIT_PROTOCOL="+protocol)
	}
	(&cgi.Handler{Path: gitCGI(), Env: env, Stderr: &answer.problems}).ServeHTTP(answer, request)
	if pushes && answer.status == http.StatusOK {
		c.pushed(project, r.Slug, name, before)
	}
	header := answer.header.Clone()
	media := header.Get("Content-Type")
	header.Del("Content-Type")
	text := answer.body.String()
	if text == "" && answer.problems.Len() > 0 {
		text = fmt.Sprintf("git: %s", answer.problems.String())
	}
	return reply{status: answer.status, header: header, media: media, text: text}
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// recorder keeps an answer.
type recorder struct {
	header   http.Header
	status   int
	body     bytes.Buffer
	problems bytes.Buffer
}

// Header, WriteHeader and Write make a recorder an http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recorder) Write(data []byte) (int, error) { return r.body.Write(data) }
