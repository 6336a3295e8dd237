package manifests

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// standIn stands for bbsync: plan saves a file, prints its hash last and exits with
// 2, as bbsync does when there are changes; apply writes down the hash that it was
// given.
const standIn = `#!/bin/sh
verb=$3
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2 ;;
    --also) echo "# Plan" > "${2#markdown=}" ;;
    --sha256) echo "$2" > applied ;;
  esac
  shift
done
[ "$verb" = plan ] || exit 0
echo "Plan: SHA-256: not this one"
echo approved > "$out"
echo "SHA-256: $(sha256sum "$out" | cut -d " " -f 1)" >&2
exit 2
`

// A job is a workspace in which the commands of an example run.
type job struct {
	t   *testing.T
	dir string
	env []string
}

func newJob(t *testing.T) *job {
	t.Helper()
	j := &job{t: t, dir: t.TempDir()}
	j.env = append(os.Environ(), "PATH="+j.dir+":"+os.Getenv("PATH"), "RUNNER_TEMP="+j.dir)
	for name, text := range map[string]string{"bbsync": standIn, "identity": "token"} {
		if err := os.WriteFile(filepath.Join(j.dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// run runs commands as the scheduler's shell does, and returns what they print to
// standard output and their exit code.
func (j *job) run(script string, shell ...string) (string, int) {
	j.t.Helper()
	cmd := exec.CommandContext(j.t.Context(), shell[0], append(shell[1:], "-c", script)...)
	cmd.Dir, cmd.Env = j.dir, j.env
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), exited.ExitCode()
	} else if err != nil {
		j.t.Fatalf("%v: %s", err, problems.String())
	}
	return out.String(), 0
}

// replacePlan does what the approval must survive: somebody who can write to the
// workspace replaces the plan.
func (j *job) replacePlan() {
	j.t.Helper()
	if err := os.WriteFile(filepath.Join(j.dir, "bbsync.plan"), []byte("replaced\n"), 0o600); err != nil {
		j.t.Fatal(err)
	}
}

// approvedOnly fails the test unless apply was given the hash of the plan that was
// approved, whatever is in the workspace by now.
func (j *job) approvedOnly() {
	j.t.Helper()
	given, err := os.ReadFile(filepath.Join(j.dir, "applied"))
	want := fmt.Sprintf("%x\n", sha256.Sum256([]byte("approved\n")))
	if err != nil || string(given) != want {
		j.t.Errorf("apply was given the hash %q, %v, want %q", given, err, want)
	}
}

func TestJenkinsApprovesTheHash(t *testing.T) {
	text := string(read(t, "jenkins/Jenkinsfile"))
	scripts := regexp.MustCompile(`script: '([^'\n]*bbsync -C fleet (plan|apply)[^'\n]*)'`).FindAllStringSubmatch(text, -1)
	if len(scripts) != 2 {
		t.Fatalf("scripts %q", scripts)
	}
	j := newJob(t)
	out, code := j.run(scripts[0][1], "sh", "-e")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || lines[len(lines)-1] != "exit code: 2" || !strings.HasPrefix(lines[len(lines)-2], "SHA-256: ") {
		t.Fatalf("exit code %d: %q", code, lines)
	}
	for _, line := range []string{
		"env.CODE = lines[-1] - 'exit code: '", "env.PLAN_SHA256 = lines[-2] - 'SHA-256: '",
		"input message: \"Apply the plan above? SHA-256: ${env.PLAN_SHA256}\"",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %s", line)
		}
	}
	j.env = append(j.env, "PLAN_SHA256="+strings.TrimPrefix(lines[len(lines)-2], "SHA-256: "))
	j.replacePlan()
	j.run(scripts[1][1], "sh", "-e")
	j.approvedOnly()
}

func TestBitbucketPipelineApprovesTheHash(t *testing.T) {
	_, steps := bitbucketSteps(t, "apply")
	if len(steps) != 2 || steps[0].Step.Trigger != "" || steps[1].Step.Trigger != "manual" || !slices.Equal(steps[0].Step.Outputs, []string{"PLAN_SHA256"}) {
		t.Fatalf("%+v", steps)
	}
	j := newJob(t)
	variables := filepath.Join(j.dir, "variables")
	j.env = append(j.env, "BITBUCKET_PIPELINES_VARIABLES_PATH="+variables)
	if out, code := j.run(strings.Join(steps[0].Step.Script, "\n"), "bash", "-e"); code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	j.env = append(j.env, lines(t, variables)...)
	j.replacePlan()
	if err := os.Remove(variables); err != nil {
		t.Fatal(err)
	}
	j.run(strings.Join(steps[1].Step.Script, "\n"), "bash", "-e")
	j.approvedOnly()
}

// A workflowJob is as much of a GitHub job as the hash goes through.
type workflowJob struct {
	Needs       string            `yaml:"needs"`
	Environment string            `yaml:"environment"`
	Outputs     map[string]string `yaml:"outputs"`
	Steps       []workflowStep    `yaml:"steps"`
}

type workflowStep struct {
	ID  string            `yaml:"id"`
	Run string            `yaml:"run"`
	Env map[string]string `yaml:"env"`
}

func TestGitHubApprovesTheHash(t *testing.T) {
	var file struct {
		Jobs map[string]workflowJob `yaml:"jobs"`
	}
	if err := yaml.Unmarshal(read(t, "github/bbsync-apply.yml"), &file); err != nil {
		t.Fatal(err)
	}
	plan, apply := file.Jobs["plan"], file.Jobs["apply"]
	p := slices.IndexFunc(plan.Steps, func(s workflowStep) bool { return s.ID == "plan" })
	last := apply.Steps[len(apply.Steps)-1]
	switch {
	case p < 0, plan.Outputs["sha256"] != "${{ steps.plan.outputs.sha256 }}", last.Env["PLAN_SHA256"] != "${{ needs.plan.outputs.sha256 }}":
		t.Fatal("the hash is not an output of the job that plans")
	case apply.Needs != "plan", apply.Environment == "":
		t.Fatal("nobody approves")
	}
	j := newJob(t)
	outputs, summary := filepath.Join(j.dir, "outputs"), filepath.Join(j.dir, "summary")
	j.env = append(j.env, "GITHUB_OUTPUT="+outputs, "GITHUB_STEP_SUMMARY="+summary)
	if out, code := j.run(plan.Steps[p].Run, "bash", "-eo", "pipefail"); code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	set := lines(t, outputs)
	if set[0] != "code=2" || !slices.ContainsFunc(lines(t, summary), func(l string) bool { return l == "SHA-256 of the plan: "+strings.TrimPrefix(set[1], "sha256=") }) {
		t.Errorf("outputs %q, and a summary without the hash", set)
	}
	j.env = append(j.env, "PLAN_SHA256="+strings.TrimPrefix(set[1], "sha256="))
	j.replacePlan()
	j.run(last.Run, "bash", "-eo", "pipefail")
	j.approvedOnly()
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}
