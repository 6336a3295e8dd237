package terraformd

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/keys"
)

// Connection is what the sandbox may know of a client and its token, and the API
// does not tell: which keys the server holds. Keys are named by fingerprint.
type Connection struct {
	Organization string `json:"organization"`
	Client       string `json:"client"` // oc-…
	Name         string `json:"name"`
	HTTPURL      string `json:"http_url"`
	Connected    bool   `json:"connected"`
	User         string `json:"user,omitempty"`
	ConnectURL   string `json:"connect_url"`
	ConsumerKey  string `json:"consumer_key"`
	Consumer     string `json:"consumer,omitempty"` // of the private key; empty: none that parses
	SSHKey       string `json:"ssh_key,omitempty"`  // empty: none
}

// Connections lists every client of every organization, sorted by organization.
func (s *Server) Connections() []Connection {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []Connection
	for _, o := range s.state.Organizations {
		for _, c := range o.Clients {
			all = append(all, c.inside(o, s.base))
		}
	}
	slices.SortStableFunc(all, func(a, b Connection) int { return strings.Compare(a.Organization, b.Organization) })
	return all
}

// A Linked is a workspace that is on a repository.
type Linked struct{ Organization, Workspace, Client string }

// Linked lists the workspaces that are on a repository, sorted by organization.
func (s *Server) Linked() []Linked {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []Linked
	for _, o := range s.state.Organizations {
		for _, w := range o.Workspaces {
			if w.Repo == nil {
				continue
			}
			found := Linked{Organization: o.Name, Workspace: w.Name}
			if c := s.index.client[w.Repo.Token]; c != nil {
				found.Client = c.ID
			}
			all = append(all, found)
		}
	}
	slices.SortStableFunc(all, func(a, b Linked) int { return strings.Compare(a.Organization, b.Organization) })
	return all
}

func (c *client) inside(o *organization, base string) Connection {
	line := c.line(o, base)
	inside := Connection{
		Organization: o.Name, Client: c.ID, Name: line.Name, HTTPURL: c.HTTPURL, Connected: line.Connected, User: line.User,
		ConnectURL: base + line.ConnectPath, ConsumerKey: c.Key,
	}
	if pair, err := keys.ConsumerFrom(c.Secret.Text); err == nil {
		inside.Consumer = pair.Fingerprint
	}
	if c.Token == nil || c.Token.SSHKey.Empty() {
		return inside
	}
	if signer, err := keys.SSHSigner(c.Token.SSHKey.Text); err == nil {
		inside.SSHKey = fingerprint(signer)
	}
	return inside
}

// Fetch is how a workspace's configuration arrived, or did not.
type Fetch struct {
	Organization string    `json:"organization"`
	Workspace    string    `json:"workspace"`
	Repository   string    `json:"repository"`
	Status       string    `json:"status"` // fetching, uploaded, errored; empty: no repository
	Commit       string    `json:"commit,omitempty"`
	Error        string    `json:"error,omitempty"`
	Ended        time.Time `json:"ended"`
}

// Fetches lists the newest fetch of every workspace.
func (s *Server) Fetches() []Fetch {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []Fetch
	for _, o := range s.state.Organizations {
		for _, w := range o.Workspaces {
			f := Fetch{Organization: o.Name, Workspace: w.Name, Repository: w.identifier()}
			if n := len(w.Versions); n > 0 {
				v := w.Versions[n-1]
				f.Status, f.Commit, f.Error, f.Ended = v.Status, v.Commit, v.Message, v.EndedAt
			}
			all = append(all, f)
		}
	}
	return all
}

// Event is why something with a connection failed.
type Event struct {
	At           time.Time `json:"at"`
	Organization string    `json:"organization"`
	Client       string    `json:"client"`
	Message      string    `json:"message"`
}

// Events lists what failed, oldest first.
func (s *Server) Events() []Event {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Event, len(s.state.Events))
	for i, e := range s.state.Events {
		all[i] = Event{e.At, e.Organization, e.Client, e.Message}
	}
	return all
}

type reach struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// Admin serves what the real server tells nobody, for the sandbox's own use. It
// asks for no token and so must not be reachable as the server itself is.
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	plain := func(w http.ResponseWriter, document any) {
		w.Header().Set("Content-Type", "application/json")
		writePlain(w, http.StatusOK, document)
	}
	mux.HandleFunc("GET /connections", func(w http.ResponseWriter, _ *http.Request) { plain(w, s.Connections()) })
	mux.HandleFunc("GET /fetches", func(w http.ResponseWriter, _ *http.Request) { plain(w, s.Fetches()) })
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, _ *http.Request) { plain(w, s.Events()) })
	mux.HandleFunc("GET /can-clone", func(w http.ResponseWriter, r *http.Request) {
		answer := reach{OK: true}
		if err := s.CanClone(r.Context(), r.URL.Query().Get("organization"), r.URL.Query().Get("client")); err != nil {
			answer = reach{Error: err.Error()}
		}
		plain(w, answer)
	})
	return mux
}
