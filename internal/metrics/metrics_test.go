package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/secret"
)

var now = time.Unix(1_700_000_000, 0)

func run() Run {
	return Run{
		Fleet: "corp", Began: now.Add(-3 * time.Second), Ended: now, Complete: true,
		Requests: map[string]int64{"https://app.terraform.io": 3},
		Drift: drift.Report{
			Fleet:      "corp",
			Summary:    drift.Summary{Connections: 3, States: map[plan.State]int{"changes": 1, "refused": 1, "leased": 1}},
			Bitbuckets: []drift.Bitbucket{{Label: "new", State: "in_sync"}},
			Ends: []expiry.End{
				expiry.OfCertificate("bitbucket.new", "CN=bitbucket", now, now.Add(time.Hour), false),
				expiry.OfOAuthToken("a", "svc", now.Add(-expiry.OAuthTokenLife)),
				expiry.CannotKnow(expiry.APIToken, "terraform.hcp", "env:T", "it does not say"),
			},
			Connections: []drift.Connection{
				{
					Address: "a", Organization: "o", State: "changes", Differences: []drift.Difference{{Kind: "client"}, {Kind: "client"}, {Kind: "rotation"}},
					Authorized: new(true), TokenCreated: now.Add(-time.Hour),
					Keys: []plan.Age{
						{Key: plan.ServiceKey, Role: plan.Current, Created: now.Add(-2 * time.Hour), Due: now.Add(-time.Minute)},
						{Key: plan.ServiceKey, Role: plan.Previous, Created: now.Add(-3 * time.Hour)},
						{Key: plan.ConsumerPair, Role: plan.Current, Created: now.Add(-4 * time.Hour), Due: now.Add(time.Minute)},
					},
				},
				{Address: "b", Organization: "p", State: "refused"},
				{Address: "c", Organization: "q", State: "leased"},
				{Address: "d", Organization: "r", State: "waiting", Differences: []drift.Difference{{Kind: "authorization"}}, Authorized: new(false)},
			},
		},
	}
}

const whole = `
# HELP bbsync_authorized 1 when Terraform holds a token of the service user that is not known to be refused.
# TYPE bbsync_authorized gauge
bbsync_authorized{connection="a",organization="o"} 1
bbsync_authorized{connection="d",organization="r"} 0
# HELP bbsync_connections Connections by state.
# TYPE bbsync_connections gauge
bbsync_connections{state="changes"} 1
bbsync_connections{state="leased"} 1
bbsync_connections{state="refused"} 1
# HELP bbsync_drift Differences between the files and what is live, by kind of object.
# TYPE bbsync_drift gauge
bbsync_drift{connection="a",kind="client",organization="o"} 2
bbsync_drift{connection="a",kind="rotation",organization="o"} 1
bbsync_drift{connection="b",kind="refused",organization="p"} 1
bbsync_drift{connection="bitbucket.new",kind="none",organization=""} 0
bbsync_drift{connection="d",kind="authorization",organization="r"} 1
# HELP bbsync_expires_timestamp_seconds When a credential, key, certificate or license ends.
# TYPE bbsync_expires_timestamp_seconds gauge
bbsync_expires_timestamp_seconds{connection="a",name="",of="a",what="oauth_token"} 1.7e+09
bbsync_expires_timestamp_seconds{connection="",name="CN=bitbucket",of="bitbucket.new",what="certificate"} 1.7000036e+09
# HELP bbsync_key_age_seconds Age of a key.
# TYPE bbsync_key_age_seconds gauge
bbsync_key_age_seconds{connection="a",key="consumer",organization="o",role="current"} 14400
bbsync_key_age_seconds{connection="a",key="ssh",organization="o",role="current"} 7200
bbsync_key_age_seconds{connection="a",key="ssh",organization="o",role="previous"} 10800
# HELP bbsync_last_run_duration_seconds How long the last look took.
# TYPE bbsync_last_run_duration_seconds gauge
bbsync_last_run_duration_seconds 3
# HELP bbsync_last_run_exit_code Exit code of the last look.
# TYPE bbsync_last_run_exit_code gauge
bbsync_last_run_exit_code 0
# HELP bbsync_last_run_requests Requests that the last look sent, by server.
# TYPE bbsync_last_run_requests gauge
bbsync_last_run_requests{server="https://app.terraform.io"} 3
# HELP bbsync_last_run_timestamp_seconds When the fleet was last looked at, whatever came of it.
# TYPE bbsync_last_run_timestamp_seconds gauge
bbsync_last_run_timestamp_seconds 1.7e+09
# HELP bbsync_last_success_timestamp_seconds When all connections could last be read.
# TYPE bbsync_last_success_timestamp_seconds gauge
bbsync_last_success_timestamp_seconds 1.7e+09
# HELP bbsync_rotation_due_seconds Time until a key is due for rotation; negative when it is overdue.
# TYPE bbsync_rotation_due_seconds gauge
bbsync_rotation_due_seconds{connection="a",key="consumer",organization="o"} 60
bbsync_rotation_due_seconds{connection="a",key="ssh",organization="o"} -60
# HELP bbsync_token_age_seconds Age of Terraform's OAuth token.
# TYPE bbsync_token_age_seconds gauge
bbsync_token_age_seconds{connection="a",organization="o"} 3600
# HELP bbsync_unknown_ssh_keys SSH keys of service users that no record of the fleet knows.
# TYPE bbsync_unknown_ssh_keys gauge
bbsync_unknown_ssh_keys{bitbucket="new"} 0
`

