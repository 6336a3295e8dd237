package plan

// This file has the steps of a Bitbucket, for all of its connections.

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/names"
)

// GrantPermission gives a service user a permission. It belongs to the
// Bitbucket, not to a connection.
type GrantPermission struct{ User, Project, Repository, Permission string }

func (GrantPermission) Type() StepType { return StepType{"grant_permission", "+", "grant"} }

func (s GrantPermission) String() string {
	where := "project " + s.Project
	if s.Repository != "" {
		where = "repository " + s.Project + "/" + s.Repository
	}
	return fmt.Sprintf("bitbucket: grant %s on %s to %s", s.Permission, where, s.User)
}

// Key returns the permission as maps have it: the user however it is spelled.
func (s GrantPermission) Key() GrantPermission {
	s.User = names.UserKey(s.User)
	return s
}

func (GrantPermission) shared() {}

// RemoveUnknownKey deletes an SSH key of a service user that no record of the fleet
// knows, nor the configuration.
type RemoveUnknownKey struct {
	User        string
	ID          int
	Fingerprint string
	Label       string
}

func (RemoveUnknownKey) Type() StepType { return StepType{"remove_unknown_key", "-", "ssh_key"} }

func (s RemoveUnknownKey) String() string {
	text := "bitbucket: delete SSH key " + s.Fingerprint
	if s.Label != "" {
		text += fmt.Sprintf(" (%q)", s.Label)
	}
	return text + " from " + s.User + ", which no record of the fleet knows"
}

func (RemoveUnknownKey) shared() {}

// InstallPlugin installs the webhook plugin (Bitbucket before 5.4).
type InstallPlugin struct{ Key, URL string }

func (InstallPlugin) Type() StepType { return StepType{"install_plugin", "+", "webhook"} }

func (s InstallPlugin) String() string {
	return fmt.Sprintf("bitbucket: install plugin %s from %s", s.Key, s.URL)
}

func (InstallPlugin) shared() {}

// EnablePlugin enables the webhook plugin (Bitbucket before 5.4).
type EnablePlugin struct{ Key string }

func (EnablePlugin) Type() StepType { return StepType{"enable_plugin", "~", "webhook"} }

func (s EnablePlugin) String() string { return "bitbucket: enable plugin " + s.Key }

func (EnablePlugin) shared() {}

// EnableHook enables the webhook plugin's hook in a repository (Bitbucket
// before 5.4).
type EnableHook struct{ Project, Repository, Key string }

func (EnableHook) Type() StepType { return StepType{"enable_hook", "~", "webhook"} }

func (s EnableHook) String() string {
	return fmt.Sprintf("bitbucket: enable the webhook plugin's hook in %s/%s", s.Project, s.Repository)
}

func (EnableHook) shared() {}
