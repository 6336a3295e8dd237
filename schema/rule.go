package schema

import "github.com/hashicorp/hcl/v2"

// A Rule is the stable name of one kind of mistake. Names are never reused, so
// that a pipeline may suppress or count by them.
type Rule string

// The rules, in the order of Rules.
const (
	ruleSyntax         Rule = "syntax"
	ruleFiles          Rule = "files"
	ruleUnknownName    Rule = "unknown-name"
	ruleMissing        Rule = "missing"
	ruleDuplicate      Rule = "duplicate"
	ruleLabel          Rule = "label"
	ruleExpression     Rule = "expression"
	ruleReference      Rule = "reference"
	ruleType           Rule = "type"
	ruleVariable       Rule = "variable"
	ruleLocals         Rule = "locals"
	ruleForEach        Rule = "for-each"
	ruleForEachEmpty   Rule = "for-each-empty"
	ruleSecret         Rule = "secret"
	ruleSecretRef      Rule = "secret-reference"
	ruleHeader         Rule = "header"
	ruleVersion        Rule = "required-version"
	ruleFleetName      Rule = "fleet-name"
	ruleURL            Rule = "url"
	ruleDuration       Rule = "duration"
	ruleMaintenance    Rule = "maintenance"
	ruleKey            Rule = "key"
	ruleHostKey        Rule = "host-key"
	ruleOrganization   Rule = "organization"
	ruleServiceUser    Rule = "service-user"
	ruleProvider       Rule = "service-provider"
	ruleProjects       Rule = "projects"
	ruleRange          Rule = "range"
	rulePath           Rule = "path"
	ruleGrant          Rule = "grant"
	rulePermission     Rule = "permission"
	ruleMoved          Rule = "moved"
	ruleRemoved        Rule = "removed"
	ruleMainURLTwice   Rule = "main-url-twice"
	ruleLinkURLTwice   Rule = "link-url-twice"
	ruleLinkNameTwice  Rule = "link-name-twice"
	ruleClientTwice    Rule = "client-name-twice"
	ruleRecordTwice    Rule = "record-twice"
	ruleConnectedTwice Rule = "connected-twice"
	ruleBitbucketTwice Rule = "bitbucket-twice"
	ruleGrantConflict  Rule = "grant-conflict"
	ruleGrantSpelling  Rule = "grant-spelling"
	ruleGrantNotEnough Rule = "grant-not-enough"
	ruleBroughtTwice   Rule = "brought-key-twice"
	ruleRelocateTwice  Rule = "relocate-twice"
)

// A RuleText is a rule with one sentence that says what it demands.
type RuleText struct {
	Rule Rule
	Text string
}

// Rules lists every rule that Load can report, for reports that carry a table
// of them.
func Rules() []RuleText {
	return []RuleText{
		{ruleSyntax, "Files are HCL native syntax."},
		{ruleFiles, "The folder holds readable *.hcl files."},
		{ruleUnknownName, "Blocks and attributes are those of the language."},
		{ruleMissing, "Required blocks and attributes are present and not null."},
		{ruleDuplicate, "A name is declared once."},
		{ruleLabel, "Labels of blocks are identifiers."},
		{ruleExpression, "Expressions can be evaluated."},
		{ruleReference, "terraform and bitbucket refer to blocks of the files."},
		{ruleType, "Values have the attribute's type."},
		{ruleVariable, "Variables are declared, given, and valid."},
		{ruleLocals, "Locals do not depend on themselves."},
		{ruleForEach, "for_each expands to instances with distinct keys."},
		{ruleForEachEmpty, "for_each expands to at least one instance."},
		{ruleSecret, "A secret is never written in the files."},
		{ruleSecretRef, "A secret is named by a Vault path with a field, or by an environment variable."},
		{ruleHeader, "A header for a gateway is none that bbsync or the server uses, and its value is printable."},
		{ruleVersion, "The running bbsync satisfies required_version."},
		{ruleFleetName, "The fleet's name is a short lower-case word."},
		{ruleURL, "URLs are https base URLs without user, query or fragment."},
		{ruleDuration, "Durations are numbers with a unit, and make sense together."},
		{ruleMaintenance, "A maintenance window has a cron schedule, a duration and a time zone."},
		{ruleKey, "Keys are RSA of 2048 to 8192 bits; a brought consumer key comes with its private key."},
		{ruleHostKey, "Host keys are lines of the authorized_keys form."},
		{ruleOrganization, "Organization names hold letters, digits, - and _."},
		{ruleServiceUser, "The service user is named by a Bitbucket username."},
		{ruleProvider, "The service provider is one that Terraform knows for Bitbucket Server and Data Center."},
		{ruleProjects, "projects and organization_scoped do not contradict each other."},
		{ruleRange, "Numbers are within their range."},
		{rulePath, "Paths in Vault are relative, without empty or dotted segments."},
		{ruleGrant, "Grants name a project by key and repositories by slug."},
		{rulePermission, "Permissions are Bitbucket's, and fit a project or a repository."},
		{ruleMoved, "moved blocks lead from an address that is gone to one that exists."},
		{ruleRemoved, "removed blocks name an address that is gone."},
		{ruleMainURLTwice, "Terraform's main URL is linked once per Bitbucket."},
		{ruleLinkURLTwice, "A link URL belongs to one connection per Bitbucket."},
		{ruleLinkNameTwice, "A link name belongs to one connection per Bitbucket."},
		{ruleClientTwice, "A client name belongs to one connection per organization."},
		{ruleRecordTwice, "A record belongs to one connection."},
		{ruleConnectedTwice, "An organization is connected to a Bitbucket once."},
		{ruleBitbucketTwice, "A Bitbucket is described once."},
		{ruleGrantConflict, "A repository or project is granted with one permission."},
		{ruleGrantSpelling, "A repository or project is granted once, spelled one way."},
		{ruleGrantNotEnough, "The service user is granted admin, which Terraform needs for webhooks."},
		{ruleBroughtTwice, "A brought key belongs to one connection."},
		{ruleRelocateTwice, "An organization relocates from a Bitbucket with one connection at a time."},
	}
}

// RuleOf returns the rule that a diagnostic of Load was reported under, "" for
// a diagnostic from elsewhere.
func RuleOf(d *hcl.Diagnostic) Rule {
	r, _ := hcl.DiagnosticExtra[Rule](d)
	return r
}
