package bitbucketd

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// State is all that a server remembers. Times are milliseconds since 1970, as on the wire.
type State struct {
	Users         map[string]*User         `json:"users"` // by name in lower case
	Groups        map[string]*Group        `json:"groups"`
	Projects      map[string]*Project      `json:"projects"`        // by key in upper case
	Moved         map[string]string        `json:"moved,omitempty"` // what was moved: PROJECT/slug, or PROJECT, before and now
	Global        Grants                   `json:"global"`
	SSHKeys       []*SSHKey                `json:"sshKeys"`
	Links         []*Link                  `json:"links"`
	Consumers     map[string]*Consumer     `json:"consumers"` // by consumer key
	RequestTokens map[string]*RequestToken `json:"requestTokens"`
	AccessTokens  map[string]*AccessToken  `json:"accessTokens"`
	HTTPTokens    []*HTTPToken             `json:"httpTokens"`
	Plugins       map[string]*Plugin       `json:"plugins"`   // installed ones, by plugin key
	Artefacts     map[string]Plugin        `json:"artefacts"` // what the plugin manager finds at an address
	HostKeys      []string                 `json:"hostKeys"`  // PEM
	Settings      Settings                 `json:"settings"`
	LastID        int                      `json:"lastId"`
}

// Settings are what an administrator sets.
type Settings struct {
	BasicAuth    BasicAuth `json:"basicAuth"`
	SSHPolicy    SSHPolicy `json:"sshPolicy"`
	SSHDisabled  bool      `json:"sshDisabled"`
	Public       bool      `json:"public"` // public repositories and projects are seen by anonymous callers
	RateCapacity int       `json:"rateCapacity"`
	RateFill     int       `json:"rateFill"`
	RateEnabled  bool      `json:"rateEnabled"`
	MovedStatus  int       `json:"movedStatus,omitempty"` // of the answer for a moved repository; 0: 301

	ArchivedFrozen bool `json:"archivedFrozen,omitempty"` // permissions, hooks and webhooks of archived repositories cannot be changed

	ServerState   string `json:"serverState"` // of /status; "": RUNNING
	DirectoryName string `json:"directoryName"`

	License License `json:"license"`

	EnforceSecondFactor bool `json:"enforceSecondFactor,omitempty"` // everyone who logs in must have one
}

// BasicAuth is who may still use Basic authentication (since 7.12).
type BasicAuth struct {
	Block        bool     `json:"block-requests"`
	AllowedUsers []string `json:"allowed-users"`
	AllowedPaths []string `json:"allowed-paths"`
	Warn         bool     `json:"show-warning-message"`
}

// User is an account.
type User struct {
	ID          int    `json:"id"`
	Name        string `json:"name"`
	Slug        string `json:"slug"`
	DisplayName string `json:"displayName"`
	Email       string `json:"email"`
	Inactive    bool   `json:"inactive"`
	Salt        string `json:"salt"`
	Password    string `json:"password"` // digest
	Failures    int    `json:"failures"` // bad passwords in a row
	LastLogin   int64  `json:"lastLogin"`

	SecondFactor *SecondFactor `json:"secondFactor,omitempty"` // of two-step verification
}

// Group is a named set of users, by their lower case names.
type Group struct {
	Name    string          `json:"name"`
	Members map[string]bool `json:"members"`
}

// Grants are direct permissions on one thing: one for each user or group.
type Grants struct {
	Users  map[string]Permission `json:"users"` // by name in lower case
	Groups map[string]Permission `json:"groups"`
}

// Project holds repositories. The key of a personal one begins with "~".
type Project struct {
	ID          int              `json:"id"`
	Key         string           `json:"key"`
	Name        string           `json:"name"`
	Public      bool             `json:"public"`
	Owner       string           `json:"owner"` // of a personal project, lower case
	Description string           `json:"description,omitempty"`
	Default     Permission       `json:"default"` // granted to every licensed user
	Grants      Grants           `json:"grants"`
	Repos       map[string]*Repo `json:"repos"` // by slug
}

