package names

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The vendors' rules. Project keys: Javadoc of Bitbucket's Project, 6.8 to 9.6.
// Slugs of repositories: of letters, digits, dots, hyphens and underscores, from
// the rule for names; the vendor's pattern for slugs themselves is not published.
// Organizations: the documentation of Terraform's API.
var (
	projectKey     = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9_-]*|~[A-Za-z0-9._-]+)$`)
	repositorySlug = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	organization   = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

const (
	maxKey  = 128 // of projects and repositories
	maxUser = 255 // as Bitbucket's user directories store names
)

// IsProject reports whether a text can be the key of a Bitbucket project, or of
// a personal one (~user).
func IsProject(key string) bool { return len(key) <= maxKey && projectKey.MatchString(key) }

// IsRepository reports whether a text can be the slug of a Bitbucket repository.
func IsRepository(slug string) bool {
	return len(slug) <= maxKey && repositorySlug.MatchString(slug) && slug != "." && slug != ".."
}

// IsUser reports whether a text can be a Bitbucket username. User directories
// allow nearly everything: dots, @, spaces inside.
func IsUser(name string) bool {
	return name != "" && utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxUser &&
		strings.TrimSpace(name) == name && !strings.ContainsFunc(name, unicode.IsControl)
}

// IsOrganization reports whether a text can be the name of a Terraform
// organization. It does not judge the length: the bounds differ between releases.
func IsOrganization(name string) bool { return organization.MatchString(name) }
