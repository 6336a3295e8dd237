package terraformd

import (
	"slices"

	goversion "github.com/hashicorp/go-version"
)

// workspaceDefaults are the settings of a workspace that are kept and shown.
func workspaceDefaults() defaults {
	return defaults{
		"allow-destroy-plan": "true", "assessments-enabled": "false", "auto-apply": "false", "auto-apply-run-trigger": "false",
		"auto-destroy-activity-duration": "null", "auto-destroy-at": "null", "file-triggers-enabled": "true", "global-remote-state": "false",
		"hyok-enabled": "false", "inherits-project-auto-destroy": "true", "migration-environment": "null", "project-remote-state": "false",
		"queue-all-runs": "false", "source-name": "null", "source-url": "null", "speculative-enabled": "true",
		"structured-run-output-enabled": "true", "working-directory": `""`,
	}
}

// workspaceSettings are those that are checked, and the rest.
type workspaceSettings struct {
	ExecutionMode    string   `json:"execution-mode"` // empty: the organization's
	TerraformVersion string   `json:"terraform-version"`
	TriggerPrefixes  []string `json:"trigger-prefixes"`
	TriggerPatterns  []string `json:"trigger-patterns"`
	Kept             settings `json:"kept,omitempty"`
}

// overwrites tell whether a workspace or a project has a setting of its own.
type overwrites struct {
	ExecutionMode *bool `json:"execution-mode"`
	AgentPool     *bool `json:"agent-pool"`
}

// mode is the workspace's execution mode: its own, or the organization's default.
func (o *organization) mode(w *workspace) string {
	if w.Settings.ExecutionMode == "" {
		return o.defaultMode()
	}
	return w.Settings.ExecutionMode
}

// pool is the agent pool that the workspace's runs would use.
func (o *organization) pool(w *workspace) string {
	if w.Settings.ExecutionMode == "" {
		return o.DefaultPool
	}
	return w.AgentPool
}

// execution sets where runs are carried out: by execution-mode, by operations, its
// predecessor, or not at all, which is the organization's default.
func (in workspaceInput) execution(w *workspace) error {
	switch own := in.Overwrites.or(overwrites{}).ExecutionMode; {
	case in.ExecutionMode.value != nil && in.Operations.value != nil:
		return unprocessable("operations is deprecated and cannot be specified when execution mode is used")
	case own != nil && !*own:
		w.Settings.ExecutionMode, w.AgentPool = "", ""
	case in.ExecutionMode.value != nil:
		w.Settings.ExecutionMode = *in.ExecutionMode.value
	case in.Operations.value != nil && *in.Operations.value:
		w.Settings.ExecutionMode = "remote"
	case in.Operations.value != nil:
		w.Settings.ExecutionMode = "local"
	}
	set(&w.AgentPool, in.AgentPool)
	if w.Settings.ExecutionMode != "agent" {
		w.AgentPool = ""
	}
	return nil
}

// checkExecution looks whether the mode is known and its agent pool there. The caller
// holds the lock.
func (o *organization) checkExecution(w *workspace) error {
	switch mode := w.Settings.ExecutionMode; {
	case !slices.Contains([]string{"", "remote", "local", "agent"}, mode):
		return invalid("execution-mode", "Execution mode is not included in the list")
	case mode == "agent" && o.agentPool(w.AgentPool) == nil:
		return invalid("agent-pool-id", "Agent pool is required in agent execution mode") // Doubt: the text
	}
	return nil
}

// triggers sets the paths that start runs: prefixes or patterns, of which setting one
// clears the other.
func (in workspaceInput) triggers(w *workspace) error {
	prefixes, patterns := in.TriggerPrefixes.or(nil), in.TriggerPatterns.or(nil)
	if len(prefixes) > 0 && len(patterns) > 0 {
		return unprocessable("trigger-patterns and trigger-prefixes cannot both be populated") // Doubt: the text
	}
	set(&w.Settings.TriggerPrefixes, in.TriggerPrefixes)
	set(&w.Settings.TriggerPatterns, in.TriggerPatterns)
	if len(prefixes) > 0 {
		w.Settings.TriggerPatterns = []string{}
	}
	if len(patterns) > 0 {
		w.Settings.TriggerPrefixes = []string{}
	}
	return nil
}

// terraformVersion reports whether the text is a version, a constraint, or "latest".
// Doubt: whether there is such a release is not looked up.
func terraformVersion(text string) bool {
	if text == "latest" {
		return true
	}
	_, err := goversion.NewConstraint(text)
	return err == nil
}
