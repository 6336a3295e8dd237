package manifests

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/bbsync/bbsync/schema"
)

// objects decodes every document of the Kubernetes examples with Kubernetes' own
// types. A field that the type does not have is an error, as is one given twice.
func objects(t *testing.T) []runtime.Object {
	t.Helper()
	var files []string
	for _, pattern := range []string{"*.yaml", "apply/*.yaml"} {
		some, err := filepath.Glob("../../examples/cron/kubernetes/" + pattern)
		if err != nil || len(some) == 0 {
			t.Fatalf("no manifests: %v", err)
		}
		files = append(files, some...)
	}
	var out []runtime.Object
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		reader := utilyaml.NewYAMLReader(newReader(text))
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			object, err := decode(document)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			out = append(out, object)
		}
	}
	return out
}

func decode(document []byte) (runtime.Object, error) {
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return nil, err
	}
	types := map[string]runtime.Object{
		"batch/v1 CronJob":                   &batch.CronJob{},
		"batch/v1 Job":                       &batch.Job{},
		"v1 ConfigMap":                       &core.ConfigMap{},
		"v1 Namespace":                       &core.Namespace{},
		"v1 ServiceAccount":                  &core.ServiceAccount{},
		"networking.k8s.io/v1 NetworkPolicy": &networking.NetworkPolicy{},
	}
	object, ok := types[kind.APIVersion+" "+kind.Kind]
	if !ok {
		return nil, fmt.Errorf("no type for %s %s", kind.APIVersion, kind.Kind)
	}
	return object, yaml.UnmarshalStrict(document, object)
}

func TestKubernetesManifests(t *testing.T) {
	kinds := map[string]int{}
	for _, object := range objects(t) {
		kinds[object.GetObjectKind().GroupVersionKind().Kind]++
	}
	for _, kind := range []string{"CronJob", "Job", "ConfigMap", "Namespace", "ServiceAccount", "NetworkPolicy"} {
		if kinds[kind] != 1 {
			t.Errorf("%d of kind %s", kinds[kind], kind)
		}
	}
}

// A mistake that only a strict decoder sees must be seen, or this proves nothing.
func TestDecodingIsStrict(t *testing.T) {
	for _, text := range []string{
		"apiVersion: batch/v1\nkind: Job\nspec: {completion: 4}\n",
		"apiVersion: batch/v1\nkind: Job\nspec: {completions: 4, completions: 5}\n",
		"apiVersion: batch/v1\nkind: Job\nspec: {completions: four}\n",
		"apiVersion: batch/v2\nkind: Job\n",
	} {
		if _, err := decode([]byte(text)); err == nil {
			t.Errorf("taken: %s", text)
		}
	}
}

// Jobs of both kinds.
func jobs(t *testing.T) map[string]batch.JobSpec {
	t.Helper()
	out := map[string]batch.JobSpec{}
	for _, object := range objects(t) {
		switch o := object.(type) {
		case *batch.CronJob:
			out["drift"] = o.Spec.JobTemplate.Spec
			if o.Spec.ConcurrencyPolicy != batch.ForbidConcurrent {
				t.Error("two looks at once")
			}
		case *batch.Job:
			out["apply"] = o.Spec
		}
	}
	return out
}

func TestJobsAreSharded(t *testing.T) {
	for name, spec := range jobs(t) {
		if *spec.CompletionMode != batch.IndexedCompletion || spec.BackoffLimitPerIndex == nil {
			t.Errorf("%s: not an Indexed Job with a limit for each index", name)
		}
		i := slices.IndexFunc(spec.Template.Spec.Containers[0].Env, func(e core.EnvVar) bool { return e.Name == "BBSYNC_SHARDS" })
		if i < 0 || spec.Template.Spec.Containers[0].Env[i].Value != strconv.Itoa(int(*spec.Completions)) {
			t.Errorf("%s: BBSYNC_SHARDS is not the number of completions", name)
		}
	}
}

// Each of bbsync's exit codes has one rule at most, on the right container, and
// what is not cured by running again is not run again.
func TestJobsKnowTheExitCodes(t *testing.T) {
	want := map[string]map[int32]batch.PodFailurePolicyAction{
		"drift": {2: batch.PodFailurePolicyActionFailIndex, 4: batch.PodFailurePolicyActionFailIndex, 5: batch.PodFailurePolicyActionFailIndex, 7: batch.PodFailurePolicyActionFailIndex, 64: batch.PodFailurePolicyActionFailJob, 78: batch.PodFailurePolicyActionFailJob},
		"apply": {4: batch.PodFailurePolicyActionFailIndex, 5: batch.PodFailurePolicyActionFailIndex, 6: batch.PodFailurePolicyActionFailIndex, 64: batch.PodFailurePolicyActionFailJob, 78: batch.PodFailurePolicyActionFailJob},
	}
	for name, spec := range jobs(t) {
		have := map[int32]batch.PodFailurePolicyAction{}
		for _, rule := range spec.PodFailurePolicy.Rules {
			if rule.OnExitCodes == nil {
				continue
			}
			if *rule.OnExitCodes.ContainerName != spec.Template.Spec.Containers[0].Name {
				t.Errorf("%s: a rule for container %s", name, *rule.OnExitCodes.ContainerName)
			}
			for _, code := range rule.OnExitCodes.Values {
				if have[code] != "" {
					t.Errorf("%s: two rules for %d", name, code)
				}
				have[code] = rule.Action
			}
		}
		if fmt.Sprint(have) != fmt.Sprint(want[name]) {
			t.Errorf("%s: %v, want %v", name, have, want[name])
		}
		if spec.Template.Spec.RestartPolicy != core.RestartPolicyNever {
			t.Errorf("%s: a podFailurePolicy needs restartPolicy Never", name)
		}
	}
}

