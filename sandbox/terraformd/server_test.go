package terraformd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// world is a server with two organizations and a user of each kind.
type world struct {
	*terraformd.Server
	url string
}

const (
	owner    = "token-owner"
	manager  = "token-manager"
	member   = "token-member"
	stranger = "token-stranger"
	orgToken = "token-of-acme"
)

func newWorld(t *testing.T, opts terraformd.Options) *world {
	t.Helper()
	s := terraformd.New(opts)
	for _, name := range []string{"owner", "manager", "member", "stranger"} {
		must(t, s.AddUser(terraformd.User{Name: name, Password: secret.New("pw-" + name), Token: secret.New("token-" + name), SiteAdmin: name == "owner"}))
	}
	must(t, s.AddOrganization(terraformd.Organization{
		Name: "acme", Token: secret.New(orgToken), Members: map[string]terraformd.Access{
			"owner": {Owner: true}, "manager": {ManageVCS: true}, "member": {},
		},
	}))
	must(t, s.AddOrganization(terraformd.Organization{Name: "other", Members: map[string]terraformd.Access{"stranger": {Owner: true}}}))
	web := httptest.NewServer(s.Handler())
	s.SetAddress(web.URL)
	t.Cleanup(func() { web.Close(); s.Close() })
	return &world{s, web.URL}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// client is go-tfe's, with the token.
func (w *world) client(t *testing.T, token string) *tfe.Client {
	t.Helper()
	c, err := tfe.NewClient(&tfe.Config{Address: w.url, Token: token})
	must(t, err)
	return c
}

type answer struct {
	status int
	header http.Header
	body   string
}

// detail is that of the first error.
func (a answer) detail() string {
	var doc struct {
		Errors []struct{ Status, Title, Detail string }
	}
	if json.Unmarshal([]byte(a.body), &doc) != nil || len(doc.Errors) == 0 {
		return ""
	}
	return doc.Errors[0].Detail
}

// data decodes the document's data.
func (a answer) data(t *testing.T) map[string]any {
	t.Helper()
	var doc struct{ Data map[string]any }
	must(t, json.Unmarshal([]byte(a.body), &doc))
	return doc.Data
}

func (w *world) do(t *testing.T, token, method, path, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.url+path, bytes.NewBufferString(body))
	must(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/vnd.api+json")
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	must(t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	must(t, err)
	return answer{response.StatusCode, response.Header, string(data)}
}

// newClient creates a Bitbucket client in acme and returns its id.
func (w *world) newClient(t *testing.T, attributes string) string {
	t.Helper()
	a := w.do(t, owner, "POST", "/api/v2/organizations/acme/oauth-clients", clientBody(attributes))
	if a.status != http.StatusCreated {
		t.Fatalf("creating a client: %d %s", a.status, a.body)
	}
	return a.data(t)["id"].(string)
}

func clientBody(attributes string) string {
	base := `"service-provider":"bitbucket_data_center","http-url":"https://bb.example.com","api-url":"https://bb.example.com"`
	if attributes != "" {
		base += "," + attributes
	}
	return `{"data":{"type":"oauth-clients","attributes":{` + base + `}}}`
}

func TestDiscoveryAndPing(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	c := w.client(t, owner)
	if !c.IsCloud() || c.RemoteTFEVersion() != "" || c.RemoteAPIVersion() == "" {
		t.Errorf("cloud %v, version %q, api %q", c.IsCloud(), c.RemoteTFEVersion(), c.RemoteAPIVersion())
	}
	ping := w.do(t, "", "GET", "/api/v2/ping", "")
	if ping.header.Get("X-RateLimit-Limit") != "30" {
		t.Errorf("ping says limit %q", ping.header.Get("X-RateLimit-Limit"))
	}
	services := w.do(t, "", "GET", "/.well-known/terraform.json", "")
	for _, service := range []string{"tfe.v2", "tfe.v2.1", "tfe.v2.2"} {
		if !strings.Contains(services.body, `"`+service+`":"/api/v2/"`) {
			t.Errorf("discovery lacks %s: %s", service, services.body)
		}
	}
	enterprise := newWorld(t, terraformd.Options{Version: "v202410-1", RateLimit: -1})
	e := enterprise.client(t, owner)
	if e.IsCloud() || e.RemoteTFEVersion() != "v202410-1" {
		t.Errorf("cloud %v, version %q", e.IsCloud(), e.RemoteTFEVersion())
	}
	if limit := enterprise.do(t, owner, "GET", "/api/v2/organizations", "").header.Get("X-RateLimit-Limit"); limit != "" {
		t.Errorf("a server without a limit says %q", limit)
	}
}

func TestWhoMaySeeWhat(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	id := w.newClient(t, "")
	paths := map[string][]struct {
		token string
		want  int
	}{
		"GET /api/v2/organizations/acme":                    {{"", 401}, {"wrong", 401}, {stranger, 404}, {member, 200}, {orgToken, 200}},
		"GET /api/v2/organizations/nowhere":                 {{owner, 404}},
		"GET /api/v2/organizations/acme/oauth-clients":      {{"", 401}, {stranger, 404}, {member, 200}, {manager, 200}},
		"GET /api/v2/oauth-clients/" + id:                   {{stranger, 404}, {member, 200}, {orgToken, 200}},
		"PATCH /api/v2/oauth-clients/" + id:                 {{"", 401}, {stranger, 404}, {member, 404}, {manager, 200}, {orgToken, 200}},
		"POST /api/v2/organizations/acme/oauth-clients":     {{stranger, 404}, {member, 404}},
		"GET /api/v2/organizations/acme/vcs-events":         {{member, 404}, {manager, 200}},
		"GET /api/v2/admin/feature-sets":                    {{manager, 404}, {orgToken, 404}, {owner, 200}},
		"DELETE /api/v2/organizations/acme":                 {{manager, 404}, {orgToken, 404}},
		"GET /api/v2/organizations/acme/workspaces":         {{member, 200}, {stranger, 404}},
		"GET /api/v2/nothing":                               {{owner, 404}, {"", 401}},
		"GET /api/v2/oauth-clients/ot-doesnotexist":         {{owner, 404}},
		"GET /api/v2/organizations/acme/entitlement-set":    {{member, 200}, {stranger, 404}},
		"GET /api/v2/oauth-clients/" + id + "/oauth-tokens": {{member, 200}, {stranger, 404}},
	}
	for route, cases := range paths {
		method, path, _ := strings.Cut(route, " ")
		body := ""
		if method == "PATCH" || method == "POST" {
			body = `{"data":{"type":"oauth-clients","attributes":{}}}`
		}
		for _, c := range cases {
			if have := w.do(t, c.token, method, path, body); have.status != c.want {
				t.Errorf("%s with %q: %d, want %d: %s", route, c.token, have.status, c.want, have.body)
			}
		}
	}
}

func TestOrganizationTokenIsReplaced(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	if _, err := w.client(t, manager).OrganizationTokens.Create(t.Context(), "acme"); err == nil {
		t.Error("a member made the organization's token")
	}
	made, err := w.client(t, owner).OrganizationTokens.Create(t.Context(), "acme")
	must(t, err)
	for token, want := range map[string]int{made.Token: 200, orgToken: 401} {
		if have := w.do(t, token, "GET", "/api/v2/organizations/acme", ""); have.status != want {
			t.Errorf("%d, want %d", have.status, want)
		}
	}
	tokens := w.client(t, owner).OrganizationTokens
	read, err := tokens.Read(t.Context(), "acme")
	must(t, err)
	if read.Token != "" || !read.CreatedAt.Equal(made.CreatedAt) {
		t.Errorf("read back: created %s, and its text is told: %t", read.CreatedAt, read.Token != "")
	}
	must(t, tokens.Delete(t.Context(), "acme"))
	if have := w.do(t, made.Token, "GET", "/api/v2/organizations/acme", ""); have.status != http.StatusUnauthorized {
		t.Errorf("a deleted token is answered with %d", have.status)
	}
	if _, err := tokens.Read(t.Context(), "acme"); !errors.Is(err, tfe.ErrResourceNotFound) {
		t.Errorf("what was deleted: %v", err)
	}
}

func TestPermissionsAreTold(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	for token, want := range map[string]bool{owner: true, manager: true, member: false, orgToken: true} {
		o, err := w.client(t, token).Organizations.Read(t.Context(), "acme")
		must(t, err)
		if o.Permissions.CanUpdateOAuth != want {
			t.Errorf("%s: can-update-oauth %v, want %v", token, o.Permissions.CanUpdateOAuth, want)
		}
	}
	e, err := w.client(t, member).Organizations.ReadEntitlements(t.Context(), "acme")
	must(t, err)
	if !e.VCSIntegrations {
		t.Error("vcs-integrations is false")
	}
	must(t, w.AddOrganization(terraformd.Organization{Name: "bare", NoVCS: true, Members: map[string]terraformd.Access{"owner": {Owner: true}}}))
	if have := w.do(t, owner, "POST", "/api/v2/organizations/bare/oauth-clients", clientBody("")); have.status != http.StatusNotFound {
		t.Errorf("a client without the entitlement: %d", have.status)
	}
}

// The tfe provider updates each organization that it has created.
func TestUpdateOrganization(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	c := w.client(t, owner)
	o, err := c.Organizations.Update(t.Context(), "acme", tfe.OrganizationUpdateOptions{
		Name: new("acme-2"), Email: new("new@example.com"), DefaultExecutionMode: new("remote"),
	})
	must(t, err)
	if o.Name != "acme-2" || o.Email != "new@example.com" || !o.SpeculativePlanManagementEnabled { // the default, or the provider's plan never ends
		t.Errorf("updated: %+v", o)
	}
	if _, err := c.Organizations.Read(t.Context(), "acme-2"); err != nil {
		t.Errorf("by its new name: %v", err)
	}
	if _, err := c.Organizations.Read(t.Context(), "acme"); !errors.Is(err, tfe.ErrResourceNotFound) {
		t.Errorf("by its old name: %v", err)
	}
	for name, attributes := range map[string]string{"taken": `"name":"Other"`, "bad name": `"name":"a b"`, "no email": `"email":""`} {
		have := w.do(t, owner, "PATCH", "/api/v2/organizations/acme-2", `{"data":{"type":"organizations","attributes":{`+attributes+`}}}`)
		if have.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, have.status, have.body)
		}
	}
	const email = `{"data":{"type":"organizations","attributes":{"email":"x@example.com"}}}`
	for _, token := range []string{manager, member, stranger} {
		if have := w.do(t, token, "PATCH", "/api/v2/organizations/acme-2", email); have.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", token, have.status, have.body)
		}
	}
}

