package bitbucketd

import "net/http"

// routes binds every path that is served. "{v}" is 1.0 or latest.
func (s *Server) routes(mux *http.ServeMux) {
	add := func(k kind, fallback handler) func(string, handler) {
		return func(pattern string, h handler) {
			mux.HandleFunc(pattern, s.serve(k, func(c *call) (reply, error) {
				if v := c.r.PathValue("v"); v != "" && v != "1.0" && v != "latest" {
					return fallback(c)
				}
				return h(c)
			}))
		}
	}
	rest, page := add(restKind, unknownREST), add(servletKind, unknownPage)
	s.coreRoutes(rest)
	s.grantRoutes(rest)
	s.repoRoutes(rest)
	s.linkRoutes(rest)
	s.pluginRoutes(rest)
	s.tsvRoutes(rest)
	s.pageRoutes(page)
	rest(everyREST, notServed)
	page("/", unknownPage)
}

func (s *Server) coreRoutes(add func(string, handler)) {
	const api = "/rest/api/{v}"
	add("GET "+api+"/application-properties", getProperties)
	add("GET /rest/capabilities", getCapabilities)
	add("GET "+api+"/users", listUsers)
	add("GET "+api+"/users/{slug}", getUser)
	add("GET "+api+"/admin/license", getLicense)
	add("GET "+api+"/admin/users", listAdminUsers)
	add("POST "+api+"/admin/users", createUser)
	add("PUT "+api+"/admin/users", updateUser)
	add("DELETE "+api+"/admin/users", deleteUser)
	add("POST "+api+"/admin/users/rename", renameUser)
	add("PUT "+api+"/admin/users/credentials", setPassword)
	add("DELETE "+api+"/admin/users/captcha", clearCaptcha)
	add("POST "+api+"/admin/users/add-groups", joinGroups)
	add("POST "+api+"/admin/users/remove-group", leaveGroup)
	add("GET "+api+"/admin/groups", listGroups)
	add("POST "+api+"/admin/groups", createGroup)
	add("DELETE "+api+"/admin/groups", deleteGroup)
	add("GET "+api+"/admin/groups/more-members", listMembers)
	add("GET "+api+"/admin/rate-limit/settings", getRateLimit)

	add("GET /rest/access-tokens/{v}/users/{slug}", listTokens)
	add("PUT /rest/access-tokens/{v}/users/{slug}", createToken)
	add("GET /rest/access-tokens/{v}/users/{slug}/{id}", getToken)
	add("POST /rest/access-tokens/{v}/users/{slug}/{id}", updateToken)
	add("DELETE /rest/access-tokens/{v}/users/{slug}/{id}", deleteToken)

	add("GET /rest/ssh/{v}/keys", listSSHKeys)
	add("POST /rest/ssh/{v}/keys", addSSHKey)
	add("DELETE /rest/ssh/{v}/keys", deleteSSHKeys)
	add("GET /rest/ssh/{v}/keys/{id}", getSSHKey)
	add("DELETE /rest/ssh/{v}/keys/{id}", deleteSSHKey)
	add("GET /rest/ssh/{v}/settings", getSSHSettings)
	add("GET /rest/ssh/{v}/admin", getSSHPolicy)
}

func (s *Server) grantRoutes(add func(string, handler)) {
	const projects = "/rest/api/{v}/projects/{project}"
	for path, on := range map[string]targeting{
		"/rest/api/{v}/admin/permissions":      everything,
		projects + "/permissions":              oneProject,
		projects + "/repos/{repo}/permissions": oneRepo,
	} {
		add("GET "+path+"/users", listUserGrants(on))
		add("PUT "+path+"/users", setGrant(on, userHolder))
		add("DELETE "+path+"/users", deleteGrant(on, userHolder))
		add("GET "+path+"/groups", listGroupGrants(on))
		add("PUT "+path+"/groups", setGrant(on, groupHolder))
		add("DELETE "+path+"/groups", deleteGrant(on, groupHolder))
	}
	add("GET "+projects+"/permissions/search", searchGrants(oneProject))
	add("GET "+projects+"/repos/{repo}/permissions/search", searchGrants(oneRepo))
}

