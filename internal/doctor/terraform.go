package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/reach"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/schema"
)

// terraformFacts are what was read of a Terraform once.
type terraformFacts struct {
	want         *schema.Terraform
	organization string // whose token is used to ask

	sight   answer[reach.Sight]
	open    error
	version string // "" for HCP Terraform, and for releases that do not tell
	cloud   bool
	rate    float64 // requests a second, as seen; 0: not told
}

func (t *terraformFacts) read(ctx context.Context, sys *systems.Systems, loggedIn bool) {
	t.sight = ask(sys.LookAtTerraform(ctx, t.want.Label))
	if !loggedIn {
		t.open = errVaultDown
		return
	}
	client, err := sys.Terraform(ctx, t.want.Label, t.organization)
	if err != nil {
		t.open = err
		return
	}
	t.version, t.cloud = client.Version(), client.IsCloud()
	for credential, figures := range sys.Figures() {
		if strings.HasPrefix(credential, t.want.Address+" ") && figures.Rate.PerSecond > 0 {
			t.rate = figures.Rate.PerSecond
		}
	}
}

func (t *terraformFacts) checks(now time.Time) []Check {
	out := []Check{network(t.sight.value, t.sight.err), certificate(t.sight.value, t.sight.err, now)}
	if t.open != nil {
		return append(out, failure("terraform", t.want.Address+" cannot be used", t.open))
	}
	return append(out, t.product(), t.rateLimit())
}

func (t *terraformFacts) product() Check {
	const name = "terraform"
	switch {
	case t.cloud:
		return ok(name, "HCP Terraform")
	case t.version != "":
		return ok(name, "Terraform Enterprise %s", t.version)
	}
	return ok(name, "a Terraform that does not tell its release")
}

func (t *terraformFacts) rateLimit() Check {
	const name = "rate-limit"
	if t.rate == 0 {
		return ok(name, "none announced")
	}
	return ok(name, "%s requests a second for the token's user", strings.TrimSuffix(fmt.Sprintf("%.1f", t.rate), ".0"))
}
