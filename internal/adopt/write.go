package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/bbsync/bbsync/internal/names"
)

// anyOrganization stands in texts for the organization's name while connections
// are compared: nobody writes so.
const anyOrganization = "⟪organization⟫"

// A Place is a match with the place that the files give it.
type Place struct {
	Match
	Address string
	shape   shape
}

// A shape is what a connection's block says, with the organization's name left
// open. Connections of one shape are written as one block.
type shape struct {
	terraform, bitbucket, user   string
	name, linkURL, linkName      string
	consumerName, pool, projects string
	scoped                       bool
	grants                       string
}

// Files returns the connections as HCL, alike ones in one block with for_each,
// and where each match is in it. taken are labels of blocks that are there.
func Files(matches []Match, taken []string) (text []byte, places []Place) {
	groups := map[shape][]Place{}
	var order []shape
	for _, m := range matches {
		s := shapeOf(m)
		if len(groups[s]) == 0 {
			order = append(order, s)
		}
		groups[s] = append(groups[s], Place{Match: m, shape: s})
	}
	f := hclwrite.NewEmptyFile()
	labels := labels{used: slices.Clone(taken)}
	for _, s := range order {
		members := groups[s]
		f.Body().AppendNewline()
		if len(members) == 1 {
			label := labels.next(members[0].Client.Organization)
			members[0].Address = "connection." + label
			block(f.Body(), label, members, s)
		} else {
			label := labels.next(s.bitbucket)
			for i := range members {
				members[i].Address = fmt.Sprintf("connection.%s[%q]", label, members[i].Client.Organization)
			}
			block(f.Body(), label, members, s)
		}
		places = append(places, members...)
	}
	return hclwrite.Format(f.Bytes()), places
}

func shapeOf(m Match) shape {
	org := m.Client.Organization
	open := func(text string) string { return strings.ReplaceAll(text, org, anyOrganization) }
	s := shape{
		terraform: m.Client.Terraform.Label, bitbucket: m.Bitbucket.Label, user: m.User.Name,
		name: open(m.Client.Name), linkName: open(m.Link.Name), consumerName: open(m.Link.Consumer.Name),
		pool: m.Client.Pool, projects: fmt.Sprintf("%q", m.Client.Projects),
		scoped: m.Client.OrganizationScoped == nil || *m.Client.OrganizationScoped,
	}
	switch address := m.Client.Terraform.Address; m.Link.URL {
	case address + "/app/" + names.OrganizationKey(org):
		s.linkURL = "organization"
	case address:
		s.linkURL = "main"
	default:
		s.linkURL = open(m.Link.URL)
	}
	if s.consumerName == s.linkName {
		s.consumerName = ""
	}
	s.grants = fmt.Sprintf("%#v", granted(m))
	return s
}

// block writes one block.
func block(body *hclwrite.Body, label string, members []Place, s shape) {
	c := body.AppendNewBlock("connection", []string{label}).Body()
	each := "each.value"
	if len(members) > 1 {
		var all []string
		for _, m := range members {
			all = append(all, m.Client.Organization)
		}
		slices.Sort(all)
		set(c, "for_each", "toset("+stringList(all)+")")
		set(c, "organization", each)
	} else {
		each = ""
		set(c, "organization", quoted(members[0].Client.Organization, ""))
	}
	org := members[0].Client.Organization
	text := func(value string) string {
		if each == "" {
			return quoted(strings.ReplaceAll(value, anyOrganization, org), "")
		}
		return quoted(value, each)
	}
	set(c, "terraform", "terraform."+s.terraform)
	set(c, "bitbucket", "bitbucket."+s.bitbucket)
	set(c, "service_user", quoted(s.user, ""))
	set(c, "name", text(s.name))
	if !s.scoped {
		set(c, "organization_scoped", "false")
	}
	if projects := members[0].Client.Projects; len(projects) > 0 {
		set(c, "projects", stringList(projects))
	}
	if s.pool != "" {
		set(c, "agent_pool", quoted(s.pool, ""))
	}
	l := c.AppendNewBlock("application_link", nil).Body()
	set(l, "url", text(s.linkURL))
	set(l, "name", text(s.linkName))
	if s.consumerName != "" {
		set(c.AppendNewBlock("consumer", nil).Body(), "name", text(s.consumerName))
	}
	grants(c, granted(members[0].Match))
}

// granted returns the repositories that the service user administers, of those
// that workspaces use.
func granted(m Match) []Use {
	return slices.DeleteFunc(slices.Clone(m.Client.Uses), func(u Use) bool { return !u.Admin })
}

// grants writes one grant block for each project.
func grants(c *hclwrite.Body, uses []Use) {
	byProject := map[string][]string{}
	var order []string
	for _, use := range uses {
		project := names.ProjectKey(use.Project)
		if byProject[project] == nil {
			order = append(order, project)
		}
		byProject[project] = append(byProject[project], use.Repository)
	}
	for _, project := range order {
		g := c.AppendNewBlock("grant", nil).Body()
		set(g, "project", quoted(project, ""))
		set(g, "repositories", stringList(byProject[project]))
		set(g, "permission", quoted("REPO_ADMIN", ""))
	}
}

func stringList(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = quoted(name, "")
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// set writes an attribute whose expression is given as it stands in a file.
func set(body *hclwrite.Body, name, expression string) {
	body.SetAttributeRaw(name, hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: []byte(expression)}})
}

// quoted returns a string as HCL, with each, if any, in place of the organization. ## is
// escaped, as the log of a pipeline takes ##[error] for a command.
func quoted(text, each string) string {
	out := string(hclwrite.TokensForValue(cty.StringVal(text)).Bytes())
	out = strings.ReplaceAll(out, "##", `\u0023#`)
	if each == "" {
		return out
	}
	return strings.ReplaceAll(out, anyOrganization, "${"+each+"}")
}

// labels gives blocks names that are not taken.
type labels struct{ used []string }

func (l *labels) next(name string) string {
	label := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, name)
	if label == "" || label[0] >= '0' && label[0] <= '9' || label[0] == '-' {
		label = "c_" + label
	}
	out := label
	for n := 2; slices.Contains(l.used, out); n++ {
		out = fmt.Sprintf("%s_%d", label, n)
	}
	l.used = append(l.used, out)
	return out
}