func (s *Server) repoRoutes(add func(string, handler)) {
	const projects = "/rest/api/{v}/projects"
	add("GET "+projects, listProjects)
	add("POST "+projects, createProject)
	add("GET "+projects+"/{project}", getProject)
	add("PUT "+projects+"/{project}", updateProject)
	add("DELETE "+projects+"/{project}", deleteProject)
	add("GET "+projects+"/{project}/repos", listProjectRepos)
	add("POST "+projects+"/{project}/repos", createRepo)
	add("GET /rest/api/{v}/repos", listRepos)

	const repo = projects + "/{project}/repos/{repo}"
	add("GET "+repo, getRepo)
	add("PUT "+repo, updateRepo)
	add("DELETE "+repo, deleteRepo)

	add("GET /scm/{project}/{repo}/{rest...}", serveGit)
	add("POST /scm/{project}/{repo}/{rest...}", serveGit)

	add("GET "+repo+"/settings/hooks", listHooks)
	add("GET "+repo+"/settings/hooks/{hook}", getHook)
	add("DELETE "+repo+"/settings/hooks/{hook}", deleteHook)
	add("PUT "+repo+"/settings/hooks/{hook}/enabled", enableHook)
	add("DELETE "+repo+"/settings/hooks/{hook}/enabled", disableHook)
	add("GET "+repo+"/settings/hooks/{hook}/settings", getHookSettings)
	add("PUT "+repo+"/settings/hooks/{hook}/settings", putHookSettings)

	add("GET "+repo+"/webhooks", listWebhooks)
	add("POST "+repo+"/webhooks", createWebhook)
	add("GET "+repo+"/webhooks/search", listWebhooks)
	add("GET "+repo+"/webhooks/{id}", getWebhook)
	add("PUT "+repo+"/webhooks/{id}", updateWebhook)
	add("DELETE "+repo+"/webhooks/{id}", deleteWebhook)
	add("GET "+repo+"/webhooks/{id}/latest", latestInvocation)
	add("GET "+repo+"/webhooks/{id}/statistics", webhookStatistics)
	add("GET "+repo+"/webhooks/{id}/statistics/summary", webhookStatistics)
}

// linkRoutes binds application links. Their modules have versions of their own; the
// newest resources are missing from an old plugin, whose consumers lie elsewhere.
func (s *Server) linkRoutes(add func(string, handler)) {
	versions := []string{"1.0", "2.0", "3.0", "latest"}
	if s.opts.OldApplinks {
		versions = []string{"1.0", "2.0", "latest"}
	}
	for _, v := range versions {
		base := "/rest/applinks/" + v
		add("GET "+base+"/manifest", getManifest)
		add("GET "+base+"/applicationlink", listLinks)
		add("GET "+base+"/applicationlink/{id}", getLink)
		add("POST "+base+"/applicationlink/{id}", updateLink)
		add("DELETE "+base+"/applicationlink/{id}", deleteLink)
		add("GET "+base+"/orphaned-trust", listOrphans)
		add("DELETE "+base+"/orphaned-trust/{type}/{id}", deleteOrphan)
		if v == "1.0" {
			add("GET "+base+"/listApplicationlinks", listLinkStates)
			continue
		}
		add("PUT "+base+"/applicationlink", createLink)
		if s.opts.OldApplinks {
			add("GET "+base+"/applicationlink/{id}/authentication/consumer", getConsumer)
			add("PUT "+base+"/applicationlink/{id}/authentication/consumer", putConsumer)
		}
	}
	if s.opts.OldApplinks {
		return
	}
	for _, v := range []string{"3.0", "latest"} {
		base := "/rest/applinks/" + v + "/applinks"
		add("GET "+base, listLinksV3)
		add("GET "+base+"/{id}", getLinkV3)
		add("PUT "+base+"/{id}", updateLinkV3)
		add("DELETE "+base+"/{id}", deleteLinkV3)
	}
	add("GET /rest/applinks-oauth/{v}/applicationlink/{id}/authentication/consumer", getConsumer)
	add("PUT /rest/applinks-oauth/{v}/applicationlink/{id}/authentication/consumer", putConsumer)
}

func (s *Server) pluginRoutes(add func(string, handler)) {
	add("GET /rest/plugins/{v}/{$}", listPlugins)
	add("POST /rest/plugins/{v}/{$}", installPlugin)
	add("GET /rest/plugins/{v}/{key}", getPlugin)
	add("PUT /rest/plugins/{v}/{key}", putPlugin)
	add("GET /rest/plugins/{v}/pending/{id}", getTask)
	add("GET /rest/authconfig/{v}/login-options", getLoginOptions)
	add("GET /rest/basicauth/{v}/config", getBasicAuth)
	add("PUT /rest/basicauth/{v}/config", putBasicAuth)
}

func (s *Server) pageRoutes(add func(string, handler)) {
	add("GET /status", getStatus)
	add("GET /{$}", getHome)
	add("GET /login", getLogin)
	add("POST /login", postLogin)
	add("POST /j_atl_security_check", postLogin)
	add("GET /logout", logout)
	add("GET /j_atl_security_logout", logout)
	add("GET /websudo", getWebSudo)
	add("POST /websudo", postWebSudo)
	add("GET /plugins/servlet/applinks/whoami", whoami)
	add("POST /plugins/servlet/oauth/request-token", requestToken)
	add("POST /plugins/servlet/oauth/access-token", accessToken)
	add("GET /plugins/servlet/oauth/authorize", askConsent)
	add("POST /plugins/servlet/oauth/authorize", giveConsent)
	add("GET /plugins/servlet/oauth/users/access-tokens", listAccess)
	add("DELETE /plugins/servlet/oauth/users/access-tokens", revokeAccess)
}
