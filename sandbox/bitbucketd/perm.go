package bitbucketd

import "strings"

// Permission is a permission's name on the wire.
type Permission string

// The permissions. Of one scope, each implies the ones before it.
const (
	LicensedUser  Permission = "LICENSED_USER"
	ProjectCreate Permission = "PROJECT_CREATE"
	Admin         Permission = "ADMIN"
	SysAdmin      Permission = "SYS_ADMIN"

	ProjectRead  Permission = "PROJECT_READ"
	ProjectWrite Permission = "PROJECT_WRITE"
	ProjectAdmin Permission = "PROJECT_ADMIN"

	RepoRead  Permission = "REPO_READ"
	RepoWrite Permission = "REPO_WRITE"
	RepoAdmin Permission = "REPO_ADMIN"
)

// scope is what a permission is granted on.
type scope int

const (
	noScope scope = iota
	globalScope
	projectScope
	repoScope
)

// split returns the permission's scope and its rank in it, from 1. An unknown
// permission has rank 0.
func (p Permission) split() (scope, int) {
	switch p {
	case LicensedUser:
		return globalScope, 1
	case ProjectCreate:
		return globalScope, 2
	case Admin:
		return globalScope, 3
	case SysAdmin:
		return globalScope, 4
	case ProjectRead:
		return projectScope, 1
	case ProjectWrite:
		return projectScope, 2
	case ProjectAdmin:
		return projectScope, 3
	case RepoRead:
		return repoScope, 1
	case RepoWrite:
		return repoScope, 2
	case RepoAdmin:
		return repoScope, 3
	}
	return noScope, 0
}

func (p Permission) rank() int {
	_, rank := p.split()
	return rank
}

// of returns the highest rank that the grants give to the user, directly or by a group.
func (g Grants) of(st *State, u *User) int {
	name := strings.ToLower(u.Name)
	rank := g.Users[name].rank()
	for group, p := range g.Groups {
		if have := st.Groups[group]; have != nil && have.Members[name] {
			rank = max(rank, p.rank())
		}
	}
	return rank
}

// globalRank is 0 for a user who may not use Bitbucket at all.
func (st *State) globalRank(u *User) int {
	if u == nil || u.Inactive {
		return 0
	}
	return st.Global.of(st, u)
}

// projectRank is the user's effective rank: global administrators, groups, the
// owner of a personal project, the project's default and public access included.
func (st *State) projectRank(u *User, p *Project) int {
	public := 0
	if p.Public {
		public = ProjectRead.rank()
	}
	switch global := st.globalRank(u); {
	case global == 0:
		if u == nil && st.Settings.Public {
			return public
		}
		return 0
	case global >= Admin.rank() || p.Owner == strings.ToLower(u.Name):
		return ProjectAdmin.rank()
	}
	return max(public, p.Default.rank(), p.Grants.of(st, u))
}

// repoRank is the user's effective rank, with what the project gives.
func (st *State) repoRank(u *User, p *Project, r *Repo) int {
	rank := st.projectRank(u, p)
	if r.Public && (u != nil || st.Settings.Public) {
		rank = max(rank, RepoRead.rank())
	}
	if st.globalRank(u) == 0 {
		return rank
	}
	return max(rank, r.Grants.of(st, u))
}

// seesProject reports whether the user may know of the project: with a permission
// on it, or on one repository of it.
func (st *State) seesProject(u *User, p *Project) bool {
	if st.projectRank(u, p) > 0 {
		return true
	}
	for _, r := range p.Repos {
		if st.repoRank(u, p, r) > 0 {
			return true
		}
	}
	return false
}
