package plan

import (
	"github.com/bbsync/bbsync/internal/names"
)

// WithFormer returns the user with the name under which Terraform shows its token,
// where the account was renamed after somebody had authorized: this very token was
// seen to be the account's, under this name. Nobody has to authorize again.
func WithFormer(user *User, r *Record, token *Token) *User {
	if user == nil || r == nil || r.Authorized == nil || token == nil || user.Is(token.User) {
		return user
	}
	a := r.Authorized
	if a.Account == 0 || a.Account != user.ID || a.Token != token.ID || !names.SameUser(a.User, token.User) {
		return user
	}
	renamed := *user
	renamed.Former = token.User
	return &renamed
}

// formerName tells of a service user that Terraform still shows under another name.
func (g *guard) formerName() {
	if name := g.User.Former; name != "" {
		g.note(g.want.Where("service_user"), "Terraform shows the OAuth token as authorized by %s: that is the Bitbucket account %s before it was renamed, and nobody has to authorize again", name, g.want.ServiceUser)
	}
}

// spelling notes how Terraform spells the organization, where the configuration
// spells it otherwise.
func (g *guard) spelling() {
	for _, c := range g.Clients {
		if c.Organization != "" && c.Organization != g.want.Organization && names.SameOrganization(c.Organization, g.want.Organization) {
			g.note(g.want.Where("organization"), "Terraform spells the organization %q; the configuration says %q, which is the same organization", c.Organization, g.want.Organization)
			return
		}
	}
}
