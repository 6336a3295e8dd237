package terraformd

import (
	"context"
	"errors"
	"time"
)

// The states of a configuration version that the sandbox knows.
const (
	statusFetching = "fetching"
	statusUploaded = "uploaded"
	statusErrored  = "errored"
)

const (
	versionsKept = 20
	fetchTimeout = time.Minute
	fetchers     = 4 // at a time
)

// fetch starts a configuration version: the repository is cloned in the
// background, as the real server does, and how it went is told there.
func (s *Server) fetch(o *organization, w *workspace) {
	v := &configuration{ID: newID("cv"), Status: statusFetching, StartedAt: s.now()}
	var r repo
	err := s.write("configuration version created", func() error {
		if w.Repo == nil || s.index.spaces[w.ID] != w {
			return errors.New("the workspace has no repository any more")
		}
		r = *w.Repo
		v.Branch, v.CloneURL = r.Branch, r.CloneURL
		w.Versions = append(w.Versions, v)
		s.index.owner[v.ID], s.index.spaces[v.ID] = o, w
		if len(w.Versions) > versionsKept {
			delete(s.index.owner, w.Versions[0].ID)
			delete(s.index.spaces, w.Versions[0].ID)
			w.Versions = w.Versions[1:]
		}
		return nil
	})
	if err != nil {
		return
	}
	s.background.Go(func() { s.finish(o, v, r) })
}

// finish clones and writes down the outcome.
func (s *Server) finish(o *organization, v *configuration, r repo) {
	select {
	case s.fetching <- struct{}{}:
		defer func() { <-s.fetching }()
	case <-s.ctx.Done():
	}
	ctx, cancel := context.WithTimeout(s.ctx, fetchTimeout)
	defer cancel()
	conn, err := s.connection(o, r.Token, "")
	commit := ""
	if err == nil {
		commit, err = s.clone(ctx, conn, r)
	}
	if err != nil {
		s.event(conn, "cloning repository "+r.Identifier+": "+err.Error())
	}
	_ = s.write("configuration version "+r.Identifier, func() error {
		v.Commit, v.EndedAt, v.Status = commit, s.now(), statusUploaded
		if err != nil {
			v.Status, v.Error, v.Message = statusErrored, "ingress_failed", err.Error()
		}
		return nil
	})
}
