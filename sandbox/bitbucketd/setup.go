package bitbucketd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Setting the server up from Go: what an administrator did before bbsync came.

// Account is a user to add.
type Account struct {
	Name        string
	DisplayName string // "": Name
	Email       string // "": name@example.com
	Password    string // "": cannot log in with one
	Unlicensed  bool   // not in the group of all users
	Global      Permission
}

// AddUser adds an account.
func (s *Server) AddUser(a Account) error {
	if a.DisplayName == "" {
		a.DisplayName = a.Name
	}
	if a.Email == "" {
		a.Email = a.Name + "@example.com"
	}
	return s.Change("adding user "+a.Name, func(st *State) error {
		if a.Name == "" || st.User(a.Name) != nil {
			return fmt.Errorf("the name is taken or empty")
		}
		u := st.addUser(a.Name, a.DisplayName, a.Email, a.Password)
		name := strings.ToLower(u.Name)
		if !a.Unlicensed {
			st.Groups["stash-users"].Members[name] = true
		}
		if a.Global != "" {
			st.Global.Users[name] = a.Global
		}
		return nil
	})
}

// AddGroup adds a group, or members to one that is there.
func (s *Server) AddGroup(name string, members ...string) error {
	return s.Change("adding group "+name, func(st *State) error {
		if st.Groups[name] == nil {
			st.Groups[name] = &Group{Name: name, Members: map[string]bool{}}
		}
		for _, m := range members {
			if st.User(m) == nil {
				return fmt.Errorf("no user %s", m)
			}
			st.Groups[name].Members[strings.ToLower(m)] = true
		}
		return nil
	})
}

// AddProject adds a project. A key "~name" makes the personal one of that user.
func (s *Server) AddProject(key, name string) error {
	return s.Change("adding project "+key, func(st *State) error {
		key := strings.ToUpper(key)
		if !wellFormedKey(key) || st.Projects[key] != nil {
			return fmt.Errorf("the key is taken or not valid")
		}
		p := st.addProject(key, name)
		if owner, ok := strings.CutPrefix(key, "~"); ok {
			p.Owner = strings.ToLower(owner)
		}
		return nil
	})
}

// AddRepo adds a repository, a real one with a first commit.
func (s *Server) AddRepo(project, name string) error {
	return s.Change("adding repository "+project+"/"+name, func(st *State) error {
		p := st.Projects[strings.ToUpper(project)]
		if p == nil {
			return fmt.Errorf("no project %s", project)
		}
		if slug := slugOf(name); slug == "" || p.Repos[slug] != nil {
			return fmt.Errorf("the name is taken or empty")
		}
		r, err := s.addRepo(p, name)
		if err == nil {
			err = s.seedRepo(p, r)
		}
		return err
	})
}

// Place is where a permission is granted: everything (zero), a project, or a repository.
type Place struct {
	Project string
	Repo    string
}

// Grant sets the direct permission of a user or, with "@" before it, of a group;
// an empty permission takes it away.
func (s *Server) Grant(who string, at Place, p Permission) error {
	return s.Change(fmt.Sprintf("granting %s %q at %v", who, p, at), func(st *State) error {
		grants, want, err := st.at(at)
		if err != nil {
			return err
		}
		if have, _ := p.split(); p != "" && have != want {
			return fmt.Errorf("not a permission of that place")
		}
		if group, ok := strings.CutPrefix(who, "@"); ok {
			if st.Groups[group] == nil {
				return fmt.Errorf("no group %s", group)
			}
			put(grants.Groups, group, p)
			return nil
		}
		if st.User(who) == nil {
			return fmt.Errorf("no user %s", who)
		}
		put(grants.Users, strings.ToLower(who), p)
		return nil
	})
}

func (st *State) at(at Place) (*Grants, scope, error) {
	if at.Project == "" {
		return &st.Global, globalScope, nil
	}
	p := st.Projects[strings.ToUpper(at.Project)]
	if p == nil {
		return nil, noScope, fmt.Errorf("no project %s", at.Project)
	}
	if at.Repo == "" {
		return &p.Grants, projectScope, nil
	}
	r := p.Repos[strings.ToLower(at.Repo)]
	if r == nil {
		return nil, noScope, fmt.Errorf("no repository %s/%s", at.Project, at.Repo)
	}
	return &r.Grants, repoScope, nil
}

// AddSSHKey adds a public key to a user, whatever the policy, and returns its id.
func (s *Server) AddSSHKey(user, line, label string) (id int, err error) {
	err = s.Change("adding an ssh key to "+user, func(st *State) error {
		u := st.User(user)
		if u == nil {
			return fmt.Errorf("no user %s", user)
		}
		k, err := parseSSHKey(line)
		if err != nil {
			return err
		}
		if label != "" {
			k.Label = label
		}
		if other := st.keyByBlob(k.Blob); other != nil {
			return fmt.Errorf("the key is %s's already", other.User)
		}
		st.addSSHKey(u, k, s.now())
		id = k.ID
		return nil
	})
	return id, err
}

