package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/bbsync/bbsync/internal/names"
)

// Defaults and bounds of a connection.
const (
	DefaultKeyBits = 3072
	MinKeyBits     = 2048
	MaxKeyBits     = 8192
	DefaultOverlap = 24 * time.Hour
)

// A connectionBlock is what the checks of moved and removed need to know of a
// block.
type connectionBlock struct {
	n         *node
	forEach   bool
	instances []string        // keys, in order
	keys      map[string]bool // the same, made when first asked for
}

func (l *loader) connections() {
	for _, n := range l.top["connection"] {
		block := &connectionBlock{n: n, forEach: n.args["for_each"] != nil}
		l.blocks[n.label()] = block
		for _, in := range l.instances(n) {
			c := l.connection(n, in)
			block.instances = append(block.instances, in.key)
			l.fleet.Connections = append(l.fleet.Connections, c)
		}
	}
}

func (l *loader) connection(n *node, in instance) *Connection {
	v := l.view(n, in.ctx)
	if in.keyed {
		v.in = in.address
	}
	c := &Connection{
		Address: in.address, Block: n.label(), Key: in.key, Range: n.at(), written: n,
		Terraform:       refer(v, "terraform", "terraform", l.terraforms),
		Organization:    v.organization(),
		Bitbucket:       refer(v, "bitbucket", "bitbucket", l.bitbuckets),
		ServiceUser:     v.serviceUser(),
		AgentPool:       v.text("agent_pool"),
		ServiceProvider: v.serviceProvider(),
		Protect:         v.boolean("protect", false),
		Adopt:           v.boolean("adopt", false),
	}
	v.nested(c)
	v.names(c)
	v.scope(c)
	if len(v.broken) > 0 {
		l.broken[c] = v.broken
	}
	return c
}

// refer resolves the reference to a terraform or bitbucket block that an
// attribute holds.
func refer[T any](v view, attr, kind string, systems map[string]*T) *T {
	val, ok := v.value(attr)
	if !ok {
		if v.n.args[attr] != nil && !v.broken[v.prefix+attr] {
			v.fail(attr, ruleReference, "Empty "+attr, fmt.Sprintf("%s needs %s, and here it is null.", v.n.title(), attr), "")
		}
		v.broken[v.prefix+attr] = true
		return nil
	}
	if val.Type().IsObjectType() && val.Type().HasAttribute("kind") && val.Type().HasAttribute("label") {
		if have := val.GetAttr("kind"); have.Type() == cty.String && have.AsString() == kind {
			if s := systems[val.GetAttr("label").AsString()]; s != nil {
				return s
			}
		}
	}
	names := slices.Sorted(maps.Keys(systems))
	hint := fmt.Sprintf("write %s.name, without quotes", kind)
	if len(names) > 0 {
		hint = fmt.Sprintf("write %s.%s, without quotes; a label that is in data: %s[each.value.site]", kind, names[0], kind)
	}
	v.fail(attr, ruleReference, "Not a reference to a "+kind+" block",
		fmt.Sprintf("%s takes a reference, this is %s.", attr, typeName(val.Type())), hint)
	return nil
}

func (v view) organization() string {
	s := v.need("organization")
	if s != "" && !names.IsOrganization(s) {
		v.fail("organization", ruleOrganization, "Not an organization name",
			fmt.Sprintf("%s is not the name of an organization: letters, digits, - and _.", shown(s)), "it is the name in the organization's URL, .../app/<name>")
	}
	return s
}

func (v view) serviceUser() string {
	s := v.need("service_user")
	if s != "" && !names.IsUser(s) {
		v.fail("service_user", ruleServiceUser, "Not a username",
			fmt.Sprintf("%s is not a Bitbucket username: at most 255 characters, no control characters, no space at its ends.", shown(s)), "it is the name the user logs in with")
	}
	return s
}

