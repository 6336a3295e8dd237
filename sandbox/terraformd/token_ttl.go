package terraformd

import (
	"slices"
	"strings"
	"time"
)

// defaultTTL is the maximum that a policy has which nobody has set: two years, as
// go-tfe's tests know it.
const defaultTTL = 63113904000

type tokenTTLAttributes struct {
	TokenType string    `json:"token-type"`
	MaxTTL    int64     `json:"max-ttl-ms"`
	CreatedAt time.Time `json:"created-at"`
	UpdatedAt time.Time `json:"updated-at"`
}

// renderTTLs shows the policies of an organization. The OpenAPI document also knows
// metrics tokens, which go-tfe's tests do not have.
func renderTTLs(o *organization) list {
	var found []resource
	for _, kind := range tokenKinds() {
		limit, limited := o.TokenTTLs[kind]
		if !limited {
			limit = defaultTTL
		}
		id := "ttlp-" + kind + "-" + strings.TrimPrefix(o.ID, "org-") // Doubt: the form of the id
		found = append(found, resource{
			ID: id, Type: "organization-token-ttl-policies",
			Attributes: tokenTTLAttributes{TokenType: kind, MaxTTL: limit, CreatedAt: o.CreatedAt, UpdatedAt: o.CreatedAt},
		})
	}
	return list{Data: found}
}

func tokenKinds() []string { return []string{organizationToken, teamToken, userToken, auditToken} }

func (s *Server) listTokenTTLs(c call) (reply, error) {
	if !s.tokensEnd() {
		return reply{}, notFound()
	}
	var document list
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), ownOrganization)
		if err == nil {
			document = renderTTLs(o)
		}
		return err
	})
	return ok(document), err
}

type tokenTTLInput struct {
	Policies optional[[]struct {
		TokenType string `json:"token-type"`
		MaxTTL    int64  `json:"max-ttl-ms"`
	}] `json:"token-ttl-policies"`
}

// updateTokenTTLs sets the maximum life of tokens by kind. Tokens that live longer stop
// working (documented for Terraform Enterprise 2.0).
func (s *Server) updateTokenTTLs(c call) (reply, error) {
	if !s.tokensEnd() {
		return reply{}, notFound()
	}
	in, err := readBody[tokenTTLInput](s, c.Request, "organization-token-ttl-policies", nil)
	if err != nil {
		return reply{}, err
	}
	var document list
	err = s.write("token policies updated", func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), ownOrganization)
		if err != nil {
			return err
		}
		for _, policy := range in.attributes.Policies.or(nil) {
			if !slices.Contains(tokenKinds(), policy.TokenType) || policy.MaxTTL <= 0 {
				return invalid("token-ttl-policies", "Token type or maximum is not valid") // Doubt: the text
			}
		}
		if o.TokenTTLs == nil {
			o.TokenTTLs = map[string]int64{}
		}
		for _, policy := range in.attributes.Policies.or(nil) {
			o.TokenTTLs[policy.TokenType] = policy.MaxTTL
		}
		document = renderTTLs(o)
		return nil
	})
	return ok(document), err
}
