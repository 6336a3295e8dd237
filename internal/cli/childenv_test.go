package cli

import (
	"slices"
	"testing"
)

func TestChildEnv(t *testing.T) {
	t.Parallel()
	have := childEnv([]string{
		"PATH=/bin", "Path=C:\\", "DISPLAY=:0", "XDG_RUNTIME_DIR=/run/user/1", "LC_ALL=C.UTF-8", "https_proxy=http://proxy:3128", "TMPDIR=/tmp",
		"VAULT_TOKEN=s", "VAULT_ADDR=https://vault", "TFE_TOKEN=s", "TF_TOKEN_app_terraform_io=s", "BBSYNC_ROLE_ID=s", "BBSYNC_VAR_orgs=2", "PASSWORD=s", "EMPTY=",
	})
	want := []string{
		"PATH=/bin", "Path=C:\\", "DISPLAY=:0", "XDG_RUNTIME_DIR=/run/user/1", "LC_ALL=C.UTF-8", "https_proxy=http://proxy:3128", "TMPDIR=/tmp",
	}
	if !slices.Equal(have, want) {
		t.Errorf("have %q, want %q", have, want)
	}
}
