package terraformd

import (
	"net/http"
	"strconv"

	"github.com/bbsync/bbsync/sandbox/front"
)

// apiVersion is what HCP Terraform tells in TFP-API-Version.
const apiVersion = "2.6"

// call is one authenticated request.
type call struct {
	*http.Request
	actor actor
}

// reply is an answer: a status and a document, nil for none.
type reply struct {
	status   int
	document any
	headers  map[string]string
}

func ok(document any) reply { return reply{status: http.StatusOK, document: document} }

func created(document any) reply { return reply{status: http.StatusCreated, document: document} }

func noContent() reply { return reply{status: http.StatusNoContent} }

type endpoint func(call) (reply, error)

// Handler returns what the server serves: the API, its discovery, the pages of
// the connect path, and the webhook that Bitbucket calls.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v2/ping", s.ping)
	mux.HandleFunc("GET /.well-known/terraform.json", s.discovery)
	mux.HandleFunc("POST /webhooks/vcs/{hook}", s.webhook)
	s.routeOrganizations(mux)
	s.routeConnections(mux)
	s.routeWorkspaces(mux)
	s.routeShared(mux)
	s.routePages(mux)
	s.handle(mux, "/api/v2/", func(call) (reply, error) { return reply{}, notFound() })
	return front.Routed(mux)
}

func (s *Server) handle(mux *http.ServeMux, pattern string, e endpoint) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		s.announce(w.Header())
		a, known := s.actor(r)
		if !known {
			writeError(w, unauthorized())
			return
		}
		answer, err := e(call{r, a})
		for name, value := range answer.headers {
			w.Header().Set(name, value)
		}
		switch {
		case err != nil:
			writeError(w, err)
		case answer.document == nil:
			w.WriteHeader(answer.status)
		default:
			writeJSON(w, answer.status, answer.document)
		}
	})
}

func (s *Server) routeOrganizations(mux *http.ServeMux) {
	const org = "/api/v2/organizations/{organization}"
	s.handle(mux, "GET /api/v2/account/details", s.account)
	s.handle(mux, "GET /api/v2/organizations", s.listOrganizations)
	s.handle(mux, "POST /api/v2/organizations", s.createOrganization)
	s.handle(mux, "GET "+org, s.readOrganization)
	s.handle(mux, "PATCH "+org, s.updateOrganization)
	s.handle(mux, "DELETE "+org, s.deleteOrganization)
	s.handle(mux, "GET "+org+"/entitlement-set", s.readEntitlements)
	s.handle(mux, "GET "+org+"/authentication-token", s.readOrganizationToken)
	s.handle(mux, "POST "+org+"/authentication-token", s.createOrganizationToken)
	s.handle(mux, "DELETE "+org+"/authentication-token", s.deleteOrganizationToken)
	s.routeTokens(mux)
	s.handle(mux, "GET "+org+"/projects", s.listProjects)
	s.handle(mux, "POST "+org+"/projects", s.createProject)
	s.handle(mux, "GET /api/v2/projects/{project}", s.readProject)
	s.handle(mux, "PATCH /api/v2/projects/{project}", s.updateProject)
	s.handle(mux, "DELETE /api/v2/projects/{project}", s.deleteProject)
	s.handle(mux, "GET "+org+"/agent-pools", s.listAgentPools)
	s.handle(mux, "POST "+org+"/agent-pools", s.createAgentPool)
	s.handle(mux, "GET /api/v2/agent-pools/{pool}", s.readAgentPool)
	s.handle(mux, "PATCH /api/v2/agent-pools/{pool}", s.updateAgentPool)
	s.handle(mux, "DELETE /api/v2/agent-pools/{pool}", s.deleteAgentPool)
	s.handle(mux, "GET "+org+"/tags", s.listTags)
	s.handle(mux, "DELETE "+org+"/tags", s.deleteTags)
	s.handle(mux, "POST /api/v2/tags/{tag}/relationships/workspaces", s.tagWorkspaces)
	s.handle(mux, "GET /api/v2/admin/feature-sets", s.listFeatureSets)
	s.handle(mux, "POST /api/v2/admin/organizations/{organization}/subscription", s.subscribe)
}

