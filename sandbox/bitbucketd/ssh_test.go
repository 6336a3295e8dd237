package bitbucketd_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/gitssh"
)

// listenSSH starts the world's SSH server and returns its address.
func (w *world) listenSSH() string {
	w.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	w.must(err)
	done := make(chan error, 1)
	go func() { done <- w.ServeSSH(l) }()
	w.t.Cleanup(func() {
		w.CloseSSH()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	w.must(w.SetAddresses(w.url, "127.0.0.1", l.Addr().(*net.TCPAddr).Port))
	return l.Addr().String()
}

// dial logs in with the key, with the server's host keys pinned.
func (w *world) dial(addr string, k key) (*ssh.Client, error) {
	pinned := w.HostKeys()
	return ssh.Dial("tcp", addr, &ssh.ClientConfig{
		User: "git", Auth: []ssh.AuthMethod{ssh.PublicKeys(k.signer)}, Timeout: time.Minute,
		HostKeyCallback: func(_ string, _ net.Addr, have ssh.PublicKey) error {
			line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(have)))
			if slices.Contains(pinned, line) {
				return nil
			}
			return os.ErrPermission
		},
	})
}

func (w *world) run(client *ssh.Client, command string) (string, error) {
	session, err := client.NewSession()
	w.must(err)
	defer func() { _ = session.Close() }()
	out, err := session.CombinedOutput(command)
	return strings.TrimSpace(string(out)), err
}

func TestSSH(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	addr := w.listenSSH()
	k := newKey(t)
	if _, err := w.dial(addr, k); err == nil {
		t.Error("an unknown key logs in")
	}
	id, err := w.AddSSHKey("svc@corp", k.line, "test")
	w.must(err)
	client, err := w.dial(addr, k)
	w.must(err)
	if have, err := w.run(client, "whoami"); have != "svc@corp" || err != nil {
		t.Errorf("whoami: %q, %v", have, err)
	}
	for _, command := range []string{"ls", "git-upload-archive '/infra/vpc.git'", "sh -c whoami"} {
		if have, err := w.run(client, command); err == nil {
			t.Errorf("%s: %s", command, have)
		}
	}
	session, err := client.NewSession()
	w.must(err)
	if err := session.Shell(); err == nil {
		t.Error("a shell")
	}
	keys := into[pageOf[sshKey]](w, w.as(svc, "GET", sshKeys, "")).Values
	if len(keys) != 1 || keys[0].LastAuthenticated == "" {
		t.Errorf("have %+v", keys)
	}

	// Not allowed, not there, allowed.
	ctx, dir := t.Context(), t.TempDir()
	for _, path := range []string{"/infra/vpc.git", "/infra/none.git", "/../../etc"} {
		if err := gitssh.Clone(ctx, client, path, filepath.Join(dir, "a")); err == nil || !strings.Contains(err.Error(), "Repository not found") {
			t.Errorf("%s: %v", path, err)
		}
	}
	w.must(w.Grant("svc@corp", bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, bitbucketd.RepoRead))
	w.must(gitssh.Clone(ctx, client, "/infra/vpc.git", filepath.Join(dir, "b")))
	have, err := os.ReadFile(filepath.Join(dir, "b", "main.tf"))
	if err != nil || !strings.Contains(string(have), "INFRA/vpc") {
		t.Errorf("main.tf: %s, %v", have, err)
	}
	if out, err := w.run(client, "git-receive-pack '/infra/vpc.git'"); err == nil || !strings.Contains(out, "not permitted to push") {
		t.Errorf("push with read permission: %s, %v", out, err)
	}

	w.must(w.DeleteSSHKey(id))
	if _, err := w.dial(addr, k); err == nil {
		t.Error("a deleted key logs in")
	}
}

func TestSSHRefuses(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	addr := w.listenSSH()
	k := newKey(t)
	_, err := w.AddSSHKey("ann", k.line, "")
	w.must(err)
	refused := func(why string) {
		t.Helper()
		if _, err := w.dial(addr, k); err == nil {
			t.Errorf("%s: logs in", why)
		}
	}
	edit := func(change func(*bitbucketd.State)) {
		t.Helper()
		w.must(w.Change("test", func(st *bitbucketd.State) error { change(st); return nil }))
	}
	edit(func(st *bitbucketd.State) { st.SSHKeys[0].ExpiryDays = 2 })
	if _, err := w.dial(addr, k); err != nil {
		t.Error(err)
	}
	w.now.advance(49 * time.Hour)
	refused("expired")
	edit(func(st *bitbucketd.State) { st.SSHKeys[0].ExpiryDays = 0; st.Users["ann"].Inactive = true })
	refused("inactive")
	edit(func(st *bitbucketd.State) { st.Users["ann"].Inactive = false; st.Settings.SSHDisabled = true })
	refused("disabled")
	edit(func(st *bitbucketd.State) { st.Settings.SSHDisabled = false })
	before := w.HostKeys()
	w.must(w.ChangeHostKeys())
	if after := w.HostKeys(); after[0] == before[0] || len(after) != 2 {
		t.Errorf("host keys: %v", after)
	}
	if _, err := w.dial(addr, k); err != nil {
		t.Error(err)
	}
}

