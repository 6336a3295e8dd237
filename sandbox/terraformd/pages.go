package terraformd

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

func (s *Server) routePages(mux *http.ServeMux) {
	mux.HandleFunc("GET /session", s.loginPage)
	mux.HandleFunc("POST /session", s.logIn)
	mux.HandleFunc("POST /session/end", s.logOut)
	mux.HandleFunc("GET /auth/{uuid}", s.connect)
	mux.HandleFunc("GET /auth/{uuid}/callback", s.callback)
	mux.HandleFunc("GET /app/{organization}/settings/version-control", s.settingsPage)
	mux.HandleFunc("GET /app", s.organizationsPage)
	mux.Handle("GET /{$}", http.RedirectHandler("/app", http.StatusFound))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.showMissing(w) })
}

func settingsPath(o *organization) string { return "/app/" + o.Name + "/settings/version-control" }

func (s *Server) show(w http.ResponseWriter, status int, page templ.Component) {
	var out bytes.Buffer
	if err := page.Render(context.Background(), &out); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	if s.opts.Choices.CutOpener {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	w.WriteHeader(status)
	_, _ = out.WriteTo(w)
}

func (s *Server) showMissing(w http.ResponseWriter) {
	s.show(w, http.StatusNotFound, problemPage(problemView{
		Title: "404 Not found", Text: "There is nothing here, or you are not allowed to see it.",
	}))
}

// showUnreachable is the one page for everything that can go wrong on the way to
// Bitbucket and back. The reason is in the events, not here.
func (s *Server) showUnreachable(w http.ResponseWriter, o *organization) {
	s.show(w, http.StatusInternalServerError, problemPage(problemView{
		Title: "500 Something went wrong", Back: settingsPath(o),
		Text: "Terraform was unable to reach your Bitbucket Server instance, or was refused by it.",
	}))
}

func (s *Server) organizationsPage(w http.ResponseWriter, r *http.Request) {
	l, u, in := s.loggedIn(w, r)
	if !in {
		return
	}
	view := organizationsView{User: u.Name, CSRF: l.csrf}
	_ = s.read(func() error {
		for _, o := range s.state.Organizations {
			if _, member := o.Members[u.Name]; member {
				view.Organizations = append(view.Organizations, organizationLine{
					Name: o.Name, Path: settingsPath(o), Clients: len(o.Clients), Connected: len(connected(o.Clients, "")),
				})
			}
		}
		return nil
	})
	slices.SortFunc(view.Organizations, func(a, b organizationLine) int { return strings.Compare(a.Name, b.Name) })
	s.show(w, http.StatusOK, organizationsPage(view))
}

func (s *Server) settingsPage(w http.ResponseWriter, r *http.Request) {
	l, u, in := s.loggedIn(w, r)
	if !in {
		return
	}
	base := s.address()
	s.logins.mu.Lock()
	view := settingsView{User: u.Name, CSRF: l.csrf, Notice: l.notice}
	l.notice = ""
	s.logins.mu.Unlock()
	err := s.read(func() error {
		o, err := s.organization(actor{user: u}, r.PathValue("organization"), seeOrganization)
		if err != nil {
			return err
		}
		view.Organization = o.Name
		view.CanManage = actor{user: u}.allowed(o, manageVCS) == nil
		for _, c := range o.Clients {
			view.Clients = append(view.Clients, c.line(o, base))
		}
		return nil
	})
	if err != nil {
		s.showMissing(w)
		return
	}
	s.show(w, http.StatusOK, settingsPage(view))
}

func (c *client) line(o *organization, base string) clientLine {
	line := clientLine{
		ID: c.ID, Name: c.provider().display, Provider: c.provider().display, HTTPURL: c.HTTPURL, Key: c.Key,
		Callback: c.callbackURL(base), Connects: c.provider().connects, ConnectPath: c.connectPath(o),
	}
	if c.Name != nil && *c.Name != "" {
		line.Name = *c.Name
	}
	if c.Token != nil {
		line.Connected, line.User, line.SSHKey = true, c.Token.User, !c.Token.SSHKey.Empty()
	}
	return line
}
