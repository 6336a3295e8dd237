package plan

import "github.com/bbsync/bbsync/internal/names"

// Is compares what Terraform shows as the service provider's user with the user.
// Nothing documents which of a user's names it is; none shown is taken for it.
func (u *User) Is(shown string) bool {
	return shown == "" || names.SameUser(shown, u.Name) || names.SameUser(shown, u.Slug) || shown == u.DisplayName ||
		u.Former != "" && names.SameUser(shown, u.Former)
}
