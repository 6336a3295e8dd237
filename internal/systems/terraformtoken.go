package systems

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/schema"
)

// terraformToken fetches the API token. A block without one uses what Terraform
// itself would use: its environment variables, then its configuration files,
// which are also what `terraform login` and setup-terraform write.
func (s *Systems) terraformToken(ctx context.Context, block *schema.Terraform, ref schema.SecretRef) (secret.Text, error) {
	if ref.Vault != "" || ref.Env != "" {
		return s.Credential(ctx, ref)
	}
	u, err := url.Parse(block.Address)
	if err != nil {
		return secret.Text{}, fmt.Errorf("parsing address %q: %w", block.Address, err)
	}
	variables := tokenVariables(u.Hostname())
	for _, name := range variables {
		if s.env.Getenv(name) != "" {
			return s.credentialFromEnv(name)
		}
	}
	looked := []string{"environment variable " + variables[0]}
	for _, file := range s.terraformFiles() {
		token, err := tokenIn(file, u.Host)
		switch {
		case err != nil:
			looked = append(looked, fmt.Sprintf("%s (%v)", file, err))
		case token == "":
			looked = append(looked, file)
		default:
			return s.oneLine(secret.New(token), file)
		}
	}
	return secret.Text{}, fmt.Errorf("no token for %s in any of: %s; run terraform login %s, set %s, or give the block a token",
		u.Host, strings.Join(looked, ", "), u.Host, variables[0])
}

// tokenVariables returns the environment variables in which Terraform looks for
// a host's token: hyphens and dots may stay as they are.
func tokenVariables(host string) []string {
	const prefix = "TF_TOKEN_"
	return []string{
		prefix + strings.NewReplacer("-", "__", ".", "_").Replace(host),
		prefix + strings.ReplaceAll(host, ".", "_"),
		prefix + host,
	}
}

// terraformFiles returns Terraform's configuration files, the one that decides
// first. Terraform lets files of the folder win over the main file, and the
// later ones over the earlier ones; this order is not documented, it is what
// its code does. With a main file from the environment Terraform leaves the
// folder out; here the folder is the last resort.
func (s *Systems) terraformFiles() []string {
	folder := filepath.Join(s.env.Home, ".terraform.d")
	var files []string
	for _, pattern := range []string{"*.tfrc", "*.tfrc.json"} {
		found, _ := filepath.Glob(filepath.Join(folder, pattern)) // an error is of the pattern alone
		files = append(files, found...)
	}
	if login := filepath.Join(folder, "credentials.tfrc.json"); !slices.Contains(files, login) {
		files = append(files, login) // named where there is no token
	}
	slices.Sort(files)
	slices.Reverse(files)
	if file := firstOf(s.env.Getenv("TF_CLI_CONFIG_FILE"), s.env.Getenv("TERRAFORM_CONFIG")); file != "" {
		return append([]string{file}, files...)
	}
	return append(files, filepath.Join(s.env.Home, ".terraformrc"))
}

// tokenIn returns the token that a file of Terraform has for a host, "" for
// none. Its error says what is wrong with the file and quotes nothing of it.
func tokenIn(file, host string) (string, error) {
	body, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("no such file")
	case err != nil:
		return "", errors.New("cannot be read")
	case strings.HasSuffix(file, ".json"):
		return tokenInJSON(body, host)
	}
	return tokenInHCL(file, body, host)
}

func tokenInJSON(body []byte, host string) (string, error) {
	var doc struct {
		Credentials map[string]struct {
			Token string `json:"token"`
		} `json:"credentials"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return "", errors.New("not the JSON that terraform login writes")
	}
	for name, one := range doc.Credentials {
		if sameHost(name, host) {
			return one.Token, nil
		}
	}
	return "", nil
}

func tokenInHCL(file string, body []byte, host string) (string, error) {
	parsed, diags := hclsyntax.ParseConfig(body, file, hcl.InitialPos)
	if diags.HasErrors() {
		return "", fmt.Errorf("line %d cannot be read as HCL", diags[0].Subject.Start.Line)
	}
	root, ok := parsed.Body.(*hclsyntax.Body)
	if !ok {
		return "", nil
	}
	for _, b := range root.Blocks {
		if b.Type != "credentials" || len(b.Labels) != 1 || !sameHost(b.Labels[0], host) || b.Body.Attributes["token"] == nil {
			continue
		}
		value, diags := b.Body.Attributes["token"].Expr.Value(nil)
		if diags.HasErrors() || value.Type() != cty.String || value.IsNull() {
			return "", fmt.Errorf("the token in line %d is not a string", b.DefRange().Start.Line)
		}
		return value.AsString(), nil
	}
	return "", nil
}

// sameHost reports whether two names, with or without a port, are of one https
// server.
func sameHost(a, b string) bool { return names.SameURL("https://"+a, "https://"+b) }
