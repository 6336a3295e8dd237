// Package names compares names the way the systems compare them. It has one
// pair of functions per kind of name: the Key function returns the form that
// maps and sorting use, the Same function compares two spellings. Comparing
// such names with == is an error anywhere else, and a test looks for it.
package names

import "strings"

// OrganizationKey returns the form of a Terraform organization's name that all
// spellings share: Terraform ignores case
// (terraform-provider-tfe issues 299 and 2038).
func OrganizationKey(name string) string { return strings.ToLower(name) }

// SameOrganization reports whether two names are of one Terraform organization.
func SameOrganization(a, b string) bool { return OrganizationKey(a) == OrganizationKey(b) }

// UserKey returns the form of a Bitbucket username or user slug that all
// spellings share: Bitbucket ignores case when somebody logs in and in every
// lookup by name.
func UserKey(name string) string { return strings.ToLower(name) }

// SameUser reports whether two usernames are of one Bitbucket user.
func SameUser(a, b string) bool { return UserKey(a) == UserKey(b) }

// ProjectKey returns a Bitbucket project's key as Bitbucket stores it: upper
// case, and a personal project's (~user) as the user's slug, lower case.
func ProjectKey(key string) string {
	if strings.HasPrefix(key, "~") {
		return strings.ToLower(key)
	}
	return strings.ToUpper(key)
}

// SameProject reports whether two keys are of one Bitbucket project.
func SameProject(a, b string) bool { return ProjectKey(a) == ProjectKey(b) }

// RepositoryKey returns a Bitbucket repository's slug as Bitbucket stores it.
// Of PROJECT/slug it returns both as Bitbucket stores them.
func RepositoryKey(name string) string {
	project, slug, both := strings.Cut(name, "/")
	if !both {
		return strings.ToLower(name)
	}
	return ProjectKey(project) + "/" + strings.ToLower(slug)
}

// SameRepository reports whether two names, each a slug or PROJECT/slug, are of
// one repository.
func SameRepository(a, b string) bool { return RepositoryKey(a) == RepositoryKey(b) }