// Repo is a git repository.
type Repo struct {
	ID          int                  `json:"id"`
	Slug        string               `json:"slug"`
	Name        string               `json:"name"`
	Public      bool                 `json:"public"`
	Description string               `json:"description,omitempty"`
	Archived    bool                 `json:"archived,omitempty"` // from 8.0 on
	NoForks     bool                 `json:"noForks,omitempty"`
	Grants      Grants               `json:"grants"`
	Hooks       map[string]*RepoHook `json:"hooks"` // by hook key
	Webhooks    []*Webhook           `json:"webhooks"`
}

// Plugin is an add-on that is installed.
type Plugin struct {
	Key     string `json:"key"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Enabled bool   `json:"enabled"`
}

func newState(v version, basicOff bool) *State {
	st := &State{}
	st.fill()
	st.Groups["stash-users"] = &Group{Name: "stash-users", Members: map[string]bool{}}
	st.Global.Groups["stash-users"] = LicensedUser
	st.Settings = Settings{RateCapacity: 60, RateFill: 5, DirectoryName: "Bitbucket Internal Directory"}
	st.Settings.BasicAuth = BasicAuth{Block: basicOff, Warn: true}
	st.Artefacts["https://marketplace.example/"+webPostHooks+".jar"] = Plugin{
		Key: webPostHooks, Name: "Bitbucket Server Web Post Hooks Plugin", Version: "1.6.0", Enabled: true,
	}
	if !v.hasWebhooks() {
		delete(st.Plugins, webPostHooks) // bring your own
	}
	return st
}

// fill makes nil maps empty.
func (st *State) fill() {
	fill(&st.Users)
	fill(&st.Groups)
	fill(&st.Projects)
	fill(&st.Consumers)
	fill(&st.RequestTokens)
	fill(&st.AccessTokens)
	fill(&st.Plugins)
	fill(&st.Artefacts)
	st.Global.fill()
	for _, p := range st.Projects {
		p.Grants.fill()
		fill(&p.Repos)
		for _, r := range p.Repos {
			r.Grants.fill()
			fill(&r.Hooks)
		}
	}
}

func (g *Grants) fill() {
	fill(&g.Users)
	fill(&g.Groups)
}

func fill[V any](m *map[string]V) {
	if *m == nil {
		*m = map[string]V{}
	}
}

func (st *State) nextID() int {
	st.LastID++
	return st.LastID
}

// lower is the name that a user is kept under.
func lower(u *User) string { return strings.ToLower(u.Name) }

// User returns the user of that name, or nil.
func (st *State) User(name string) *User { return st.Users[strings.ToLower(name)] }

// Repo returns the repository, or nil.
func (st *State) Repo(project, slug string) *Repo {
	if p := st.Projects[strings.ToUpper(project)]; p != nil {
		return p.Repos[strings.ToLower(slug)]
	}
	return nil
}

// userBySlug returns the user whose slug it is, or nil.
func (st *State) userBySlug(slug string) *User {
	for _, u := range st.Users {
		if u.Slug == slug || u.Slug == userSlug(slug) { // Doubt: a client finds users by names that are no slugs
			return u
		}
	}
	return nil
}

const stateFile = "bitbucket.json"

// Save writes the state to a file in the folder, whole or not at all. The
// repositories are in Options.GitDir already; sessions are not kept.
func (s *Server) Save(dir string) error {
	s.mu.Lock()
	data, err := json.MarshalIndent(s.st, "", "  ")
	s.mu.Unlock()
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, stateFile+".*")
	if err != nil {
		return fmt.Errorf("saving the bitbucket state: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already when renamed
	if _, err := file.Write(data); err != nil {
		_ = file.Close()
		return fmt.Errorf("saving the bitbucket state: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("saving the bitbucket state: %w", err)
	}
	return os.Rename(file.Name(), filepath.Join(dir, stateFile))
}

// Load replaces the state by the one saved in the folder, and reports whether
// there was one.
func (s *Server) Load(dir string) (bool, error) {
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("loading the bitbucket state: %w", err)
	}
	st, err := decodeState(data)
	if err != nil {
		return false, fmt.Errorf("loading the bitbucket state: %w", err)
	}
	signers, err := parseHostKeys(st.HostKeys)
	if err != nil {
		return false, fmt.Errorf("loading the bitbucket state: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st, s.signers = st, signers
	return true, nil
}

func decodeState(data []byte) (*State, error) {
	st := &State{}
	if err := json.Unmarshal(data, st); err != nil {
		return nil, err
	}
	st.fill()
	return st, nil
}
