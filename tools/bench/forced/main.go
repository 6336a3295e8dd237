// Command forced is the least program that asks of go-tfe, hcl and vault/api what
// bbsync asks of them. It is built to be weighed: whoever does this work with
// these libraries has at least so large a binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	tfe "github.com/hashicorp/go-tfe"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/auth/approle"
	"github.com/hashicorp/vault/api/auth/kubernetes"
	"github.com/hashicorp/vault/api/auth/userpass"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func main() {
	ctx := context.Background()
	if err := errors.Join(files(), vault(ctx), clients(ctx), others(ctx)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// clients does everything that is done to OAuth clients and their tokens.
func clients(ctx context.Context) error {
	client, err := tfe.NewClient(tfe.DefaultConfig())
	if err != nil {
		return err
	}
	list, err1 := client.OAuthClients.List(ctx, "acme", &tfe.OAuthClientListOptions{})
	one, err2 := client.OAuthClients.Read(ctx, "oc-1")
	made, err3 := client.OAuthClients.Create(ctx, "acme", tfe.OAuthClientCreateOptions{})
	changed, err4 := client.OAuthClients.Update(ctx, "oc-1", tfe.OAuthClientUpdateOptions{})
	tokens, err5 := client.OAuthTokens.List(ctx, "acme", &tfe.OAuthTokenListOptions{})
	token, err6 := client.OAuthTokens.Update(ctx, "ot-1", tfe.OAuthTokenUpdateOptions{})
	fmt.Println(list, one, made, changed, tokens, token)
	return errors.Join(err1, err2, err3, err4, err5, err6, client.OAuthClients.Delete(ctx, "oc-1"), client.OAuthTokens.Delete(ctx, "ot-1"))
}

// others looks at what a client is used by, and moves it.
func others(ctx context.Context) error {
	client, err := tfe.NewClient(&tfe.Config{RetryServerErrors: true})
	if err != nil {
		return err
	}
	organizations, err1 := client.Organizations.List(ctx, &tfe.OrganizationListOptions{})
	workspaces, err2 := client.Workspaces.List(ctx, "acme", &tfe.WorkspaceListOptions{})
	moved, err3 := client.Workspaces.UpdateByID(ctx, "ws-1", tfe.WorkspaceUpdateOptions{})
	projects, err4 := client.Projects.List(ctx, "acme", &tfe.ProjectListOptions{})
	sets, err5 := client.PolicySets.List(ctx, "acme", &tfe.PolicySetListOptions{})
	modules, err6 := client.RegistryModules.List(ctx, "acme", &tfe.RegistryModuleListOptions{})
	stacks, err7 := client.Stacks.List(ctx, "acme", &tfe.StackListOptions{})
	fetched, err8 := client.ConfigurationVersions.List(ctx, "ws-1", &tfe.ConfigurationVersionListOptions{})
	who, err9 := client.Users.ReadCurrent(ctx)
	fmt.Println(organizations, workspaces, moved, projects, sets, modules, stacks, fetched, who)
	return errors.Join(err1, err2, err3, err4, err5, err6, err7, err8, err9)
}

// files parses, evaluates, formats and complains.
func files() error {
	const name = "main.hcl"
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	file, diags := hclsyntax.ParseConfig(source, name, hcl.InitialPos)
	content, more := file.Body.Content(&hcl.BodySchema{})
	diags = append(diags, more...)
	for _, a := range content.Attributes {
		value, more := a.Expr.Value(&hcl.EvalContext{Variables: map[string]cty.Value{"each": cty.EmptyObjectVal}, Functions: functions()})
		diags = append(diags, more...)
		fmt.Println(hclwrite.TokensForValue(value))
	}
	fmt.Println(string(hclwrite.Format(source)))
	return hcl.NewDiagnosticTextWriter(os.Stderr, map[string]*hcl.File{name: file}, 80, true).WriteDiagnostics(diags)
}

// functions are those of the language that come with hcl's values.
func functions() map[string]function.Function {
	out := map[string]function.Function{"can": tryfunc.CanFunc, "try": tryfunc.TryFunc, "tostring": stdlib.MakeToFunc(cty.String)}
	for _, f := range []function.Function{
		stdlib.AbsoluteFunc, stdlib.CeilFunc, stdlib.ChompFunc, stdlib.ChunklistFunc, stdlib.CoalesceFunc, stdlib.CoalesceListFunc,
		stdlib.CompactFunc, stdlib.ConcatFunc, stdlib.ContainsFunc, stdlib.CSVDecodeFunc, stdlib.DistinctFunc, stdlib.ElementFunc,
		stdlib.FlattenFunc, stdlib.FloorFunc, stdlib.FormatDateFunc, stdlib.FormatFunc, stdlib.FormatListFunc, stdlib.IndentFunc,
		stdlib.IndexFunc, stdlib.JoinFunc, stdlib.JSONDecodeFunc, stdlib.JSONEncodeFunc, stdlib.KeysFunc, stdlib.LengthFunc,
		stdlib.LookupFunc, stdlib.LowerFunc, stdlib.MaxFunc, stdlib.MergeFunc, stdlib.MinFunc, stdlib.ParseIntFunc, stdlib.RangeFunc,
		stdlib.RegexAllFunc, stdlib.RegexFunc, stdlib.RegexReplaceFunc, stdlib.ReplaceFunc, stdlib.ReverseListFunc,
		stdlib.SetIntersectionFunc, stdlib.SetProductFunc, stdlib.SetSubtractFunc, stdlib.SetUnionFunc, stdlib.SliceFunc,
		stdlib.SortFunc, stdlib.SplitFunc, stdlib.StrlenFunc, stdlib.SubstrFunc, stdlib.TimeAddFunc, stdlib.TitleFunc,
		stdlib.TrimFunc, stdlib.TrimPrefixFunc, stdlib.TrimSpaceFunc, stdlib.UpperFunc, stdlib.ValuesFunc, stdlib.ZipmapFunc,
	} {
		out[fmt.Sprint(len(out))] = f
	}
	return out
}

// vault logs in by every method, reads, and writes with check-and-set.
func vault(ctx context.Context) error {
	client, err := api.NewClient(api.DefaultConfig())
	if err != nil {
		return err
	}
	role, err1 := approle.NewAppRoleAuth("role", &approle.SecretID{FromString: "id"})
	pod, err2 := kubernetes.NewKubernetesAuth("role")
	person, err3 := userpass.NewUserpassAuth("user", &userpass.Password{FromString: "password"})
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	for _, method := range []api.AuthMethod{role, pod, person} {
		said, err := client.Auth().Login(ctx, method)
		if err != nil {
			return err
		}
		watcher, err := client.NewLifetimeWatcher(&api.LifetimeWatcherInput{Secret: said})
		if err != nil {
			return err
		}
		go watcher.Start()
	}
	kv := client.WithNamespace("team").KVv2("secret")
	record, err1 := kv.Get(ctx, "record")
	written, err2 := kv.Put(ctx, "record", map[string]any{}, api.WithCheckAndSet(1))
	read, err3 := client.Logical().ReadWithContext(ctx, "sys/internal/ui/mounts/secret")
	list, err4 := client.Logical().ListWithContext(ctx, "secret/metadata")
	login, err5 := client.Logical().WriteWithContext(ctx, "auth/jwt/login", map[string]any{})
	wrapped, err6 := client.Logical().UnwrapWithContext(ctx, "")
	fmt.Println(record, written, read, list, login, wrapped)
	return errors.Join(err1, err2, err3, err4, err5, err6, kv.Destroy(ctx, "record", []int{1}), client.Auth().Token().RevokeSelfWithContext(ctx, ""))
}
