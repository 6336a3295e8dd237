package terraformd_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

func TestPushIsFetched(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	_, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	made := p.newWorkspace(t, token.ID)
	var config struct{ Secret string }
	p.bb.Inspect(func(st *bitbucketd.State) {
		for _, h := range st.Repo("INFRA", "vpc").Webhooks {
			must(t, json.Unmarshal(h.Configuration, &config))
		}
	})
	const body = `{"eventKey":"repo:refs_changed"}`
	call := func(address, key string) int {
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = mac.Write([]byte(body))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
		must(t, err)
		request.Header.Set("X-Event-Key", "repo:refs_changed")
		request.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		must(t, response.Body.Close())
		p.Settle()
		return response.StatusCode
	}
	for _, c := range []struct {
		address, key string
		want         int
		versions     int
	}{
		{made.VCSRepo.WebhookURL, "guess", 401, 1},
		{p.url + "/webhooks/vcs/unknown", config.Secret, 404, 1},
		{made.VCSRepo.WebhookURL, config.Secret, 200, 2},
	} {
		have := call(c.address, c.key)
		versions, err := p.client(t, owner).ConfigurationVersions.List(t.Context(), made.ID, nil)
		must(t, err)
		if have != c.want || len(versions.Items) != c.versions {
			t.Errorf("webhook with %q: %d, %d versions; want %d, %d", c.key, have, len(versions.Items), c.want, c.versions)
		}
	}
}

func TestCanCloneSeesAnOutage(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	_, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	if err := p.canClone(t); err != nil {
		t.Errorf("with a login alone: %v", err)
	}
	p.newWorkspace(t, token.ID)
	if err := p.canClone(t); err != nil {
		t.Errorf("with a workspace: %v", err)
	}
	must(t, p.bb.Grant(bbRobot, bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, ""))
	if err := p.canClone(t); err == nil || !strings.Contains(err.Error(), "vpc") {
		t.Errorf("without permission: %v", err)
	}
	must(t, p.bb.Grant(bbRobot, bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, bitbucketd.RepoAdmin))
	must(t, p.bb.DeleteSSHKey(p.bb.KeysOf(bbRobot)[0]))
	if err := p.canClone(t); err == nil || !strings.Contains(err.Error(), "SSH key SHA256:") {
		t.Errorf("without the public key: %v", err)
	}
	p.bb.CloseSSH()
	if err := p.canClone(t); err == nil || !strings.Contains(err.Error(), "reaching") {
		t.Errorf("without an SSH server: %v", err)
	}
}

// A front limits; the 429 and the headers are Terraform's.
func TestBehindAFront(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	door := front.New(w.Handler(), front.Options{
		Rate: front.Rate{PerSecond: 1, Burst: 1}, TooMany: terraformd.TooMany, Announce: terraformd.Announce,
	})
	ask := func() *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v2/organizations", nil)
		request.Header.Set("Authorization", "Bearer "+owner)
		answer := httptest.NewRecorder()
		door.ServeHTTP(answer, request)
		return answer
	}
	if first := ask(); first.Code != http.StatusOK || first.Header().Get("X-RateLimit-Limit") != "1" {
		t.Errorf("first: %d %v", first.Code, first.Header())
	}
	second := ask()
	if second.Code != http.StatusTooManyRequests || second.Header().Get("X-RateLimit-Reset") == "" || !strings.Contains(second.Body.String(), `"status":429`) {
		t.Errorf("second: %d %v %s", second.Code, second.Header(), second.Body)
	}
	if routes := door.Counts(); routes.Total != 2 || len(routes.Routes) != 1 {
		t.Errorf("counts %+v", routes)
	}
}

func TestWritersAndReadersAtOnce(t *testing.T) {
	var mu sync.Mutex
	writes := map[string]int{}
	var w *world
	w = newWorld(t, terraformd.Options{OnWrite: func(what string) {
		mu.Lock()
		writes[what]++
		mu.Unlock()
		if w != nil {
			_ = w.Connections() // a reader inside the callback must not wait for the writer
		}
	}})
	c := w.client(t, owner)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			made, err := c.OAuthClients.Create(t.Context(), "acme", tfe.OAuthClientCreateOptions{
				HTTPURL: new("https://bb.example.com"), APIURL: new("https://bb.example.com"), Key: new("k"), Secret: new("s"), RSAPublicKey: new("p"),
				ServiceProvider: tfe.ServiceProvider(tfe.ServiceProviderBitbucketDataCenter),
			})
			if err != nil {
				t.Error(err)
				return
			}
			_, listErr := c.OAuthClients.List(t.Context(), "acme", nil)
			_, updateErr := c.OAuthClients.Update(t.Context(), made.ID, tfe.OAuthClientUpdateOptions{Name: new("n")})
			saveErr := w.Save(t.TempDir())
			deleteErr := c.OAuthClients.Delete(t.Context(), made.ID)
			for _, err := range []error{listErr, updateErr, saveErr, deleteErr} {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if writes["oauth client created"] != 8 || writes["oauth client deleted"] != 8 || len(w.Connections()) != 0 {
		t.Errorf("writes %v, left %v", writes, w.Connections())
	}
}
