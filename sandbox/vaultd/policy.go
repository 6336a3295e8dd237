package vaultd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclparse"
)

// defaultPolicy is what every token may do that was not made without it.
const defaultPolicy = `
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
`

var errCapability = errors.New("invalid capability")

// A rule is one path of a policy. In its pattern "+" stands for one part of a
// path, "*" at the end for any rest.
type rule struct {
	Pattern      string   `hcl:"path,label"`
	Capabilities []string `hcl:"capabilities"`
}

// parsePolicy knows paths with capabilities. A policy with anything more (allowed
// parameters, wrapping, identity templates) is refused rather than half obeyed.
func parsePolicy(text string) ([]rule, error) {
	file, diags := hclparse.NewParser().ParseHCL([]byte(text), "policy")
	var policy struct {
		Rules []rule `hcl:"path,block"`
	}
	if !diags.HasErrors() {
		diags = gohcl.DecodeBody(file.Body, nil, &policy)
	}
	if diags.HasErrors() {
		return nil, fmt.Errorf("failed to parse policy: %w", diags)
	}
	for _, r := range policy.Rules {
		for _, c := range r.Capabilities {
			if !slices.Contains([]string{"create", "read", "update", "delete", "list", "sudo", "deny", "patch", "recover"}, c) {
				return nil, fmt.Errorf("failed to parse policy: path %q: %w %q", r.Pattern, errCapability, c)
			}
		}
		if strings.Contains(r.Pattern, "{{") {
			return nil, fmt.Errorf("failed to parse policy: path %q: templates are not known here", r.Pattern)
		}
	}
	return policy.Rules, nil
}

// PutPolicy makes or replaces a policy.
func (s *Server) PutPolicy(name, text string) error {
	if _, err := parsePolicy(text); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Policies[name] = text
	return nil
}

// rules are the token's, of all its policies.
func (s *Server) rules(t *token) []rule {
	var all []rule
	for _, name := range t.Policies {
		text := s.state.Policies[name]
		if name == "default" && text == "" {
			text = defaultPolicy
		}
		rules, known := s.parsed[text]
		if !known {
			rules, _ = parsePolicy(text) // it was checked when it was put
			s.parsed[text] = rules
		}
		all = append(all, rules...)
	}
	return all
}

// may reports whether the token has one of the capabilities on the path. Of the
// patterns that match, the most specific one counts, with the capabilities that
// all policies give it; "deny" beats them.
func (s *Server) may(t *token, path string, capabilities ...string) bool {
	if slices.Contains(t.Policies, "root") {
		return true
	}
	var best string
	var given []string
	found := false
	for _, r := range s.rules(t) {
		switch {
		case !matches(r.Pattern, path):
		case found && r.Pattern == best:
			given = append(given, r.Capabilities...)
		case !found || moreSpecific(r.Pattern, best):
			best, given, found = r.Pattern, slices.Clone(r.Capabilities), true
		}
	}
	if slices.Contains(given, "deny") {
		return false
	}
	return slices.ContainsFunc(capabilities, func(c string) bool { return slices.Contains(given, c) })
}

func matches(pattern, path string) bool {
	want, rest := strings.CutSuffix(pattern, "*")
	if !strings.Contains(want, "+") {
		return want == path || rest && strings.HasPrefix(path, want)
	}
	parts, have := strings.Split(want, "/"), strings.Split(path, "/")
	if len(have) < len(parts) || len(have) > len(parts) && !rest {
		return false
	}
	for i, part := range parts {
		last := i == len(parts)-1
		if part != "+" && part != have[i] && (!last || !rest || !strings.HasPrefix(have[i], part)) {
			return false
		}
	}
	return true
}

// moreSpecific has Vault's order: the later the first wildcard, no "*" at the
// end, fewer "+", longer, later in the alphabet.
func moreSpecific(a, b string) bool {
	wild := func(p string) int {
		if i := strings.IndexAny(p, "+*"); i >= 0 {
			return i
		}
		return len(p) + 1<<20 // an exact path is the most specific
	}
	if wild(a) != wild(b) {
		return wild(a) > wild(b)
	}
	if sa, sb := strings.HasSuffix(a, "*"), strings.HasSuffix(b, "*"); sa != sb {
		return sb
	}
	if ca, cb := strings.Count(a, "+"), strings.Count(b, "+"); ca != cb {
		return ca < cb
	}
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

// sees reports whether the token may do anything at all in the mount.
func (s *Server) sees(t *token, mount string) bool {
	if slices.Contains(t.Policies, "root") {
		return true
	}
	for _, r := range s.rules(t) {
		fixed := r.Pattern
		if i := strings.IndexAny(fixed, "+*"); i >= 0 {
			fixed = fixed[:i]
		}
		under := strings.HasPrefix(fixed, mount+"/") || fixed != r.Pattern && strings.HasPrefix(mount+"/", fixed)
		if under && !slices.Contains(r.Capabilities, "deny") && len(r.Capabilities) > 0 {
			return true
		}
	}
	return false
}
