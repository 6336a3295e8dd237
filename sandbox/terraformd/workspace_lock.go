package terraformd

import (
	"net/http"
	"strings"
)

// lockWorkspace and unlockWorkspace serve …/actions/lock, /unlock and /force-unlock.
// A locked workspace is not deleted safely.
func (s *Server) lockWorkspace(c call) (reply, error) {
	return s.changeLock(c, func(w *workspace) error {
		if w.LockedBy != nil {
			return conflict("unable to lock workspace. The workspace is already locked.")
		}
		w.LockedBy = new(c.actor.ref())
		return nil
	})
}

func (s *Server) unlockWorkspace(c call) (reply, error) {
	return s.changeLock(c, func(w *workspace) error {
		switch {
		case w.LockedBy == nil:
			return conflict("Unable to unlock workspace. The workspace is not locked.")
		case *w.LockedBy != c.actor.ref() && !strings.HasSuffix(c.URL.Path, "/force-unlock"):
			return conflict("Unable to unlock workspace. The workspace is locked by " + map[string]string{"teams": "Team", "users": "User"}[w.LockedBy.Type] + ".") // Doubt: the text
		}
		w.LockedBy = nil
		return nil
	})
}

// conflict is a 409.
func conflict(detail string) *problem {
	return &problem{status: http.StatusConflict, title: "conflict", detail: detail}
}

func (s *Server) changeLock(c call, change func(*workspace) error) (reply, error) {
	base := s.address()
	var document one
	err := s.write("workspace lock changed", func() error {
		o, w, err := s.workspaceOf(c)
		if err != nil {
			return err
		}
		if err := change(w); err != nil {
			return err
		}
		document.Data = s.renderWorkspace(base, o, w)
		return nil
	})
	return ok(document), err
}
