package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/person"
)

// control returns the address of the sandbox's controls.
func (a *app) control() (string, error) {
	if address := a.getenv("BBSYNC_SANDBOX"); address != "" {
		return address, nil
	}
	return "", &exitError{code: exitUsage, err: errors.New("BBSYNC_SANDBOX is not set: run this inside bbsync sandbox -- COMMAND, or set what bbsync sandbox shows")}
}

// person returns somebody in the running sandbox.
func (a *app) person(ctx context.Context) (*person.Person, error) {
	address, err := a.control()
	if err != nil {
		return nil, err
	}
	return person.Meet(ctx, address)
}

func (a *app) sandboxApproveCommand() *cobra.Command {
	var as string
	var again bool
	c := &cobra.Command{
		Use:   "approve [ORGANIZATION|URL...]",
		Short: "Play the person who clicks Allow, on the sandbox's real pages",
		Long:  "approve connects these organizations, or all. A URL is a page to begin at: that of bbsync login, or of\nBitbucket's Allow.",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, orgs []string) error {
			p, err := a.person(c.Context())
			if err != nil {
				return err
			}
			if len(orgs) == 0 {
				if orgs, err = p.Organizations(c.Context()); err != nil {
					return err
				}
			}
			for _, org := range orgs {
				if strings.Contains(org, "://") {
					title, err := p.Approve(c.Context(), org, as)
					if err != nil {
						return err
					}
					a.sayf("allowed as %s (%s)\n", as, title)
					continue
				}
				if err := a.approve(c.Context(), p, org, as, again); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&as, "as", sandbox.ServiceUser, "who is logged in to Bitbucket: "+sandbox.ServiceUser+" or "+sandbox.AdminUser)
	c.Flags().BoolVar(&again, "again", false, "connect what is connected already once more")
	return c
}

// approve connects an organization's clients that have no token yet, or all.
func (a *app) approve(ctx context.Context, p *person.Person, org, as string, again bool) error {
	clients, err := p.Clients(ctx, org)
	if err != nil {
		return err
	}
	for _, client := range clients {
		if client.Token != "" && !again {
			continue
		}
		title, err := p.Approve(ctx, client.Connect, as)
		if err != nil {
			return fmt.Errorf("connecting %s to %s: %w", org, client.HTTPURL, err)
		}
		a.sayf("%s: allowed %q as %s (%s)\n", org, client.Name, as, title)
	}
	return nil
}

func (a *app) sandboxBreakCommand() *cobra.Command {
	var help strings.Builder
	help.WriteString("break does to an organization's connection what a person might do by hand:\n\n")
	for _, b := range person.Breakages() {
		fmt.Fprintf(&help, "  %-28s %s\n", b.Name, b.What)
	}
	return &cobra.Command{
		Use:   "break WHAT ORGANIZATION",
		Short: "Break a connection by hand, in the sandbox",
		Long:  help.String(),
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := a.person(c.Context())
			if err != nil {
				return err
			}
			if err := p.Break(c.Context(), args[0], args[1]); err != nil {
				return err
			}
			a.sayf("%s: %s\n", args[1], args[0])
			return nil
		},
	}
}

func (a *app) sandboxWorkspaceCommand() *cobra.Command {
	kind := "workspace"
	c := &cobra.Command{
		Use:   "workspace ORGANIZATION PROJECT/REPOSITORY",
		Short: "Make a workspace on a repository: Terraform's side adds the webhook and clones over SSH",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := a.person(c.Context())
			if err != nil {
				return err
			}
			name := strings.ToLower(strings.ReplaceAll(args[1], "/", "-") + "-" + rand.Text()[:6])
			return a.follow(c.Context(), p, kind, args[0], name, args[1])
		},
	}
	c.Flags().StringVar(&kind, "kind", kind, "what to make: workspace, or policy-set or registry-module, which get the webhook and clone nothing here")
	return c
}

