package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// Project is the key of the project that every sandbox Bitbucket has.
const Project = "INFRA"

// Repositories returns the slugs of the project's repositories.
func Repositories() []string { return []string{"vpc", "dns", "apps"} }

// webhookPlugin is what the vendor's procedure has installed before 5.4.
const webhookPlugin = "com.atlassian.stash.plugin.stash-web-post-receive-hooks-plugin"

// OrgName returns the name of the n-th organization, counted from 1.
func OrgName(n int) string { return fmt.Sprintf("acme-%02d", n) }

// seed puts people, organizations and repositories into a world that lacks
// them.
func (w *World) seed(ctx context.Context) error {
	if err := w.seedTerraform(); err != nil {
		return fmt.Errorf("filling the sandbox's Terraform: %w", err)
	}
	for _, server := range w.Bitbuckets {
		if err := w.seedBitbucket(server); err != nil {
			return fmt.Errorf("filling the sandbox's Bitbucket %s: %w", server.Version(), err)
		}
	}
	secrets := map[string]map[string]string{
		"platform/hcp":       {"token": w.Facts.Terraform.Token},
		"platform/bitbucket": {"admin": w.Facts.People.Admin, "totp": w.Facts.People.AdminTOTP},
	}
	if w.Facts.Gateway.Kind != "" {
		fields, err := w.Facts.Gateway.secrets()
		if err != nil {
			return err
		}
		secrets["platform/gateway"] = fields
	}
	for path, fields := range secrets {
		if err := w.putSecret(ctx, path, fields); err != nil {
			return fmt.Errorf("filling the sandbox's Vault: %w", err)
		}
	}
	return nil
}

func (w *World) seedTerraform() error {
	have := w.Terraform.Organizations()
	if len(have) == 0 {
		err := w.Terraform.AddUser(terraformd.User{
			Name: PlatformUser, Password: secret.New(w.Facts.People.Platform), Token: secret.New(w.Facts.Terraform.Token), SiteAdmin: true,
		})
		if err != nil {
			return err
		}
	}
	for n := 1; n <= w.opts.Orgs; n++ {
		if slices.Contains(have, OrgName(n)) {
			continue
		}
		err := w.Terraform.AddOrganization(terraformd.Organization{
			Name: OrgName(n), Business: true, Members: map[string]terraformd.Access{PlatformUser: {Owner: true}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *World) seedBitbucket(s *bitbucketd.Server) error {
	seeded := false
	s.Inspect(func(st *bitbucketd.State) { seeded = st.User(AdminUser) != nil })
	if seeded {
		return nil
	}
	people := []bitbucketd.Account{
		{Name: AdminUser, DisplayName: "Bitbucket Administrator", Password: w.Facts.People.Admin, Global: bitbucketd.SysAdmin},
		{Name: ServiceUser, DisplayName: "Terraform", Password: w.Facts.People.ServiceUser},
	}
	for _, p := range people {
		if err := s.AddUser(p); err != nil {
			return err
		}
	}
	if w.opts.SecondFactor {
		if _, err := s.Enroll(AdminUser, w.Facts.People.AdminTOTP); err != nil {
			return err
		}
	}
	if err := s.AddProject(Project, "Infrastructure"); err != nil {
		return err
	}
	for _, repo := range Repositories() {
		if err := s.AddRepo(Project, repo); err != nil {
			return err
		}
	}
	return s.SetPlugin(bitbucketd.Plugin{Key: webhookPlugin, Name: "Web Post Hooks for Bitbucket Server", Version: "1.6.0"})
}

// putSecret writes a secret over Vault's API, so that a real one works too.
func (w *World) putSecret(ctx context.Context, path string, fields map[string]string) error {
	body, err := json.Marshal(map[string]any{"data": fields})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Facts.Vault.Address+"/v1/secret/data/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-Vault-Token", w.Facts.Vault.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("writing secret/%s: %s", path, res.Status)
	}
	return nil
}