func (v view) nested(c *Connection) {
	c.SSHKey = SSHKey{Bits: DefaultKeyBits, Overlap: DefaultOverlap}
	c.Consumer.Bits = DefaultKeyBits
	c.Maintenance = v.l.window
	for _, kid := range v.n.kids {
		k := v.of(kid)
		switch kid.block.Type {
		case "ssh_key":
			c.SSHKey = k.sshKey()
		case "consumer":
			c.Consumer = k.consumer()
		case "application_link":
			c.Link = k.link(c)
		case "grant":
			k.broken = map[string]bool{} // there may be several of them
			c.Grants = append(c.Grants, k.grants()...)
		case "relocate":
			c.Relocate = k.relocate(c)
		case "token":
			ref := k.secret()
			c.Token = &ref
		case "maintenance":
			c.Maintenance = k.maintenance()
		}
	}
	if v.n.one("application_link") == nil {
		c.Link = v.link(c)
	}
}

// link resolves the link's URL; it may be called on the connection's own view
// when there is no block for it.
func (v view) link(c *Connection) ApplicationLink {
	const attr = "url"
	link := ApplicationLink{}
	blocked := v.n.block.Type == "application_link"
	choice := "organization"
	if blocked {
		link.Name = v.text("name")
		if s := v.text(attr); s != "" {
			choice = s
		}
	}
	if link.Name == "" {
		link.Name = fmt.Sprintf("Terraform Cloud (%s)", c.Organization)
	}
	address := ""
	if c.Terraform != nil {
		address = c.Terraform.Address
	}
	switch {
	case choice == "organization":
		link.URL = address + "/app/" + names.OrganizationKey(c.Organization)
	case choice == "main":
		link.URL = address
	case strings.Contains(choice, "://"):
		link.URL = v.url(attr)
	default:
		hint := nearest(choice, []string{"organization", "main"})
		v.fail(attr, ruleURL, "Not a usable URL",
			fmt.Sprintf(`%s is neither "organization", "main" nor a URL.`, shown(choice)), hint)
	}
	return link
}

// names fills in what is named after other things when it is left out. The
// record's path and the link's URL have the organization in lower case, so that
// another spelling of it is the same connection.
func (v view) names(c *Connection) {
	bitbucket, terraform := "", ""
	if c.Bitbucket != nil {
		bitbucket = c.Bitbucket.URL
	}
	if c.Terraform != nil {
		terraform = c.Terraform.Address
	}
	if c.Name = v.text("name"); c.Name == "" {
		_, host, _ := strings.Cut(bitbucket, "://")
		c.Name = fmt.Sprintf("Bitbucket (%s)", host)
	}
	if c.Consumer.Name == "" {
		c.Consumer.Name = c.Link.Name
	}
	c.Record = v.path("record", strings.Join([]string{v.l.fleet.Name, hostOf(terraform), names.OrganizationKey(c.Organization), hostOf(bitbucket)}, "/"))
}

func (v view) scope(c *Connection) {
	c.Projects = v.texts("projects")
	c.OrganizationScoped = v.boolean("organization_scoped", len(c.Projects) == 0)
	_, said := v.value("organization_scoped")
	switch written := v.n.args["organization_scoped"] != nil; {
	case c.Projects != nil && len(c.Projects) == 0 && !said:
		v.fail("projects", ruleProjects, "An empty list of projects",
			"The client would be for the whole organization because no project is left.",
			"for the whole organization leave projects out, or make it null; for nobody write organization_scoped = false")
	case c.OrganizationScoped && len(c.Projects) > 0:
		v.fail("projects", ruleProjects, "projects without effect",
			"The client is for the whole organization, so that a list of projects says nothing.", "leave organization_scoped out, or make it false")
	case !c.OrganizationScoped && len(c.Projects) == 0 && written && !v.broken["projects"]:
		v.warn("organization_scoped", ruleProjects, "A client for nobody",
			"The client is neither for the whole organization nor for any project.", `add projects = ["..."]`)
	}
	seen := map[string]bool{}
	for _, p := range c.Projects {
		if p == "" || seen[p] {
			v.fail("projects", ruleProjects, "projects repeats a name",
				fmt.Sprintf("%s is empty or listed twice.", shown(p)), "")
		}
		seen[p] = true
	}
}