// follow makes what follows a repository.
func (a *app) follow(ctx context.Context, p *person.Person, kind, org, name, repository string) error {
	var err error
	switch kind {
	case "workspace":
		var w person.Workspace
		if w, err = p.CreateWorkspace(ctx, org, name, repository); err == nil {
			a.sayf("%s: workspace %s cloned %s at %s over SSH, webhook %s\n", org, name, repository, w.Commit, w.Webhook)
		}
	case "policy-set":
		if err = p.CreatePolicySet(ctx, org, name, repository); err == nil {
			a.sayf("%s: policy set %s follows %s\n", org, name, repository)
		}
	case "registry-module":
		if err = p.CreateModule(ctx, org, name, "sandbox", repository); err == nil {
			a.sayf("%s: registry module %s/sandbox follows %s\n", org, name, repository)
		}
	default:
		return &exitError{code: exitUsage, err: fmt.Errorf("--kind %s: want workspace, policy-set or registry-module", kind)}
	}
	if err != nil {
		return fmt.Errorf("making %s %s in %s: %w", kind, name, org, err)
	}
	return nil
}

func (a *app) sandboxCountsCommand() *cobra.Command {
	var reset, routes bool
	c := &cobra.Command{
		Use:   "counts",
		Short: "Show how many requests the sandbox's servers had",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.counts(c.Context(), reset, routes)
		},
	}
	c.Flags().BoolVar(&reset, "reset", false, "count from zero again")
	c.Flags().BoolVar(&routes, "routes", false, "show each route")
	return c
}

func (a *app) counts(ctx context.Context, reset, routes bool) error {
	p, err := a.person(ctx)
	if err != nil {
		return err
	}
	names := []string{"terraform", "vault"}
	if p.Facts().Control == "" {
		return errors.New("the sandbox has no controls")
	}
	for _, b := range p.Facts().Bitbuckets {
		names = append(names, "bitbucket-"+b.Version)
	}
	for _, name := range names {
		var counts struct {
			Total  int            `json:"total"`
			Routes map[string]int `json:"routes"`
		}
		method := http.MethodGet
		if reset {
			method = http.MethodDelete
		}
		text, err := a.askServer(ctx, method, name, "counts", nil)
		if err != nil {
			if name == "vault" {
				continue // somebody else's
			}
			return err
		}
		if reset {
			continue
		}
		if err := json.Unmarshal(text, &counts); err != nil {
			return err
		}
		a.sayf("%-16s %d\n", name, counts.Total)
		if routes {
			showRoutes(a.stdout, counts.Routes)
		}
	}
	return nil
}

func showRoutes(w io.Writer, routes map[string]int) {
	names := make([]string, 0, len(routes))
	for name := range routes {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(w, "%8d  %s\n", routes[name], name)
	}
}

func (a *app) sandboxFaultCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "fault SERVER [JSON]",
		Short: "Make a server misbehave: an array of faults as JSON; none lifts them",
		Long: "fault orders a server of the sandbox (terraform, vault, bitbucket-VERSION) to misbehave, for instance\n\n" +
			"  bbsync sandbox fault terraform '[{\"kind\":\"lose-answer\",\"method\":\"POST\",\"path\":\"oauth-clients$\"}]'",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			method, body := http.MethodDelete, io.Reader(nil)
			if len(args) == 2 {
				method, body = http.MethodPost, bytes.NewBufferString(args[1])
			}
			_, err := a.askServer(c.Context(), method, args[0], "faults", body)
			return err
		},
	}
}

// askServer asks the controls of one of the sandbox's servers.
func (a *app) askServer(ctx context.Context, method, server, what string, body io.Reader) ([]byte, error) {
	address, err := a.control()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, address+"/servers/"+server+"/"+what, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("the sandbox's %s: %s %s", server, res.Status, bytes.TrimSpace(text))
	}
	return text, nil
}