func TestCloneEndsWithItsContext(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	addr := w.listenSSH()
	k := newKey(t)
	_, err := w.AddSSHKey("ann", k.line, "")
	w.must(err)
	client, err := w.dial(addr, k)
	w.must(err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := gitssh.Clone(ctx, client, "/~ann/notes.git", filepath.Join(t.TempDir(), "x")); err == nil {
		t.Error("cloned")
	}
	w.must(gitssh.Clone(t.Context(), client, "/~ann/notes.git", filepath.Join(t.TempDir(), "x")))
}

func TestAPushCallsWebhooks(t *testing.T) {
	for _, version := range []string{"5.3.1", "9.4.0"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, bitbucketd.Options{Version: version})
			addr := w.listenSSH()
			k := newKey(t)
			_, err := w.AddSSHKey("ann", k.line, "")
			w.must(err)
			client, err := w.dial(addr, k)
			w.must(err)

			type heard struct{ event, signature, body string }
			calls := make(chan heard, 2)
			listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				data, _ := io.ReadAll(r.Body)
				calls <- heard{r.Header.Get("X-Event-Key"), r.Header.Get("X-Hub-Signature"), string(data)}
			}))
			t.Cleanup(listener.Close)
			notes := api + "/projects/~ann/repos/notes"
			last := ""
			if version == "5.3.1" {
				w.must(w.SetPlugin(bitbucketd.Plugin{Key: plugin, Version: "1", Enabled: true}))
				w.want(w.as(ann, "PUT", notes+"/settings/hooks/"+plugin+":postReceiveHook/enabled", `{"hook-url-0":"`+listener.URL+`"}`), 200)
			} else {
				body := `{"name":"n","url":"` + listener.URL + `","events":["repo:refs_changed"],"configuration":{"secret":"s"}}`
				made := into[struct{ ID int }](w, w.want(w.as(ann, "POST", notes+"/webhooks", body), 201))
				last = fmt.Sprintf("%s/webhooks/%d/latest", notes, made.ID)
			}
			w.push(client, "~ann/notes.git")
			w.Settle()
			have := <-calls
			if !strings.Contains(have.body, `"refId":"refs/heads/topic"`) || !strings.Contains(have.body, `"type":"ADD"`) {
				t.Errorf("body: %s", have.body)
			}
			if native := version != "5.3.1"; native != (have.event == "repo:refs_changed") || native != strings.HasPrefix(have.signature, "sha256=") {
				t.Errorf("headers: %q, %q", have.event, have.signature)
			}
			if last != "" {
				w.want(w.as(ann, "GET", last+"?outcome=SUCCESS", ""), 200, `"outcome":"SUCCESS"`)
				w.want(w.as(ann, "GET", last+"?outcome=FAILURE", ""), 204)
			}
		})
	}
}

// push pushes main as a new branch "topic", in git's own protocol.
func (w *world) push(client *ssh.Client, path string) {
	w.t.Helper()
	session, err := client.NewSession()
	w.must(err)
	defer func() { _ = session.Close() }()
	in, err := session.StdinPipe()
	w.must(err)
	out, err := session.StdoutPipe()
	w.must(err)
	w.must(session.Start("git-receive-pack '" + path + "'"))
	head := ""
	for { // the advertisement: lines of four digits of length and text, up to a flush
		size := make([]byte, 4)
		_, err := io.ReadFull(out, size)
		w.must(err)
		n, err := strconv.ParseInt(string(size), 16, 32)
		w.must(err)
		if n == 0 {
			break
		}
		line := make([]byte, n-4)
		_, err = io.ReadFull(out, line)
		w.must(err)
		if strings.Contains(string(line), "refs/heads/main") {
			head = string(line[:40])
		}
	}
	command := fmt.Sprintf("%s %s refs/heads/topic\x00 report-status", strings.Repeat("0", 40), head)
	_, err = fmt.Fprintf(in, "%04x%s0000", len(command)+4, command)
	w.must(err)
	// An empty pack: all objects are there.
	pack := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	sum := sha1.Sum(pack)
	_, err = in.Write(append(pack, sum[:]...))
	w.must(err)
	w.must(in.Close())
	report, err := io.ReadAll(out)
	w.must(err)
	if err := session.Wait(); err != nil || !strings.Contains(string(report), "ok refs/heads/topic") {
		w.t.Fatalf("push: %v: %q", err, report)
	}
}
