package terraformd

import (
	"encoding/json"
	"slices"
)

// tag is a name that workspaces of an organization share.
type tag struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// tagRef names a tag by its id, or by its name, which makes it.
type tagRef struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Attributes struct {
		Name string `json:"name"`
	} `json:"attributes"`
}

type tagAttributes struct {
	Name          string `json:"name"`
	InstanceCount int    `json:"instance-count"`
}

func (o *organization) renderTag(t *tag) resource {
	count := 0
	for _, w := range o.Workspaces {
		if slices.Contains(w.Tags, t.ID) {
			count++
		}
	}
	return resource{
		ID: t.ID, Type: "tags", Attributes: tagAttributes{Name: t.Name, InstanceCount: count},
		Relationships: map[string]relation{"organization": toOne("organizations", o.Name)},
	}
}

func (o *organization) tag(match func(*tag) bool) *tag {
	if i := slices.IndexFunc(o.Tags, match); i >= 0 {
		return o.Tags[i]
	}
	return nil
}

// tagNames are the names of the workspace's tags.
func (o *organization) tagNames(w *workspace) []string {
	names := []string{}
	for _, id := range w.Tags {
		if t := o.tag(func(t *tag) bool { return t.ID == id }); t != nil {
			names = append(names, t.Name)
		}
	}
	return names
}

// tagIDs finds the tags. Unknown names are added when they may be. The caller holds the lock.
func (o *organization) tagIDs(refs []tagRef, add bool) ([]string, error) {
	var ids []string
	for _, r := range refs {
		name := r.Attributes.Name
		t := o.tag(func(t *tag) bool { return t.ID == r.ID || name != "" && t.Name == name })
		switch {
		case t == nil && add && name != "":
			t = &tag{ID: newID("tag"), Name: name}
			o.Tags = append(o.Tags, t)
		case t == nil && add:
			return nil, notFound()
		case t == nil:
			continue // the real server does not complain either
		}
		ids = append(ids, t.ID)
	}
	return ids, nil
}

// tagInput reads the relationship tags of a request about a workspace.
func (in body[A]) tags() ([]tagRef, error) {
	raw, given := in.relationships["tags"]
	if !given {
		return nil, nil
	}
	var relationship struct {
		Data []tagRef `json:"data"`
	}
	if err := json.Unmarshal(raw, &relationship); err != nil {
		return nil, malformed("relationships.tags")
	}
	return relationship.Data, nil
}

// changeTags serves workspaces/:id/relationships/tags: POST adds, DELETE removes.
func (s *Server) changeTags(c call) (reply, error) {
	var document struct {
		Data []tagRef `json:"data"`
	}
	if err := readDocument(c.Request, &document); err != nil {
		return reply{}, err
	}
	return noContent(), s.write("tags changed", func() error {
		o, w, err := s.workspaceOf(c)
		if err != nil {
			return err
		}
		ids, err := o.tagIDs(document.Data, c.Method == "POST")
		if err == nil {
			w.Tags = merge(c.Method, w.Tags, ids)
		}
		return err
	})
}

// listTags serves the tags of a workspace, or of an organization: those whose name has
// q in it, and which filter[exclude][taggable][id] does not have.
func (s *Server) listTags(c call) (reply, error) {
	p, q := s.pager(c.Request), c.URL.Query()
	var document list
	err := s.read(func() error {
		of := func(*tag) bool { return true }
		var o *organization
		var err error
		if c.PathValue("workspace") != "" {
			var w *workspace
			o, w, err = s.workspaceOf(c)
			of = func(t *tag) bool { return slices.Contains(w.Tags, t.ID) }
		} else if o, err = s.organization(c.actor, c.PathValue("organization"), seeOrganization); err == nil {
			if w := s.index.spaces[q.Get("filter[exclude][taggable][id]")]; w != nil {
				of = func(t *tag) bool { return !slices.Contains(w.Tags, t.ID) }
			}
		}
		if err != nil {
			return err
		}
		found := slices.DeleteFunc(slices.Clone(o.Tags), func(t *tag) bool { return !of(t) || !containsFold(t.Name, q.Get("q")) })
		document = page(p, found, o.renderTag)
		return nil
	})
	return ok(document), err
}

// deleteTags removes tags from an organization and its workspaces.
func (s *Server) deleteTags(c call) (reply, error) {
	var document struct {
		Data []ref `json:"data"`
	}
	if err := readDocument(c.Request, &document); err != nil {
		return reply{}, err
	}
	return noContent(), s.write("tags deleted", func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), manageWorkspaces)
		if err != nil {
			return err
		}
		gone := func(id string) bool {
			return slices.ContainsFunc(document.Data, func(r ref) bool { return r.ID == id })
		}
		o.Tags = slices.DeleteFunc(o.Tags, func(t *tag) bool { return gone(t.ID) })
		for _, w := range o.Workspaces {
			w.Tags = slices.DeleteFunc(slices.Clone(w.Tags), gone)
		}
		return nil
	})
}

// tagWorkspaces adds a tag to workspaces.
func (s *Server) tagWorkspaces(c call) (reply, error) {
	var document struct {
		Data []ref `json:"data"`
	}
	if err := readDocument(c.Request, &document); err != nil {
		return reply{}, err
	}
	return noContent(), s.write("tag added", func() error {
		id := c.PathValue("tag")
		for _, o := range s.state.Organizations {
			if o.tag(func(t *tag) bool { return t.ID == id }) == nil || c.actor.allowed(o, manageWorkspaces) != nil {
				continue
			}
			ids, err := o.checked("workspaces", document.Data)
			if err != nil {
				return err
			}
			for _, w := range ids {
				w := s.index.spaces[w]
				w.Tags = merge("POST", w.Tags, []string{id})
			}
			return nil
		}
		return notFound()
	})
}
