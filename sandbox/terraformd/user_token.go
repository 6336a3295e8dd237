package terraformd

// ownUser finds the user that a request names, who must be the one who asks. The
// caller holds the lock.
func (s *Server) ownUser(c call) (*user, error) {
	if c.actor.user == nil || c.actor.user.ID != c.PathValue("user") {
		return nil, notFound()
	}
	return c.actor.user, nil
}

func (s *Server) listUserTokens(c call) (reply, error) {
	p := s.pager(c.Request)
	var document list
	err := s.read(func() error {
		u, err := s.ownUser(c)
		if err != nil {
			return err
		}
		document = pageOrAll(p, u.Tokens, func(t *apiToken) resource { return t.render(actor{user: u}, nil) })
		return nil
	})
	return ok(document), err
}

func (s *Server) createUserToken(c call) (reply, error) {
	in, err := readTokenInput(s, c)
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("user token created", func() error {
		u, err := s.ownUser(c)
		if err != nil {
			return err
		}
		made, err := s.newToken(c, userToken, in)
		if err != nil {
			return err
		}
		u.Tokens = append(u.Tokens, made)
		s.index.addAPIToken(actor{user: u, token: made})
		document.Data = made.render(actor{user: u}, new(made.Text.Reveal()))
		return nil
	})
	return created(document), err
}