// DeleteSSHKey deletes the key of that id.
func (s *Server) DeleteSSHKey(id int) error {
	return s.Change(fmt.Sprintf("deleting ssh key %d", id), func(st *State) error {
		before := len(st.SSHKeys)
		st.SSHKeys = without(st.SSHKeys, func(k *SSHKey) bool { return k.ID == id })
		if len(st.SSHKeys) == before {
			return fmt.Errorf("there is none")
		}
		return nil
	})
}

// AddLink adds an application link, by hand as it were, and returns its id. Its
// name may come to be another, as over REST. Only the OAuth 2.0 kind needs an id.
func (s *Server) AddLink(l Link) (id string, err error) {
	err = s.Change("adding application link "+l.RPCURL, func(st *State) error {
		if l.Type == "" {
			l.Type = "generic"
		}
		if l.DisplayURL == "" {
			l.DisplayURL = l.RPCURL
		}
		if l.ID == "" {
			l.ID = linkID(l.RPCURL)
		}
		if slices.ContainsFunc(st.Links, func(other *Link) bool { return other.ID == l.ID }) {
			return fmt.Errorf("there is one already")
		}
		id = l.ID
		st.addLink(&l)
		return nil
	})
	return id, err
}

// SetConsumer puts an incoming consumer into a link, as over REST: by its key.
func (s *Server) SetConsumer(linkID string, con Consumer) error {
	return s.Change("setting consumer "+con.Key, func(st *State) error {
		l := st.linkByID(linkID)
		if l == nil || con.Key == "" {
			return fmt.Errorf("no such link, or no key")
		}
		pem, err := reencode(con.PublicKey)
		if err != nil {
			return err
		}
		con.PublicKey = pem
		s.storeConsumer(l, &con)
		return nil
	})
}

// RemoveLink deletes the link, its consumer and the consumer's tokens.
func (s *Server) RemoveLink(id string) error {
	return s.Change("deleting application link "+id, func(st *State) error {
		i := slices.IndexFunc(st.Links, func(l *Link) bool { return l.ID == id })
		if i < 0 {
			return fmt.Errorf("there is none")
		}
		st.removeLink(st.Links[i])
		return nil
	})
}

// SetPlugin installs a plugin, or changes it.
func (s *Server) SetPlugin(p Plugin) error {
	return s.Change("setting plugin "+p.Key, func(st *State) error {
		st.Plugins[p.Key] = &p
		return nil
	})
}

// Configure changes settings.
func (s *Server) Configure(edit func(*Settings)) error {
	return s.Change("configuring", func(st *State) error {
		edit(&st.Settings)
		return nil
	})
}

// AddHTTPToken makes an HTTP access token and returns it.
func (s *Server) AddHTTPToken(user, name string, permissions ...Permission) (token string, err error) {
	err = s.Change("adding an http token to "+user, func(st *State) error {
		u := st.User(user)
		if u == nil {
			return fmt.Errorf("no user %s", user)
		}
		_, token = st.addToken(u, name, permissions, s.now())
		return nil
	})
	return token, err
}

// LockWithCaptcha makes the server ask for a CAPTCHA before the account may log in.
func (s *Server) LockWithCaptcha(user string) error {
	return s.Change("locking "+user, func(st *State) error {
		u := st.User(user)
		if u == nil {
			return fmt.Errorf("no user %s", user)
		}
		u.Failures = s.opts.CaptchaAfter
		return nil
	})
}

// Allowed reports whether the user has the permission on the repository, in effect.
func (s *Server) Allowed(user, project, repo string, p Permission) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, r := s.st.User(user), s.st.Repo(project, repo)
	return u != nil && r != nil && s.st.repoRank(u, s.st.Projects[strings.ToUpper(project)], r) >= p.rank()
}

// KeysOf returns the ids of a user's SSH keys that have not expired.
func (s *Server) KeysOf(user string) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []int
	for _, k := range s.st.SSHKeys {
		if k.User == strings.ToLower(user) && !k.expired(s.now()) {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// RevokeTokens ends all OAuth access tokens of a user, as the user may on a page,
// and returns how many there were.
func (s *Server) RevokeTokens(user string) (n int, err error) {
	err = s.Change("revoking the oauth tokens of "+user, func(st *State) error {
		before := len(st.AccessTokens)
		maps.DeleteFunc(st.AccessTokens, func(_ string, t *AccessToken) bool { return t.User == strings.ToLower(user) })
		n = before - len(st.AccessTokens)
		return nil
	})
	return n, err
}
