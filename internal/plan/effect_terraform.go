package plan

import (
	"slices"
	"time"
)

func (s CreateClient) effect(w *World) {
	r := w.changeRecord()
	c := Client{
		ID: w.name("client"), Name: s.Name, Organization: w.Target.Organization, Key: r.Consumer.Key, Fingerprint: r.Consumer.Fingerprint, HTTPURL: s.HTTPURL, APIURL: s.APIURL,
		ServiceProvider: s.ServiceProvider, Scoped: s.Scoped, Projects: w.projectIDs(s.Projects), AgentPool: w.Pools[s.AgentPool], Created: w.Now,
	}
	w.Clients = append(slices.Clip(w.Clients), c)
	r.ClientID = c.ID
}

func (s UpdateClient) effect(w *World) {
	r := w.changeRecord()
	r.ClientID = s.ID
	c := w.changeClient(s.ID)
	if s.Name != nil {
		c.Name = *s.Name
	}
	if s.Scoped != nil {
		c.Scoped = *s.Scoped
	}
	if s.Projects != nil {
		c.Projects = w.projectIDs(*s.Projects)
	}
	if s.AgentPool != nil {
		c.AgentPool = w.Pools[*s.AgentPool]
	}
	if s.Keys {
		c.Key, c.Fingerprint = r.Consumer.Key, r.Consumer.Fingerprint
		w.doubtToken()
	}
}

func (s DeleteClient) effect(w *World) {
	w.Clients = slices.DeleteFunc(slices.Clone(w.Clients), func(c Client) bool { return c.ID == s.ID })
}

func (s Authorize) effect(w *World) {
	c := w.changeClient(w.Client().ID)
	c.Token = &Token{ID: w.name("token"), User: s.User, Created: w.Now}
	w.TokenDead, w.since.token = false, asRead
	w.since.pair = proven // nobody can click Allow otherwise
}

func (s SetTokenKey) effect(w *World) {
	r := w.changeRecord()
	unknown := w.keyOnToken() != ""
	if r.Pending != nil {
		r.Pending.Token, r.Pending.SwitchNoted = "", true
	}
	w.putKey(*r.key(s.Role), unknown)
}

func (s SwitchKey) effect(w *World) {
	unknown := !s.NoToken && w.keyOnToken() != ""
	r := w.changeRecord()
	r.Previous, r.Current, r.Pending = r.Current, r.Pending, nil
	r.Previous.Left = w.Now
	r.Current.Token, r.Current.Set, r.Current.SwitchNoted = "", time.Time{}, false
	if !s.NoToken {
		w.putKey(r.Current, unknown)
	}
}

func (ProveRepositories) effect(w *World) {
	w.since.token, w.TokenDead = proven, false
	if w.Record.RefusedToken != "" {
		w.changeRecord().RefusedToken = ""
	}
}

// effect has workspaces use the connection's own token.
func (s MoveWorkspaces) effect(w *World) {
	to := w.token().ID
	for _, c := range w.Clients {
		if c.ID != s.From {
			continue
		}
		var moved, left []Workspace
		for _, one := range w.Using[c.Token.ID] {
			if slices.Contains(s.Names, one.Name) {
				moved = append(moved, one)
			} else {
				left = append(left, one)
			}
		}
		w.Using = with(with(w.Using, c.Token.ID, left), to, append(slices.Clip(w.Using[to]), moved...))
	}
}

func (ProveFetched) effect(w *World) { w.changeRecord().Moving = nil }
