package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
)

var notSlug = regexp.MustCompile(`[^a-z0-9._-]+`)

// Permissions of Bitbucket, from the least to the most.
func projectPermissions() []string {
	return []string{"PROJECT_READ", "PROJECT_WRITE", "PROJECT_ADMIN"}
}

func repositoryPermissions() []string {
	return []string{"REPO_READ", "REPO_WRITE", "REPO_ADMIN"}
}

// grants reads a grant block: one grant for the project, or one for each
// repository. An empty list of repositories grants nothing; leaving the list
// out, and only that, grants the project.
func (v view) grants() []Grant {
	project, repositories, whole, ok := v.granted()
	if !ok {
		return nil
	}
	permission := v.permission(whole)
	if permission == "" {
		return nil
	}
	if whole {
		return []Grant{{Project: project, Permission: permission, Range: v.n.at()}}
	}
	var out []Grant
	for _, r := range repositories {
		key, slug, ok := v.repository(project, r)
		if ok {
			out = append(out, Grant{Project: key, Repository: slug, Permission: permission, Range: v.n.at()})
		}
	}
	return out
}

// granted returns what the block names; ok is false when that was reported.
func (v view) granted() (project string, repositories []string, whole, ok bool) {
	if v.n.args["repository"] != nil && v.n.args["repositories"] != nil {
		v.fail("repository", ruleGrant, "repository and repositories", "A grant takes one of repository and repositories.", "")
		return "", nil, false, false
	}
	for _, name := range []string{"repository", "repositories"} {
		if v.n.args[name] == nil {
			continue
		}
		if _, given := v.value(name); !given {
			if !v.broken[v.prefix+name] {
				// Taken for left out, a null would grant the whole project.
				v.fail(name, ruleGrant, "Null in a grant", name+" is null.", "for nothing give an empty list; for the whole project leave the attribute out")
			}
			return "", nil, false, false
		}
	}
	switch {
	case v.n.args["repositories"] != nil:
		repositories = v.texts("repositories")
	case v.n.args["repository"] != nil:
		repositories = []string{v.text("repository")}
	default:
		whole = true
	}
	if v.broken[v.prefix+"repositories"] {
		return "", nil, false, false
	}
	project, ok = v.project(whole)
	return project, repositories, whole, ok
}

func (v view) project(needed bool) (string, bool) {
	s := v.text("project")
	if v.broken[v.prefix+"project"] {
		return "", false
	}
	if s == "" {
		if needed {
			v.fail("project", ruleGrant, "A grant on nothing", "The grant names neither a project nor repositories.", `project = "KEY" for the whole project, with repositories = ["slug"] for some`)
		}
		return "", !needed
	}
	if !names.IsProject(s) {
		v.fail("project", ruleGrant, "Not a project key",
			fmt.Sprintf("%s is not the key of a project: a letter, then letters, digits, - and _, at most 128; or ~user for a personal one.", shown(s)), projectHint(s))
		return "", false
	}
	return names.ProjectKey(s), true
}

func projectHint(s string) string {
	if strings.Contains(s, "/") {
		return `write the project and the repository apart: project = "KEY", repositories = ["slug"]`
	}
	return "it is what stands in the URL after /projects/, not the project's name"
}

// repository reads a slug, or "KEY/slug" where the project is left out or the
// same.
func (v view) repository(project, given string) (key, slug string, ok bool) {
	attr := "repositories"
	if v.n.args[attr] == nil {
		attr = "repository"
	}
	key, slug = project, given
	if before, after, found := strings.Cut(given, "/"); found {
		key, slug = names.ProjectKey(before), after
		if project != "" && !names.SameProject(key, project) {
			v.fail(attr, ruleGrant, "A repository of another project",
				fmt.Sprintf("%s is not a repository of project %s.", shown(given), project), "give it a grant block of its own")
			return "", "", false
		}
	}
	slug = names.RepositoryKey(slug)
	switch {
	case key == "":
		v.fail(attr, ruleGrant, "A repository without project", fmt.Sprintf("The project of %s is not named.", shown(given)), `add project = "KEY", or write "KEY/slug"`)
	case !names.IsProject(key):
		v.fail(attr, ruleGrant, "Not a project key", fmt.Sprintf("%s does not begin with the key of a project.", shown(given)), `"KEY/slug"`)
	case !names.IsRepository(slug):
		v.fail(attr, ruleGrant, "Not a repository slug",
			fmt.Sprintf("%s is not a repository's slug: letters, digits, dots, - and _, at most 128.", shown(given)), slugHint(slug))
	default:
		return key, slug, true
	}
	return "", "", false
}

func slugHint(s string) string {
	slug := strings.Trim(notSlug.ReplaceAllString(s, "-"), "-")
	if slug == "" {
		return "it is what stands in the URL after /repos/"
	}
	return fmt.Sprintf("Bitbucket makes slugs from names, this one is probably %q; it is what stands in the URL after /repos/", slug)
}

// permission returns the permission; "" when it was reported.
func (v view) permission(whole bool) string {
	fitting, others := repositoryPermissions(), projectPermissions()
	what := "repositories"
	if whole {
		fitting, others = others, fitting
		what = "a project"
	}
	s := v.text("permission")
	switch {
	case v.broken[v.prefix+"permission"]:
		return ""
	case s == "":
		return fitting[len(fitting)-1]
	case slices.Contains(others, s):
		i := slices.Index(others, s)
		v.fail("permission", rulePermission, "A permission on something else",
			fmt.Sprintf("%s does not go with a grant on %s.", s, what), fmt.Sprintf("write %s, %s", fitting[i], wholeHint(whole)))
		return ""
	case !slices.Contains(fitting, s):
		hint := nearest(s, fitting)
		if hint == "" {
			hint = "known here: " + strings.Join(fitting, ", ")
		}
		v.fail("permission", rulePermission, "Unknown permission", fmt.Sprintf("%s is not a permission on %s.", shown(s), what), hint)
		return ""
	case s != fitting[len(fitting)-1]:
		v.warn("permission", ruleGrantNotEnough, "Not enough for Terraform",
			fmt.Sprintf("With %s Terraform can read, and cannot create the webhooks that start its runs.", s), "write "+fitting[len(fitting)-1])
	}
	return s
}

func wholeHint(whole bool) string {
	if whole {
		return "or name the repositories"
	}
	return "or leave the repositories out for the whole project"
}
