package plan

import (
	"slices"

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

// renamed recognizes the service user under the name that Terraform still shows.
func (d *differ) renamed() {
	d.have.User = WithFormer(d.have.User, d.have.Record, d.token())
	if name := d.have.User.Former; name != "" {
		d.out.UserNames = append(slices.Clone(d.out.UserNames), name)
		d.note(d.want.Where("service_user"), "Terraform shows the OAuth token as authorized by %s: that is the Bitbucket account %s before it was renamed, and nobody has to authorize again", name, d.want.ServiceUser)
	}
}
