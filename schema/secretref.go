package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	vaultRef = regexp.MustCompile(`^[A-Za-z0-9_~@+. -]+(/[A-Za-z0-9_~@+. -]+)+#[A-Za-z0-9_.-]+$`)
	envName  = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
)

// secret reads a block that says where a secret is kept. What is written there
// is never shown when it is wrong: it may be the secret itself.
func (v view) secret() SecretRef {
	ref := SecretRef{
		Vault: v.vaultRef("vault"),
		Env:   v.envName("env"),
		Range: v.n.at(),
	}
	if v.n.args["credentials_file"] != nil {
		ref.CredentialsFile = v.boolean("credentials_file", false)
	}
	ref.File = inFolder(v.l.dir, v.text("file"))
	if slices.ContainsFunc([]string{"vault", "env", "credentials_file", "file"}, func(n string) bool { return v.broken[v.prefix+n] }) {
		return ref
	}
	switch set := countTrue(ref.Vault != "", ref.Env != "", ref.CredentialsFile, ref.File != ""); {
	case set == 0:
		v.l.add(problem{
			rule: ruleSecretRef, at: v.n.at(), summary: "Where is the secret?",
			detail: fmt.Sprintf("The block %s says nowhere.", v.n.block.Type), hint: v.places(),
		})
	case set > 1:
		v.l.add(problem{
			rule: ruleSecretRef, at: v.n.at(), summary: "Where is the secret?",
			detail: fmt.Sprintf("The block %s names several places.", v.n.block.Type), hint: "leave one of them",
		})
	}
	return ref
}

// places shows how the block may say where a secret is.
func (v view) places() string {
	var places []string
	for _, place := range []struct{ name, example string }{{"vault", "secret/path#field"}, {"env", "NAME"}, {"file", "file.pem"}} {
		if _, ok := v.n.shape.attrs[place.name]; ok {
			places = append(places, fmt.Sprintf("%s = %q", place.name, place.example))
		}
	}
	return strings.Join(places, " or ")
}

func countTrue(bs ...bool) int {
	n := 0
	for _, b := range bs {
		if b {
			n++
		}
	}
	return n
}

// vaultRef reads "mount/path#field".
func (v view) vaultRef(name string) string {
	s := v.text(name)
	if s == "" {
		return ""
	}
	path, _, _ := strings.Cut(s, "#")
	if !vaultRef.MatchString(s) || dottedPart.MatchString(path) {
		v.hide(name)
		v.fail(name, ruleSecretRef, "Not a place in Vault",
			fmt.Sprintf("%s takes the path of a secret and one of its fields; what is written here is not shown, as it may be a secret.", name),
			`"mount/path#field", as in "secret/platform/bitbucket#password"; if this was a secret, treat it as known to others`)
		return ""
	}
	if segments := strings.Split(path, "/"); len(segments) > 2 && segments[1] == "data" {
		v.warn(name, ruleSecretRef, "A path with data in it",
			"Paths are written as `vault kv get` takes them, and data is part of the API's path only.",
			fmt.Sprintf("%q, unless there is a secret whose path begins with data", strings.Replace(s, "/data/", "/", 1)))
	}
	return s
}

// envName reads the name of an environment variable. Lower case is refused
// because passwords are written in it, and names of variables with secrets are
// not.
func (v view) envName(name string) string {
	s := v.text(name)
	if s == "" || envName.MatchString(s) {
		return s
	}
	v.hide(name)
	v.fail(name, ruleSecretRef, "Not the name of an environment variable",
		fmt.Sprintf("%s takes the name of an environment variable, not its value: upper-case letters, digits and _. What is written here is not shown, as it may be a secret.", name),
		`as in "BITBUCKET_PASSWORD"; if this was a secret, treat it as known to others`)
	return ""
}

// hide masks the attribute's literals wherever they would be shown.
func (v view) hide(name string) {
	if a := v.n.args[name]; a != nil {
		v.l.mask.everywhere(a.attr.Expr)
		if val, ok := v.value(name); ok {
			v.l.mask.hide(val)
		}
	}
}

// authMethods lists the login methods with their attributes; mount goes with
// all.
func authMethods() map[string][]string {
	return map[string][]string{
		"token":      {"token_env"},
		"approle":    {"role_id_env", "secret_id_env", "wrapped"},
		"kubernetes": {"role", "token_file"},
		"jwt":        {"role", "token_file", "token_env"},
		"userpass":   {"username", "password_env"},
		"agent":      {},
	}
}

// authNeeds lists what a method cannot do without.
func authNeeds() map[string][]string {
	return map[string][]string{
		"approle":    {"role_id_env", "secret_id_env"},
		"kubernetes": {"role"},
		"jwt":        {"role"},
		"userpass":   {"username", "password_env"},
	}
}

func (v view) auth() VaultAuth {
	method := v.n.label()
	attrs, ok := authMethods()[method]
	if !ok {
		names := []string{"token", "approle", "kubernetes", "jwt", "userpass", "agent"}
		hint := nearest(method, names)
		if hint == "" {
			hint = "known here: " + strings.Join(names, ", ")
		}
		v.l.add(problem{
			rule: ruleUnknownName, at: v.n.at(), summary: "Unknown login method",
			detail: fmt.Sprintf("bbsync cannot log in to Vault by %s.", shown(method)), hint: hint,
		})
		return VaultAuth{Method: method}
	}
	v.authAttributes(method, attrs)
	a := VaultAuth{
		Method:      method,
		Mount:       v.path("mount", method),
		Role:        v.text("role"),
		TokenFile:   inFolder(v.l.dir, v.text("token_file")),
		TokenEnv:    v.envName("token_env"),
		RoleIDEnv:   v.envName("role_id_env"),
		SecretIDEnv: v.envName("secret_id_env"),
		Wrapped:     v.boolean("wrapped", false),
		Username:    v.text("username"),
		PasswordEnv: v.envName("password_env"),
		Range:       v.n.at(),
	}
	if method == "jwt" && (a.TokenFile == "") == (a.TokenEnv == "") && !v.broken[v.prefix+"token_env"] {
		v.l.add(problem{
			rule: ruleMissing, at: v.n.at(), summary: "Which identity token?",
			detail: `auth "jwt" needs one of token_file and token_env.`,
		})
	}
	return a
}

func (v view) authAttributes(method string, attrs []string) {
	takes := strings.Join(slices.Concat([]string{"mount"}, attrs), ", ")
	if method == "agent" {
		takes = "no attributes: the agent has logged in"
	}
	for name, a := range v.n.args {
		if (name != "mount" || method == "agent") && !slices.Contains(attrs, name) {
			v.l.add(problem{
				rule: ruleUnknownName, at: a.attr.NameRange, summary: fmt.Sprintf("%s does not go with %s", name, method),
				detail: fmt.Sprintf("auth %q takes %s.", method, takes),
			})
		}
	}
	for _, name := range authNeeds()[method] {
		if v.n.args[name] == nil {
			v.l.add(problem{
				rule: ruleMissing, at: v.n.at(), summary: "Missing attribute " + name,
				detail: fmt.Sprintf("auth %q needs the attribute %s.", method, name),
			})
		}
	}
}