// A shard that is tried again finds the lease of the one that was killed. The Job
// controller waits 10 seconds before it tries again, and doubles that each time.
func TestRetriesOutlastALease(t *testing.T) {
	spec := jobs(t)["apply"]
	wait := time.Duration(0)
	for i := range *spec.BackoffLimitPerIndex {
		wait += 10 * time.Second << i
	}
	if lease := 2 * time.Minute; wait <= lease {
		t.Errorf("tried again for %v, and a lease lasts %v", wait, lease)
	}
	if grace := spec.Template.Spec.TerminationGracePeriodSeconds; grace == nil || *grace < 120 {
		t.Error("SIGTERM leaves no time to finish the steps in flight")
	}
}

// The manifests come to rest: what the API server fills in or leaves out is as
// here, and kubectl apply takes the folder as a whole.
func TestManifestsComeToRest(t *testing.T) {
	for name, spec := range jobs(t) {
		for _, rule := range spec.PodFailurePolicy.Rules {
			for _, condition := range rule.OnPodConditions {
				if condition.Status != core.ConditionTrue {
					t.Errorf("%s: a condition without a status, which the API server fills in", name)
				}
			}
		}
	}
	for _, object := range objects(t) {
		if policy, ok := object.(*networking.NetworkPolicy); ok && policy.Spec.Ingress != nil {
			t.Error("an empty list of ingress rules, which the API server leaves out")
		}
	}
	files, err := filepath.Glob("../../examples/cron/kubernetes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err != nil || bytes.Contains(text, []byte("generateName")) {
			t.Errorf("%s: kubectl apply takes no generateName (%v)", file, err)
		}
	}
}

// What the "restricted" pod security standard asks for, and a root file system
// that nothing is written to.
func TestPodsAreRestricted(t *testing.T) {
	for name, spec := range jobs(t) {
		pod, c := spec.Template.Spec, spec.Template.Spec.Containers[0].SecurityContext
		switch {
		case !*pod.SecurityContext.RunAsNonRoot || *pod.SecurityContext.RunAsUser == 0:
			t.Errorf("%s: runs as root", name)
		case pod.SecurityContext.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault:
			t.Errorf("%s: no seccomp profile", name)
		case !*c.ReadOnlyRootFilesystem || *c.AllowPrivilegeEscalation:
			t.Errorf("%s: may write, or become more", name)
		case fmt.Sprint(c.Capabilities.Drop) != "[ALL]" || len(c.Capabilities.Add) > 0:
			t.Errorf("%s: keeps capabilities", name)
		case *pod.AutomountServiceAccountToken:
			t.Errorf("%s: gets a token for Kubernetes", name)
		}
	}
}

// Names that refer to each other.
func TestManifestsFitTogether(t *testing.T) {
	names := map[string]string{}
	var policy *networking.NetworkPolicy
	for _, object := range objects(t) {
		switch o := object.(type) {
		case *core.ConfigMap:
			names["config"] = o.Name
		case *core.ServiceAccount:
			names["account"] = o.Name
		case *networking.NetworkPolicy:
			policy = o
		}
	}
	for name, spec := range jobs(t) {
		pod := spec.Template.Spec
		if pod.ServiceAccountName != names["account"] {
			t.Errorf("%s: account %s", name, pod.ServiceAccountName)
		}
		if pod.Volumes[0].ConfigMap.Name != names["config"] {
			t.Errorf("%s: configuration %s", name, pod.Volumes[0].ConfigMap.Name)
		}
		for key, value := range policy.Spec.PodSelector.MatchLabels {
			if spec.Template.Labels[key] != value {
				t.Errorf("%s: the network policy does not apply", name)
			}
		}
		for _, m := range pod.Containers[0].VolumeMounts {
			if !slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == m.Name }) {
				t.Errorf("%s: no volume %s", name, m.Name)
			}
		}
	}
}

// The configuration in the ConfigMap is valid, and reads its token where the pods
// have it.
func TestTheFleetIsValid(t *testing.T) {
	for _, object := range objects(t) {
		config, ok := object.(*core.ConfigMap)
		if !ok {
			continue
		}
		dir := t.TempDir()
		for name, text := range config.Data {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		fleet, _, diags := schema.Load(dir, schema.Options{Version: "0.1.0"})
		if diags.HasErrors() || fleet == nil {
			t.Fatal(diags)
		}
		for name, spec := range jobs(t) {
			mount := spec.Template.Spec.Containers[0].VolumeMounts[1].MountPath
			token := spec.Template.Spec.Volumes[1].Projected.Sources[0].ServiceAccountToken.Path
			if fleet.Vault.Auth.Method != "kubernetes" || fleet.Vault.Auth.TokenFile != mount+"/"+token {
				t.Errorf("%s: the token is at %s/%s, and is read at %s", name, mount, token, fleet.Vault.Auth.TokenFile)
			}
		}
	}
}

func newReader(text []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(text)) }
