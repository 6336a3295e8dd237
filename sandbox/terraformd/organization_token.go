package terraformd

import "slices"

// organizationTokenKind is the kind that a request is about. An audit trail token is
// HCP Terraform's alone; Terraform Enterprise ignores the parameter.
func (s *Server) organizationTokenKind(c call) string {
	if s.IsCloud() && c.URL.Query().Get("token") == "audit-trails" {
		return auditToken
	}
	return organizationToken
}

// token is the organization's one token of a kind, nil if it has none.
func (o *organization) token(kind string) *apiToken {
	if i := slices.IndexFunc(o.Tokens, func(t *apiToken) bool { return t.Kind == kind }); i >= 0 {
		return o.Tokens[i]
	}
	return nil
}

// ownedForTokens finds the organization whose token a request is about. Audit trails
// are an entitlement. The caller holds the lock.
func (s *Server) ownedForTokens(c call) (*organization, error) {
	o, err := s.organization(c.actor, c.PathValue("organization"), ownOrganization)
	if err == nil && s.organizationTokenKind(c) == auditToken && !s.entitlements(o).AuditLogging {
		err = notFound()
	}
	return o, err
}

// createOrganizationToken makes the organization's token, replacing the one it had.
func (s *Server) createOrganizationToken(c call) (reply, error) {
	in, err := readTokenInput(s, c)
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("organization token created", func() error {
		o, err := s.ownedForTokens(c)
		if err != nil {
			return err
		}
		made, err := s.newToken(c, s.organizationTokenKind(c), in)
		if err != nil {
			return err
		}
		s.dropOrganizationToken(o, made.Kind)
		o.Tokens = append(o.Tokens, made)
		s.index.addAPIToken(actor{organization: o, token: made})
		document.Data = made.render(actor{organization: o}, new(made.Text.Reveal()))
		return nil
	})
	return created(document), err
}

// dropOrganizationToken removes a token and reports whether there was one.
func (s *Server) dropOrganizationToken(o *organization, kind string) bool {
	old := o.token(kind)
	if old == nil {
		return false
	}
	s.index.dropAPIToken(old)
	actor{organization: o, token: old}.remove()
	return true
}

func (s *Server) readOrganizationToken(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		o, err := s.ownedForTokens(c)
		if err != nil {
			return err
		}
		found := o.token(s.organizationTokenKind(c))
		if found == nil {
			return notFound()
		}
		document.Data = found.render(actor{organization: o}, nil)
		return nil
	})
	return ok(document), err
}

func (s *Server) deleteOrganizationToken(c call) (reply, error) {
	return noContent(), s.write("organization token deleted", func() error {
		o, err := s.ownedForTokens(c)
		if err != nil {
			return err
		}
		if !s.dropOrganizationToken(o, s.organizationTokenKind(c)) {
			return notFound()
		}
		return nil
	})
}
