package bitbucketd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// addRepo makes a bare repository, as new ones are: empty.
func (s *Server) addRepo(p *Project, name string) (*Repo, error) {
	if s.opts.GitDir == "" {
		return nil, fmt.Errorf("making repository %s/%s: no folder for repositories was given", p.Key, name)
	}
	r := &Repo{ID: s.st.nextID(), Slug: slugOf(name), Name: name, Hooks: map[string]*RepoHook{}}
	r.Grants.fill()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir := s.repoDir(r)
	if err := os.RemoveAll(dir); err != nil { // of a state that was not saved
		return nil, err
	}
	if err := s.git(ctx, "", "init", "--quiet", "--bare", "--initial-branch=main", dir); err != nil {
		return nil, err
	}
	p.Repos[r.Slug] = r
	return r, nil
}

// seedRepo makes the first commit of a repository.
func (s *Server) seedRepo(p *Project, r *Repo) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return s.git(ctx, firstCommit(p, r, s.now()), "--git-dir", s.repoDir(r), "fast-import", "--quiet")
}

func (s *Server) repoDir(r *Repo) string {
	return filepath.Join(s.opts.GitDir, strconv.Itoa(r.ID)+".git")
}

// firstCommit is a small Terraform configuration, as a stream for git fast-import.
func firstCommit(p *Project, r *Repo, now time.Time) string {
	var b strings.Builder
	data := func(text string) { fmt.Fprintf(&b, "data %d\n%s\n", len(text), text) }
	fmt.Fprintf(&b, "commit refs/heads/main\ncommitter Bitbucket <bitbucket@example.com> %d +0000\n", now.Unix())
	data("Begin " + r.Name)
	b.WriteString("M 100644 inline README.md\n")
	data("# " + p.Key + "/" + r.Slug + "\n")
	b.WriteString("M 100644 inline main.tf\n")
	data("output \"repository\" {\n  value = \"" + p.Key + "/" + r.Slug + "\"\n}\n")
	return b.String()
}

func (s *Server) git(ctx context.Context, stdin string, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // arguments are the server's own
	cmd.Env = s.gitEnv()
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return nil
}

// gitEnv keeps the person's own git configuration out.
func (s *Server) gitEnv() []string {
	return []string{"HOME=" + s.opts.GitDir, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"}
}
