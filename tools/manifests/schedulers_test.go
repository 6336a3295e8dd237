package manifests

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"
	"github.com/hashicorp/hcl/v2/hclsimple"
	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../examples/cron", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGitHubWorkflow(t *testing.T) {
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bbsync-drift.yml", "bbsync-apply.yml"} {
		problems, err := linter.Lint(name, read(t, "github/"+name), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Error(p)
		}
	}
}

// GitHub's own choice of shell takes a pipe's last command for all of it, and
// drift that went through tee would be a green job.
func TestGitHubJobsEndWithTheReportsCode(t *testing.T) {
	var file struct {
		Defaults struct {
			Run struct {
				Shell string `yaml:"shell"`
			} `yaml:"run"`
		} `yaml:"defaults"`
	}
	if err := yaml.Unmarshal(read(t, "github/bbsync-drift.yml"), &file); err != nil {
		t.Fatal(err)
	}
	if file.Defaults.Run.Shell != "bash" {
		t.Errorf("shell %q: only bash that is named has pipefail", file.Defaults.Run.Shell)
	}
}

// The systemd units are read by systemd's own syntax. Where systemd is, it says
// itself what it thinks of them.
func TestSystemdUnits(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"bbsync-drift.service", "bbsync-drift.timer"} {
		text := read(t, "systemd/"+name)
		options, err := unit.DeserializeOptions(bytes.NewReader(text))
		if err != nil || len(options) == 0 {
			t.Fatalf("%s: %v", name, err)
		}
		// Of the commands only bbsync is not there.
		text = bytes.ReplaceAll(text, []byte("/usr/local/bin/bbsync"), []byte("/bin/true"))
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd-analyze here: the syntax was checked, and no names of settings")
		return
	}
	out, err := exec.Command(analyze, "verify", "--man=no", filepath.Join(dir, "bbsync-drift.service"), filepath.Join(dir, "bbsync-drift.timer")).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte(dir)) {
		t.Errorf("%v\n%s", err, out)
	}
}

// A nomadFile is as much of a job's structure as the example uses: anything else
// in it is an error.
type nomadFile struct {
	Job struct {
		Name        string   `hcl:",label"`
		Type        string   `hcl:"type"`
		Datacenters []string `hcl:"datacenters"`
		Periodic    struct {
			Crons           []string `hcl:"crons"`
			ProhibitOverlap bool     `hcl:"prohibit_overlap"`
		} `hcl:"periodic,block"`
		Group struct {
			Name       string `hcl:",label"`
			Count      int    `hcl:"count"`
			Reschedule struct {
				Attempts  int  `hcl:"attempts"`
				Unlimited bool `hcl:"unlimited"`
			} `hcl:"reschedule,block"`
			Restart struct {
				Attempts int    `hcl:"attempts"`
				Mode     string `hcl:"mode"`
			} `hcl:"restart,block"`
			Task struct {
				Name   string `hcl:",label"`
				Driver string `hcl:"driver"`
				Config struct {
					Image   string   `hcl:"image"`
					Args    []string `hcl:"args"`
					Volumes []string `hcl:"volumes"`
				} `hcl:"config,block"`
				Artifact struct {
					Source      string `hcl:"source"`
					Destination string `hcl:"destination"`
				} `hcl:"artifact,block"`
				Vault struct {
					Role string `hcl:"role"`
				} `hcl:"vault,block"`
				Env struct {
					VaultAddr string `hcl:"VAULT_ADDR"`
					Shards    int    `hcl:"BBSYNC_SHARDS"`
				} `hcl:"env,block"`
				Resources struct {
					CPU    int `hcl:"cpu"`
					Memory int `hcl:"memory"`
				} `hcl:"resources,block"`
			} `hcl:"task,block"`
		} `hcl:"group,block"`
	} `hcl:"job,block"`
}

func TestNomadJob(t *testing.T) {
	var file nomadFile
	if err := hclsimple.Decode("job.hcl", read(t, "nomad/bbsync-drift.nomad.hcl"), nil, &file); err != nil {
		t.Fatal(err)
	}
	if g := file.Job.Group; g.Count != g.Task.Env.Shards || !file.Job.Periodic.ProhibitOverlap {
		t.Errorf("%d allocations of %d shards, overlap prohibited: %t", g.Count, g.Task.Env.Shards, file.Job.Periodic.ProhibitOverlap)
	}
}

// A pipelineStep is as much of a Bitbucket Pipelines step as the example uses.
type pipelineStep struct {
	Step struct {
		Name      string   `yaml:"name"`
		Trigger   string   `yaml:"trigger"`
		OIDC      bool     `yaml:"oidc"`
		RunsOn    []string `yaml:"runs-on"`
		Script    []string `yaml:"script"`
		Artifacts []string `yaml:"artifacts"`
		Outputs   []string `yaml:"output-variables"`
	} `yaml:"step"`
}