func TestMetrics(t *testing.T) {
	if err := testutil.GatherAndCompare(run().registry(nil), strings.NewReader(whole)); err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(run().registry(nil))
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// Of the shards, one looks for unknown SSH keys: the others say nothing of them.
func TestUnknownSSHKeys(t *testing.T) {
	for shard, want := range map[string]int{"": 1, "0/2": 1, "1/2": 0} {
		r := run()
		r.Shard = shard
		r.Drift.Bitbuckets[0].UnknownKeys = []drift.UnknownKey{{User: "svc", Fingerprint: "SHA256:a"}, {User: "svc", Fingerprint: "SHA256:b"}}
		text := "# HELP bbsync_unknown_ssh_keys SSH keys of service users that no record of the fleet knows.\n" +
			"# TYPE bbsync_unknown_ssh_keys gauge\nbbsync_unknown_ssh_keys{bitbucket=\"new\"} 2\n"
		if want == 0 {
			text = ""
		}
		if err := testutil.GatherAndCompare(r.registry(nil), strings.NewReader(text), "bbsync_unknown_ssh_keys"); err != nil {
			t.Errorf("shard %q: %v", shard, err)
		}
	}
}

// A look that fails as a whole keeps everything but what it knows: that it ran.
func TestAFailureKeepsTheLastSuccess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bbsync.prom")
	if err := run().WriteFile(file); err != nil {
		t.Fatal(err)
	}
	before := lines(t, file)
	failed := Run{Fleet: "corp", Began: now, Ended: now.Add(time.Hour), ExitCode: 1}
	if err := failed.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	var changed []string
	for name, value := range lines(t, file) {
		if before[name] != value {
			changed = append(changed, name)
		}
		delete(before, name)
	}
	if len(before) > 0 {
		t.Errorf("gone: %v", before)
	}
	want := map[string]bool{`bbsync_last_run_timestamp_seconds{fleet="corp"}`: true, `bbsync_last_run_exit_code{fleet="corp"}`: true, `bbsync_last_run_duration_seconds{fleet="corp"}`: true}
	have := map[string]bool{}
	for _, name := range changed {
		have[name] = true
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("changed (-want +have):\n%s", diff)
	}
}

// TestANarrowLookKeepsTheRest: it replaces all of the connections that it looked
// at, also what vanished, and nothing of others, of other fleets or of the run.
func TestANarrowLookKeepsTheRest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bbsync.prom")
	if err := run().WriteFile(file); err != nil {
		t.Fatal(err)
	}
	theirs := "bbsync_drift{connection=\"a\",fleet=\"theirs\",kind=\"link\",organization=\"o\"} 7\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "bbsync_drift{", theirs+"bbsync_drift{", 1))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	want := lines(t, file)
	for name := range want {
		if strings.Contains(name, `connection="a",fleet="corp"`) {
			delete(want, name)
		}
	}
	want[`bbsync_drift{connection="a",fleet="corp",kind="none",organization="o"}`] = "0"
	want[`bbsync_authorized{connection="a",fleet="corp",organization="o"}`] = "0"
	narrow := Run{
		Fleet: "corp", Began: now, Ended: now.Add(time.Hour), ExitCode: 4, Complete: true, Narrow: true,
		Drift: drift.Report{
			Fleet: "corp", Summary: drift.Summary{Connections: 1, States: map[plan.State]int{"in_sync": 1}},
			Bitbuckets:  []drift.Bitbucket{{Label: "new", State: "changes", Differences: []drift.Difference{{Kind: "grant"}}}},
			Connections: []drift.Connection{{Address: "a", Organization: "o", State: "in_sync", Authorized: new(false)}},
		},
	}
	if err := narrow.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, lines(t, file)); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
	if err := (Run{Fleet: "corp", ExitCode: 1, Narrow: true}).WriteFile(filepath.Join(t.TempDir(), "no", "folder")); err != nil {
		t.Errorf("a narrow look that saw nothing writes: %v", err)
	}
	fresh := filepath.Join(t.TempDir(), "fresh.prom")
	if err := narrow.WriteFile(fresh); err != nil {
		t.Fatal(err)
	}
	if have := lines(t, fresh); len(have) != 2 {
		t.Errorf("a new file has more than is known: %v", have)
	}
}

// lines returns the values of a text file, and insists that no line has a timestamp.
func lines(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 2 {
			t.Errorf("a line of %d fields: %s", len(fields), line)
		}
		out[fields[0]] = fields[1]
	}
	return out
}

func TestADamagedFileIsNotOverwrittenByAFailure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bbsync.prom")
	if err := os.WriteFile(file, []byte("not metrics {\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Run{Fleet: "corp", ExitCode: 1, Ended: now}.WriteFile(file)
	if err == nil || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("error %v", err)
	}
	if err := run().WriteFile(file); err != nil { // a success needs nothing of it
		t.Error(err)
	}
}

// TestTheFileMayBeALink has a link and a device in the file's place: neither may
// go, least of all when root runs it.
func TestTheFileMayBeALink(t *testing.T) {
	dir := t.TempDir()
	target, link, device := filepath.Join(dir, "bbsync.prom"), filepath.Join(dir, "link"), filepath.Join(dir, "device")
	for name, to := range map[string]string{link: target, device: os.DevNull} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
		failed := run()
		failed.Complete = false // reads what is there
		if err := failed.WriteFile(name); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(name); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v, %v", name, info, err)
		}
	}
	if text, err := os.ReadFile(target); err != nil || !strings.Contains(string(text), "bbsync_drift{") {
		t.Errorf("%q, %v", text, err)
	}
}

// TestGatewayOverHTTP refuses an address to which the password would travel in the clear.
func TestGatewayOverHTTP(t *testing.T) {
	err := Run{Fleet: "corp"}.Push(t.Context(), Gateway{URL: "http://pushgateway.example:9091", Username: "bbsync", Password: secret.New("tiger")})
	if err == nil || !strings.Contains(err.Error(), "use https") {
		t.Error(err)
	}
}