// routeTokens serves tokens for the API and the teams that have some.
func (s *Server) routeTokens(mux *http.ServeMux) {
	const org, team, user = "/api/v2/organizations/{organization}", "/api/v2/teams/{team}", "/api/v2/users/{user}"
	s.handle(mux, "GET "+org+"/teams", s.listTeams)
	s.handle(mux, "POST "+org+"/teams", s.createTeam)
	s.handle(mux, "GET "+team, s.readTeam)
	s.handle(mux, "PATCH "+team, s.updateTeam)
	s.handle(mux, "DELETE "+team, s.deleteTeam)
	s.handle(mux, "GET "+org+"/team-tokens", s.listTeamTokens)
	s.handle(mux, "POST "+team+"/authentication-tokens", s.createTeamToken)
	s.handle(mux, "GET "+team+"/authentication-token", s.readTeamToken)
	s.handle(mux, "POST "+team+"/authentication-token", s.replaceTeamToken)
	s.handle(mux, "DELETE "+team+"/authentication-token", s.deleteTeamToken)
	s.handle(mux, "GET "+user+"/authentication-tokens", s.listUserTokens)
	s.handle(mux, "POST "+user+"/authentication-tokens", s.createUserToken)
	s.handle(mux, "GET /api/v2/authentication-tokens/{token}", s.readAPIToken)
	s.handle(mux, "DELETE /api/v2/authentication-tokens/{token}", s.deleteAPIToken)
	s.handle(mux, "GET "+org+"/token-ttl-policies", s.listTokenTTLs)
	s.handle(mux, "PATCH "+org+"/token-ttl-policies", s.updateTokenTTLs)
}

func (s *Server) routeConnections(mux *http.ServeMux) {
	const org, client, token = "/api/v2/organizations/{organization}", "/api/v2/oauth-clients/{client}", "/api/v2/oauth-tokens/{token}"
	s.handle(mux, "GET "+org+"/oauth-clients", s.listClients)
	s.handle(mux, "POST "+org+"/oauth-clients", s.createClient)
	s.handle(mux, "POST /api/v2/oauth-clients", s.createClient)
	s.handle(mux, "GET "+client, s.readClient)
	s.handle(mux, "PATCH "+client, s.updateClient)
	s.handle(mux, "DELETE "+client, s.deleteClient)
	s.handle(mux, "POST "+client+"/relationships/projects", s.attachProjects)
	s.handle(mux, "DELETE "+client+"/relationships/projects", s.detachProjects)
	s.handle(mux, "GET "+client+"/oauth-tokens", s.listClientTokens)
	s.handle(mux, "GET "+org+"/oauth-tokens", s.listTokens)
	s.handle(mux, "GET "+token, s.readToken)
	s.handle(mux, "PATCH "+token, s.updateToken)
	s.handle(mux, "DELETE "+token, s.deleteToken)
	s.handle(mux, "GET "+token+"/authorized-repos", s.authorizedRepos)
	s.handle(mux, "GET "+org+"/vcs/repo", s.checkRepository)
	s.handle(mux, "GET "+org+"/vcs-events", s.listEvents)
}

func (s *Server) routeWorkspaces(mux *http.ServeMux) {
	const org, space = "/api/v2/organizations/{organization}/workspaces", "/api/v2/workspaces/{workspace}"
	s.handle(mux, "GET "+org, s.listWorkspaces)
	s.handle(mux, "POST "+org, s.createWorkspace)
	for _, path := range []string{org + "/{workspace}", space} {
		s.handle(mux, "GET "+path, s.readWorkspace)
		s.handle(mux, "PATCH "+path, s.updateWorkspace)
		s.handle(mux, "DELETE "+path, s.deleteWorkspace)
		s.handle(mux, "POST "+path+"/actions/safe-delete", s.deleteWorkspace)
	}
	s.handle(mux, "POST "+space+"/actions/lock", s.lockWorkspace)
	s.handle(mux, "POST "+space+"/actions/unlock", s.unlockWorkspace)
	s.handle(mux, "POST "+space+"/actions/force-unlock", s.unlockWorkspace)
	s.handle(mux, "GET "+space+"/relationships/tags", s.listTags)
	s.handle(mux, "POST "+space+"/relationships/tags", s.changeTags)
	s.handle(mux, "DELETE "+space+"/relationships/tags", s.changeTags)
	s.handle(mux, "GET "+space+"/relationships/remote-state-consumers", s.listConsumers)
	s.handleRelated(mux, space, s.changeRelated(workspaceRelations(), func(c call) (*organization, *related, error) {
		o, w, err := s.workspaceOf(c)
		if err != nil {
			return nil, nil, err
		}
		return o, &w.Related, nil
	}))
	s.handle(mux, "GET "+space+"/configuration-versions", s.listVersions)
	s.handle(mux, "GET /api/v2/configuration-versions/{version}", s.readVersion)
	s.handle(mux, "GET /api/v2/configuration-versions/{version}/ingress-attributes", s.readIngress)
}

