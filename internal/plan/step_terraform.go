package plan

// This file has the steps on Terraform, and the manual step.

import (
	"fmt"
	"strings"
)

// CreateClient makes the OAuth client, or finds it made by its consumer key.
type CreateClient struct {
	Name            string
	HTTPURL, APIURL string
	ServiceProvider string
	Scoped          bool     // every project of the organization may use it
	Projects        []string // names, when not Scoped
	AgentPool       string
}

func (CreateClient) Type() StepType { return StepType{"create_client", "+", "client"} }

func (s CreateClient) String() string {
	text := fmt.Sprintf("terraform: create OAuth client %q for %s as %s", s.Name, s.HTTPURL, s.ServiceProvider)
	if !s.Scoped {
		text += fmt.Sprintf(", for projects %s only", list(s.Projects))
	}
	if s.AgentPool != "" {
		text += fmt.Sprintf(", through agent pool %q", s.AgentPool)
	}
	return text
}

// UpdateClient changes the OAuth client in place. A nil or false field stays.
type UpdateClient struct {
	ID        string
	Name      *string
	Keys      bool // consumer key and pair from the record
	Scoped    *bool
	Projects  *[]string
	AgentPool *string
}

func (UpdateClient) Type() StepType { return StepType{"update_client", "~", "client"} }

func (s UpdateClient) String() string {
	var parts []string
	if s.Name != nil {
		parts = append(parts, fmt.Sprintf("name to %q", *s.Name))
	}
	if s.Keys {
		parts = append(parts, "keys to the record's")
	}
	if s.Scoped != nil {
		parts = append(parts, fmt.Sprintf("organization-scoped to %t", *s.Scoped))
	}
	if s.Projects != nil {
		parts = append(parts, "projects to "+list(*s.Projects))
	}
	if s.AgentPool != nil {
		parts = append(parts, fmt.Sprintf("agent pool to %q", *s.AgentPool))
	}
	return "terraform: update the OAuth client in place: " + strings.Join(parts, ", ")
}

// DeleteClient deletes an OAuth client and its tokens, which unlinks every
// workspace that uses them. What becomes of others that do is not documented.
type DeleteClient struct {
	ID, Name   string
	Why        string
	Unlinks    int      `json:",omitempty"` // workspaces, as counted when it was planned
	Workspaces []string `json:",omitempty"` // names, as far as they are known
	Others     []string `json:",omitempty"` // what else uses them: policy set "baseline"
}

func (DeleteClient) Type() StepType { return StepType{"delete_client", "-", "client"} }

func (s DeleteClient) String() string {
	text := fmt.Sprintf("terraform: delete OAuth client %q (%s): %s", s.Name, s.ID, s.Why)
	if s.Unlinks > 0 {
		text += fmt.Sprintf("; unlinks %s (%s)", workspaces(s.Unlinks), few(s.Workspaces))
	}
	if len(s.Others) > 0 {
		text += "; takes the OAuth token from " + few(s.Others)
	}
	return text
}

// Authorize is the one step that a person does: click Allow as the service
// user.
type Authorize struct {
	Client string // the OAuth client's name
	User   string // who must be logged in to Bitbucket
	Again  bool   // there is a token already, which does not work
}

func (Authorize) Type() StepType { return StepType{"authorize", "!", "authorization"} }

func (s Authorize) String() string {
	if s.Again {
		return fmt.Sprintf("a person: authorize %q again as %s", s.Client, s.User)
	}
	return fmt.Sprintf("a person: authorize %q as %s", s.Client, s.User)
}

// SetTokenKey gives Terraform the private half.
type SetTokenKey struct {
	Role        Role
	Fingerprint string
}

func (SetTokenKey) Type() StepType { return StepType{"set_token_key", "~", "token_key"} }

func (s SetTokenKey) String() string {
	return fmt.Sprintf("terraform: put the %s private SSH key on the OAuth token%s", s.Role, paren(s.Fingerprint))
}

// SwitchKey gives Terraform the pending SSH key, which becomes the current one;
// the one before becomes the previous.
type SwitchKey struct {
	Fingerprint string // "" when the pair does not exist yet
	NoToken     bool   // the service user has no OAuth token yet: only the record changes
}

func (SwitchKey) Type() StepType { return StepType{"switch_key", "~", "rotation"} }

func (s SwitchKey) String() string {
	if s.NoToken {
		return "vault: make the pending SSH key the current one, for the OAuth token to come" + paren(s.Fingerprint)
	}
	return "terraform: switch the OAuth token to the pending private SSH key, the current one from then on" + paren(s.Fingerprint)
}

// ProveRepositories asks Terraform which repositories it sees, where its
// version can tell.
type ProveRepositories struct{ Repositories []string } // PROJECT/slug

func (ProveRepositories) Type() StepType { return StepType{"prove_repositories", "?", "grant"} }

func (s ProveRepositories) String() string {
	if len(s.Repositories) == 0 {
		return "terraform: prove that it reaches Bitbucket"
	}
	return "terraform: prove that it sees " + list(s.Repositories)
}

// MoveWorkspaces has workspaces use this connection's OAuth token in place of
// another client's, and waits for Terraform to fetch their repositories with it.
// When one cannot be fetched, those of the wave go back.
type MoveWorkspaces struct {
	From     string // id of the OAuth client that they use
	Wave, Of int
	Canary   bool
	Names    []string
}

func (MoveWorkspaces) Type() StepType { return StepType{"move_workspaces", "~", "workspaces"} }

func (s MoveWorkspaces) String() string {
	return fmt.Sprintf("terraform: move %s from OAuth client %s to this one%s: %s", workspaces(len(s.Names)), s.From, s.wave(), few(s.Names))
}

func (s MoveWorkspaces) wave() string {
	switch {
	case s.Of == 1:
		return ""
	case s.Canary:
		return fmt.Sprintf(", wave 1 of %d, the canary", s.Of)
	}
	return fmt.Sprintf(", wave %d of %d", s.Wave, s.Of)
}

// ProveFetched looks whether Terraform fetched the repositories of workspaces
// that were moved by a run that did not see the end of it. When one could not be
// fetched, all of them go back.
type ProveFetched struct {
	Back  string // id of the OAuth client that they go back to; "": it is gone, and they stay
	Names []string
}

func (ProveFetched) Type() StepType { return StepType{"prove_fetched", "?", "workspaces"} }

func (s ProveFetched) String() string {
	text := fmt.Sprintf("terraform: prove that it fetched %s that a run had begun to move: %s", workspaces(len(s.Names)), few(s.Names))
	if s.Back == "" {
		return text + "; the OAuth client that they used is gone, so that they stay"
	}
	return text + "; back to OAuth client " + s.Back + " if it could not"
}
