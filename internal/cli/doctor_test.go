package cli

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
)

// TestProveInterrupted interrupts a proof as soon as its workspace is there: both
// the workspace and its webhook are gone when the process ends.
func TestProveInterrupted(t *testing.T) {
	v := vaulttest.Start(t)
	world, err := sandbox.Start(t.Context(), sandbox.Options{
		Orgs: 1, Bitbuckets: []string{"9.4.0"}, Vault: sandbox.ExternalVault{Address: v.Address, Token: v.RootToken},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	e := exampleWorld{t: t, vault: v, world: world, env: append(os.Environ(), append(world.Facts.Environment(), "BBSYNC_VAR_orgs=1")...)}
	e.bbsync("testdata/fleet", exitWaiting, "apply", "--auto-approve")
	e.bbsync("testdata/fleet", exitDone, "sandbox", "approve")
	e.bbsync("testdata/fleet", exitDone, "apply", "--auto-approve")

	// The clone is not seen before the interrupt.
	if err := world.Fronts["terraform"].Order(front.Fault{Kind: front.Delay, Path: "configuration-versions", Delay: time.Minute, Times: -1}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bbsync", "-C", "testdata/fleet", "doctor", "--prove")
	cmd.Env = append(e.env, "BBSYNC_TEST_HEARD="+t.TempDir(), "NO_COLOR=1")
	var out, heard bytes.Buffer
	cmd.Stdout = &out
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		heard.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "made workspace") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("an interrupted proof ended with 0")
	}
	if !regexp.MustCompile(`ok +cleaned-up +workspace bbsync-prove-\w+ and its webhook are removed`).Match(out.Bytes()) {
		t.Errorf("%s%s", out.String(), heard.String())
	}
	world.Bitbuckets[0].Inspect(func(st *bitbucketd.State) {
		if n := len(st.Repo(sandbox.Project, "vpc").Webhooks); n != 0 {
			t.Errorf("%d webhooks are left", n)
		}
	})
}
