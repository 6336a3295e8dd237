package bitbucketd

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// deliveryTimeout bounds one call of a webhook.
const deliveryTimeout = 10 * time.Second

// refsChanged is the event of a push.
const refsChanged = "repo:refs_changed"

// delivery is one call to be made after a push.
type delivery struct {
	repo    *Repo
	hook    *Webhook // nil: the plugin's, which has no event header and no signature
	url     string
	secret  string
	actor   userBody
	subject repoBody
}

type refChange struct {
	Ref      changedRef `json:"ref"`
	RefID    string     `json:"refId"`
	FromHash string     `json:"fromHash"`
	ToHash   string     `json:"toHash"`
	Type     string     `json:"type"` // ADD, UPDATE, DELETE
}

type changedRef struct {
	ID        string `json:"id"`
	DisplayID string `json:"displayId"`
	Type      string `json:"type"`
}

// pushed tells a push to the listeners, and, in the background, to the webhooks.
func (s *Server) pushed(project, slug, user string, before map[string]string) {
	s.tell([]string{fmt.Sprintf("push to %s/%s by %s", project, slug, user)})
	calls, changes := s.deliveries(project, slug, user, before)
	if len(changes) == 0 {
		return
	}
	for _, d := range calls {
		s.sending.Go(func() { s.deliver(d, changes) })
	}
}

// Settle waits until all webhooks that are due have been called.
func (s *Server) Settle() { s.sending.Wait() }

// deliveries returns whom to call: active webhooks that ask for pushes, and the URLs
// of the plugin's hook.
func (s *Server) deliveries(project, slug, user string, before map[string]string) ([]delivery, []refChange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, r, u := s.st.Projects[strings.ToUpper(project)], s.st.Repo(project, slug), s.st.Users[user]
	if r == nil || u == nil {
		return nil, nil
	}
	c := &call{Server: s}
	base := delivery{repo: r, actor: c.user(u), subject: c.repoBody(p, r)}
	var calls []delivery
	for _, h := range r.Webhooks {
		if !h.Active || !slices.Contains(h.Events, refsChanged) {
			continue
		}
		var config struct {
			Secret string `json:"secret"`
		}
		_ = json.Unmarshal(h.Configuration, &config) // other things may be in it; then there is no secret
		d := base
		d.hook, d.url, d.secret = h, h.URL, config.Secret
		calls = append(calls, d)
	}
	for _, address := range c.hookURLs(r) {
		d := base
		d.url = address
		calls = append(calls, d)
	}
	return calls, diffRefs(before, s.refs(r))
}

// hookURLs returns the URLs that the plugin's hook calls, if it is there and enabled.
func (c *call) hookURLs(r *Repo) []string {
	plugin, hook := c.st.Plugins[webPostHooks], r.Hooks[webPostHookKey]
	if plugin == nil || !plugin.Enabled || hook == nil || !hook.Enabled {
		return nil
	}
	var urls map[string]string
	_ = json.Unmarshal(hook.Settings, &urls) // checked when it was put
	var list []string
	for _, name := range slices.Sorted(maps.Keys(urls)) {
		if urls[name] != "" {
			list = append(list, urls[name])
		}
	}
	return list
}

// refs returns the repository's references.
func (s *Server) refs(r *Repo) map[string]string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "--git-dir", s.repoDir(r), "for-each-ref", "--format=%(refname) %(objectname)") //nolint:gosec // the server's own folder
	cmd.Env = s.gitEnv()
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	refs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, hash, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			refs[name] = hash
		}
	}
	return refs
}

func diffRefs(before, after map[string]string) []refChange {
	zero := strings.Repeat("0", 40)
	all := maps.Clone(after)
	maps.Copy(all, before)
	var changes []refChange
	for _, name := range slices.Sorted(maps.Keys(all)) {
		from, to, kind := before[name], after[name], "UPDATE"
		switch {
		case from == to:
			continue
		case from == "":
			from, kind = zero, "ADD"
		case to == "":
			to, kind = zero, "DELETE"
		}
		ref := changedRef{ID: name, DisplayID: strings.TrimPrefix(name, "refs/heads/"), Type: "BRANCH"}
		if tag, ok := strings.CutPrefix(name, "refs/tags/"); ok {
			ref.DisplayID, ref.Type = tag, "TAG"
		}
		changes = append(changes, refChange{Ref: ref, RefID: name, FromHash: from, ToHash: to, Type: kind})
	}
	return changes
}

// deliver makes the call and remembers how it went. It is not repeated.
func (s *Server) deliver(d delivery, changes []refChange) {
	body, err := json.Marshal(struct {
		EventKey   string      `json:"eventKey"`
		Date       string      `json:"date"`
		Actor      userBody    `json:"actor"`
		Repository repoBody    `json:"repository"`
		Changes    []refChange `json:"changes"`
	}{refsChanged, s.now().Format("2006-01-02T15:04:05-0700"), d.actor, d.subject, changes})
	if err != nil {
		return
	}
	begin := s.now()
	outcome, description := s.post(d, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.hook != nil {
		d.hook.Last = &Invocation{Outcome: outcome, Description: description, Start: begin.UnixMilli(), Finish: s.now().UnixMilli()}
	}
}

// post returns SUCCESS for a 2xx or 3xx, FAILURE for another answer, ERROR for none.
func (s *Server) post(d delivery, body []byte) (outcome, description string) {
	ctx, cancel := context.WithTimeout(context.Background(), deliveryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		return "ERROR", err.Error()
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Atlassian HttpClient / Bitbucket-"+s.opts.Version)
	if d.hook != nil {
		req.Header.Set("X-Event-Key", refsChanged)
		req.Header.Set("X-Request-Id", random(16))
	}
	if d.secret != "" {
		mac := hmac.New(sha256.New, []byte(d.secret))
		mac.Write(body)
		req.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	resp, err := s.opts.Client.Do(req)
	if err != nil {
		return "ERROR", err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	if resp.StatusCode >= http.StatusBadRequest {
		return "FAILURE", resp.Status
	}
	return "SUCCESS", resp.Status
}
