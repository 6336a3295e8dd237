package bitbucketd

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"golang.org/x/crypto/ssh"
)

// session serves one session channel: one command, of the few that are known.
func (s *Server) session(ch ssh.Channel, requests <-chan *ssh.Request, user string) {
	defer func() { _ = ch.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	protocol := ""
	started := false
	done := make(chan uint32, 1)
	for {
		select {
		case req, ok := <-requests:
			if !ok {
				return // the client is gone; cancel ends git
			}
			switch {
			case req.Type == "env":
				var env struct{ Name, Value string }
				accept := ssh.Unmarshal(req.Payload, &env) == nil && env.Name == "GIT_PROTOCOL"
				if accept {
					protocol = env.Value
				}
				_ = req.Reply(accept, nil)
			case req.Type == "exec" && !started:
				var command struct{ Line string }
				err := ssh.Unmarshal(req.Payload, &command)
				_ = req.Reply(err == nil, nil)
				if err != nil {
					return
				}
				started = true
				go func() { done <- s.command(ctx, ch, user, command.Line, protocol) }()
			default: // shells, terminals, subsystems
				_ = req.Reply(false, nil)
			}
		case status := <-done:
			_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			return
		}
	}
}

// command runs what the client asked for, and returns the exit status.
func (s *Server) command(ctx context.Context, ch ssh.Channel, user, line, protocol string) uint32 {
	name, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch name {
	case "whoami":
		s.mu.Lock()
		u := s.st.Users[user]
		s.mu.Unlock()
		if u == nil {
			return 1
		}
		_, _ = fmt.Fprintln(ch, u.Name)
		return 0
	case "git-upload-pack":
		return s.pack(ctx, ch, gitRequest{user, "upload-pack", arg, protocol, RepoRead})
	case "git-receive-pack":
		return s.pack(ctx, ch, gitRequest{user, "receive-pack", arg, protocol, RepoWrite})
	}
	_, _ = fmt.Fprintf(ch.Stderr(), "Unsupported command: %q\n", name)
	return 1
}

type gitRequest struct {
	user     string
	service  string
	path     string // quoted
	protocol string
	need     Permission
}

// pack connects the client to a git child process.
func (s *Server) pack(ctx context.Context, ch ssh.Channel, g gitRequest) uint32 {
	project, r, why := s.open(g)
	if why != "" {
		_, _ = fmt.Fprintf(ch.Stderr(), "%s\n", why)
		return 1
	}
	var before map[string]string
	if g.service == "receive-pack" {
		before = s.refs(r)
	}
	cmd := exec.CommandContext(ctx, "git", g.service, s.repoDir(r)) //nolint:gosec // two fixed services, the server's folder
	cmd.Env = s.gitEnv()
	if g.protocol != "" {
		cmd.Env = append(cmd.Env, "GIT_PROTOCOL="+g.protocol)
	}
	cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return 1
	}
	if err := cmd.Start(); err != nil {
		_, _ = fmt.Fprintln(ch.Stderr(), "git cannot be run on the server")
		return 1
	}
	go func() { // not waited for: a client may keep its side open after git's end
		_, _ = io.Copy(stdin, ch)
		_ = stdin.Close()
	}()
	if err := cmd.Wait(); err != nil {
		return 128
	}
	if g.service == "receive-pack" {
		s.pushed(project, r.Slug, g.user, before)
	}
	return 0
}

// open returns the repository, or why the user does not get it.
func (s *Server) open(g gitRequest) (project string, r *Repo, why string) {
	const none = "Repository not found\nThe requested repository does not exist, or you do not have permission to access it."
	path := strings.Trim(strings.TrimSpace(g.path), `'"`)
	key, slug, _ := strings.Cut(strings.TrimSuffix(strings.Trim(path, "/"), ".git"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	p, u := s.st.Projects[strings.ToUpper(key)], s.st.Users[g.user]
	r = s.st.Repo(key, slug)
	if r == nil || u == nil {
		return "", nil, none
	}
	switch rank := s.st.repoRank(u, p, r); {
	case s.st.globalRank(u) == 0:
		return "", nil, strings.TrimSpace(unlicensedText)
	case g.need == RepoWrite && r.Archived:
		return "", nil, strings.TrimSpace(archivedText)
	case rank == 0:
		return "", nil, none
	case rank < g.need.rank():
		return "", nil, "You are not permitted to push to this repository."
	}
	return p.Key, r, ""
}