// routeShared serves what an organization's workspaces share, and stacks.
func (s *Server) routeShared(mux *http.ServeMux) {
	const org, module = "/api/v2/organizations/{organization}", "/registry-modules/private/{namespace}/{name}/{provider}"
	s.handle(mux, "GET "+org+"/policy-sets", s.listPolicySets)
	s.handle(mux, "POST "+org+"/policy-sets", s.createPolicySet)
	s.handle(mux, "GET /api/v2/policy-sets/{set}", s.readPolicySet)
	s.handle(mux, "PATCH /api/v2/policy-sets/{set}", s.updatePolicySet)
	s.handleRelated(mux, "/api/v2/policy-sets/{set}", s.changeRelated(policyRelations(), func(c call) (*organization, *related, error) {
		o, p, err := s.policySetOf(c)
		if err != nil {
			return nil, nil, err
		}
		return o, &p.Related, nil
	}))
	s.handle(mux, "DELETE /api/v2/policy-sets/{set}", s.deletePolicySet)
	s.handle(mux, "GET "+org+"/registry-modules", s.listModules)
	s.handle(mux, "POST "+org+"/registry-modules/vcs", s.createModule)
	s.handle(mux, "POST /api/v2/registry-modules", s.createModule)
	s.handle(mux, "GET "+org+module, s.readModule)
	s.handle(mux, "DELETE "+org+module, s.deleteModule)
	s.handle(mux, "GET "+org+"/stacks", s.listStacks)
}

func (s *Server) ping(w http.ResponseWriter, _ *http.Request) {
	// Whether the real ping asks for a token is not known; go-tfe ignores its
	// status.
	s.announce(w.Header())
	w.WriteHeader(http.StatusNoContent)
}

// announce sets the headers that every answer of the API carries, and the rate
// limit's unless a front has already.
func (s *Server) announce(h http.Header) {
	h.Set("TFP-API-Version", apiVersion)
	if s.IsCloud() {
		h.Set("TFP-AppName", "HCP Terraform")
	} else {
		h.Set("TFP-AppName", "Terraform Enterprise")
		h.Set("X-TFE-Version", s.opts.Version)
	}
	if s.opts.RateLimit > 0 && h.Get("X-RateLimit-Limit") == "" {
		setRate(h, s.opts.RateLimit, s.opts.RateLimit, 0)
	}
}

// discovery lets Terraform and its providers find the API. There is no
// versions.v1: that service is HashiCorp's, outside of any Terraform Enterprise.
func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	services := map[string]string{
		"modules.v1":   "/api/registry/v1/modules/",
		"providers.v1": "/api/registry/v1/providers/",
		"state.v2":     "/api/v2/",
		"tfe.v2":       "/api/v2/",
		"tfe.v2.1":     "/api/v2/",
		"tfe.v2.2":     "/api/v2/",
	}
	w.Header().Set("Content-Type", "application/json")
	writePlain(w, http.StatusOK, services)
}

// listStacks serves a list of what the sandbox does not have.
func (s *Server) listStacks(c call) (reply, error) {
	if s.opts.Missing.Stacks {
		return reply{}, notFound()
	}
	p := s.pager(c.Request)
	err := s.read(func() error {
		_, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		return err
	})
	return ok(page(p, []resource{}, func(r resource) resource { return r })), err
}

// handleRelated serves changes of a resource's to-many relationships.
func (s *Server) handleRelated(mux *http.ServeMux, path string, e endpoint) {
	for _, method := range []string{"POST ", "PATCH ", "DELETE "} {
		s.handle(mux, method+path+"/relationships/{relationship}", e)
	}
}

// listConsumers lists the workspaces that may read this one's state.
func (s *Server) listConsumers(c call) (reply, error) {
	p, base := s.pager(c.Request), s.address()
	var document list
	err := s.read(func() error {
		o, w, err := s.workspaceOf(c)
		if err != nil {
			return err
		}
		ids := o.existing("workspaces", w.Related["remote-state-consumers"])
		document = page(p, ids, func(id string) resource { return s.renderWorkspace(base, o, s.index.spaces[id]) })
		return nil
	})
	return ok(document), err
}

// has reports whether a boolean query parameter is set.
func (c call) has(parameter string) bool {
	set, err := strconv.ParseBool(c.URL.Query().Get(parameter))
	return err == nil && set
}