func TestPaging(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	for range 45 {
		w.newClient(t, `"key":"k","secret":"s","rsa-public-key":"p"`)
	}
	c := w.client(t, owner)
	all, err := c.OAuthClients.List(t.Context(), "acme", nil)
	must(t, err)
	if len(all.Items) != 45 || all.Pagination != nil && all.TotalCount != 0 {
		t.Errorf("unpaged: %d clients, %+v", len(all.Items), all.Pagination)
	}
	seen := map[string]bool{}
	for number, want := range map[int]int{1: 20, 2: 20, 3: 5, 4: 0} {
		page, err := c.OAuthClients.List(t.Context(), "acme", &tfe.OAuthClientListOptions{ListOptions: tfe.ListOptions{PageNumber: number}})
		must(t, err)
		if len(page.Items) != want || page.TotalCount != 45 || page.TotalPages != 3 || page.CurrentPage != number {
			t.Errorf("page %d: %d clients, %+v", number, len(page.Items), page.Pagination)
		}
		for _, item := range page.Items {
			seen[item.ID] = true
		}
	}
	if len(seen) != 45 {
		t.Errorf("the pages hold %d clients", len(seen))
	}
	big, err := c.OAuthClients.List(t.Context(), "acme", &tfe.OAuthClientListOptions{ListOptions: tfe.ListOptions{PageSize: 1000}})
	must(t, err)
	if len(big.Items) != 45 || big.TotalPages != 1 {
		t.Errorf("page size 1000: %d clients, %+v", len(big.Items), big.Pagination)
	}
	spaces, err := c.Workspaces.List(t.Context(), "acme", nil)
	must(t, err)
	if spaces.Pagination == nil || spaces.TotalPages != 1 {
		t.Errorf("workspaces are always paged: %+v", spaces.Pagination)
	}
}