// bitbucketSteps returns the custom pipeline's steps: of a parallel group its own.
func bitbucketSteps(t *testing.T, pipeline string) (parallel, steps []pipelineStep) {
	t.Helper()
	var file struct {
		Image       string `yaml:"image"`
		Definitions struct {
			Steps []pipelineStep `yaml:"steps"`
		} `yaml:"definitions"`
		Pipelines struct {
			Custom map[string][]struct {
				Parallel struct {
					Steps []pipelineStep `yaml:"steps"`
				} `yaml:"parallel"`
				pipelineStep `yaml:",inline"`
			} `yaml:"custom"`
		} `yaml:"pipelines"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, "bitbucket-pipelines/bitbucket-pipelines.yml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	for _, s := range file.Pipelines.Custom[pipeline] {
		if len(s.Parallel.Steps) > 0 {
			parallel = append(parallel, s.Parallel.Steps...)
		} else {
			steps = append(steps, s.pipelineStep)
		}
	}
	return parallel, steps
}

func TestBitbucketPipelines(t *testing.T) {
	parallel, steps := bitbucketSteps(t, "drift")
	if len(parallel) != 4 || len(steps) != 1 || !strings.Contains(parallel[3].Step.Script[0], "bbsync") || len(steps[0].Step.Script) == 0 {
		t.Errorf("%+v, %+v", parallel, steps)
	}
}

// Of Groovy only that what is opened is closed, outside of texts.
func TestJenkinsfileIsBalanced(t *testing.T) {
	text := regexp.MustCompile(`(?m)//.*$|'[^'\n]*'|"[^"\n]*"`).ReplaceAllString(string(read(t, "jenkins/Jenkinsfile")), "")
	var open []rune
	closes := map[rune]rune{'}': '{', ')': '(', ']': '['}
	for _, r := range text {
		switch {
		case strings.ContainsRune("{([", r):
			open = append(open, r)
		case closes[r] != 0:
			if len(open) == 0 || open[len(open)-1] != closes[r] {
				t.Fatalf("%c closes nothing", r)
			}
			open = open[:len(open)-1]
		case r == '\'' || r == '"':
			t.Fatal("a text does not end in its line")
		}
	}
	if len(open) > 0 {
		t.Errorf("not closed: %q", open)
	}
}

// The image's build command makes a binary that needs no other file.
func TestContainerfile(t *testing.T) {
	text := string(read(t, "Containerfile"))
	stages := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(text, -1)
	if len(stages) != 2 || stages[1][1] != "scratch" {
		t.Errorf("stages %v", stages)
	}
	user := regexp.MustCompile(`(?m)^USER (\d+):(\d+)$`).FindStringSubmatch(text)
	if len(user) != 3 || user[1] == "0" {
		t.Errorf("user %v", user)
	}
	command := regexp.MustCompile(`(?m)^RUN (.*)$`).FindStringSubmatch(text)
	if len(command) != 2 || !strings.Contains(command[1], "-o /bbsync ") || !strings.Contains(command[1], "-tags grpcnotrace ") {
		t.Fatalf("build command %v", command)
	}
	binary := filepath.Join(t.TempDir(), "bbsync")
	build := exec.Command("sh", "-c", strings.Replace(command[1], "-o /bbsync ", "-o "+binary+" ", 1))
	build.Dir = "../.."
	build.Env = append(os.Environ(), "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("the binary needs a dynamic linker, and there is none in the image")
	}
}

// Every flag in the examples is one that bbsync has.
func TestFlagsAreReal(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "bbsync")
	if out, err := exec.Command("go", "build", "-C", "../..", "-o", binary, "./cmd/bbsync").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	call := regexp.MustCompile(`bbsync"?,? .*|args.*|ExecStart=.*`)
	files, err := filepath.Glob("../../examples/cron/*/*[a-z].*") // and the two below
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../../examples/cron/jenkins/Jenkinsfile", "../../examples/cron/kubernetes/apply/job.yaml")
	seen := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			words := regexp.MustCompile(`[A-Za-z-][A-Za-z0-9-]*`).FindAllString(call.FindString(line), -1)
			verb := slices.IndexFunc(words, func(w string) bool { return slices.Contains([]string{"drift", "plan", "apply", "report"}, w) })
			if verb < 0 {
				continue
			}
			help := []string{words[verb], "--help"}
			if words[verb] == "report" {
				help = []string{"report", "merge", "--help"}
			}
			out, err := exec.Command(binary, help...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, word := range words[verb:] {
				if strings.HasPrefix(word, "--") {
					seen++
					if !regexp.MustCompile(word + `( |$)`).Match(out) {
						t.Errorf("%s: bbsync %s has no %s", file, words[verb], word)
					}
				}
			}
		}
	}
	if seen < 8 {
		t.Errorf("%d flags were found", seen)
	}
}
