package terraformd

import (
	"slices"
	"time"
)

type versionAttributes struct {
	AutoQueueRuns    bool              `json:"auto-queue-runs"`
	Error            *string           `json:"error"`
	ErrorMessage     *string           `json:"error-message"`
	Source           string            `json:"source"`
	Speculative      bool              `json:"speculative"`
	Status           string            `json:"status"`
	StatusTimestamps map[string]string `json:"status-timestamps"`
}

type ingressAttributes struct {
	Branch     string `json:"branch"`
	CloneURL   string `json:"clone-url"`
	CommitSHA  string `json:"commit-sha"`
	Identifier string `json:"identifier"`
}

// renderVersion shows a configuration version. That a failed clone shows here,
// with which words, is inferred; that it does not show at the workspace's creation
// is documented for a missing SSH key.
func renderVersion(v *configuration) resource {
	attributes := versionAttributes{
		Error: orNull(v.Error), ErrorMessage: orNull(v.Message), Source: "bitbucket", Status: v.Status,
		StatusTimestamps: map[string]string{"fetching-at": v.StartedAt.Format(time.RFC3339)},
	}
	if v.Status == statusUploaded {
		attributes.StatusTimestamps["uploaded-at"] = v.EndedAt.Format(time.RFC3339)
	}
	path := "/api/v2/configuration-versions/" + v.ID
	return resource{
		ID: v.ID, Type: "configuration-versions", Attributes: attributes,
		Relationships: map[string]relation{
			"ingress-attributes": toOne("ingress-attributes", ingressID(v)).linked(path + "/ingress-attributes"),
		},
		Links: map[string]string{"self": path},
	}
}

func ingressID(v *configuration) string {
	if v.Commit == "" {
		return ""
	}
	return "ia-" + v.ID[len("cv-"):]
}

func renderIngress(v *configuration, identifier string) resource {
	return resource{
		ID: ingressID(v), Type: "ingress-attributes",
		Attributes: ingressAttributes{Branch: v.Branch, CloneURL: v.CloneURL, CommitSHA: v.Commit, Identifier: identifier},
	}
}

func (w *workspace) identifier() string {
	if w.Repo == nil {
		return ""
	}
	return w.Repo.Identifier
}

func (s *Server) listVersions(c call) (reply, error) {
	p := s.pager(c.Request)
	var document list
	err := s.read(func() error {
		_, w, err := s.workspaceOf(c)
		if err != nil {
			return err
		}
		newest := slices.Clone(w.Versions)
		slices.Reverse(newest)
		document = page(p, newest, renderVersion)
		return nil
	})
	return ok(document), err
}

// versionOf finds a configuration version and its workspace. The caller holds the
// lock.
func (s *Server) versionOf(c call) (*workspace, *configuration, error) {
	id := c.PathValue("version")
	if _, err := s.ownerOf(c.actor, id, manageWorkspaces); err != nil {
		return nil, nil, err
	}
	w := s.index.spaces[id]
	if w == nil {
		return nil, nil, notFound()
	}
	for _, v := range w.Versions {
		if v.ID == id {
			return w, v, nil
		}
	}
	return nil, nil, notFound()
}

func (s *Server) readVersion(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		w, v, err := s.versionOf(c)
		if err != nil {
			return err
		}
		document.Data = renderVersion(v)
		if c.URL.Query().Get("include") == "ingress_attributes" && v.Commit != "" {
			document.Included = []resource{renderIngress(v, w.identifier())}
		}
		return nil
	})
	return ok(document), err
}

func (s *Server) readIngress(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		w, v, err := s.versionOf(c)
		if err == nil && v.Commit == "" {
			err = notFound()
		}
		if err == nil {
			document.Data = renderIngress(v, w.identifier())
		}
		return err
	})
	return ok(document), err
}
