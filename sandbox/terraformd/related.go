package terraformd

import (
	"net/http"
	"slices"
)

// related are the to-many relationships of a resource, by name: ids of workspaces or
// projects of its organization.
type related map[string][]string

// relationKinds tells by a relationship's name what belongs to it.
type relationKinds map[string]string

// knows reports whether the organization has a workspace or project of this id.
func (o *organization) knows(kind, id string) bool {
	if kind == "projects" {
		return o.project(id) != nil
	}
	return slices.ContainsFunc(o.Workspaces, func(w *workspace) bool { return w.ID == id })
}

// checked returns the ids of the references, all of which must be of the organization.
func (o *organization) checked(kind string, refs []ref) ([]string, error) {
	ids := []string{}
	for _, r := range refs {
		if r.Type != kind || !o.knows(kind, r.ID) {
			return nil, unprocessable("the provided " + kind + " do not exist or you are not authorized to use them") // Doubt: the text
		}
		ids = append(ids, r.ID)
	}
	return ids, nil
}

// relate returns the relationships with those of a request set. The caller holds the lock.
func relate[A any](o *organization, kinds relationKinds, have related, in body[A]) (related, error) {
	all := related{}
	for name, kind := range kinds {
		all[name] = have[name]
		refs, given, err := in.refs(name)
		if err != nil {
			return nil, err
		}
		if given {
			if all[name], err = o.checked(kind, refs); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// relations shows them, without what has been deleted.
func (o *organization) relations(kinds relationKinds, have related) map[string]relation {
	shown := map[string]relation{"organization": toOne("organizations", o.Name)}
	for name, kind := range kinds {
		shown[name] = toMany(kind, o.existing(kind, have[name])...)
	}
	return shown
}

func (o *organization) existing(kind string, ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !o.knows(kind, id) })
}

// changeRelated serves the paths …/relationships/NAME: POST adds, DELETE removes and
// PATCH replaces. find returns what the request is about, with the lock held.
func (s *Server) changeRelated(kinds relationKinds, find func(call) (*organization, *related, error)) endpoint {
	return func(c call) (reply, error) {
		name := c.PathValue("relationship")
		kind, known := kinds[name]
		if !known {
			return reply{}, notFound()
		}
		var document struct {
			Data []ref `json:"data"`
		}
		if err := readDocument(c.Request, &document); err != nil {
			return reply{}, err
		}
		return noContent(), s.write(name+" changed", func() error {
			o, have, err := find(c)
			if err != nil {
				return err
			}
			ids, err := o.checked(kind, document.Data)
			if err != nil {
				return err
			}
			if *have == nil {
				*have = related{}
			}
			(*have)[name] = merge(c.Method, (*have)[name], ids)
			return nil
		})
	}
}

func merge(method string, have, ids []string) []string {
	rest := slices.DeleteFunc(slices.Clone(have), func(id string) bool { return slices.Contains(ids, id) })
	switch method {
	case http.MethodPost:
		return append(rest, ids...)
	case http.MethodDelete:
		return rest
	}
	return ids
}
