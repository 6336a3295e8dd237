package plan

// This file is how steps are shown: nothing else formats a step.

import (
	"fmt"
	"strings"
)

func (s CreateConsumerKey) String() string {
	switch {
	case s.From != "":
		return "vault: take the consumer's RSA pair from " + s.From
	case s.Again && s.Reason != "":
		return fmt.Sprintf("vault: make a new RSA pair of %d bits for consumer key %s; the one before is condemned: %s", s.Bits, s.Key, s.Reason)
	case s.Again:
		return fmt.Sprintf("vault: make a new RSA pair of %d bits for consumer key %s", s.Bits, s.Key)
	case s.Key != "":
		return fmt.Sprintf("vault: make an RSA pair of %d bits and take over consumer key %s", s.Bits, s.Key)
	}
	return fmt.Sprintf("vault: make a consumer key and an RSA pair of %d bits", s.Bits)
}

func (s CreateSSHKey) String() string {
	switch {
	case s.From != "" && s.Role == Current:
		return "vault: take the SSH pair from " + s.From
	case s.From != "":
		return fmt.Sprintf("vault: take the SSH pair from %s (%s)", s.From, s.Role)
	}
	return fmt.Sprintf("vault: make an SSH pair of %d bits (%s)", s.Bits, s.Role)
}

func (s CreateLink) String() string {
	return fmt.Sprintf("bitbucket: create application link %q on %s", s.Name, s.URL)
}

func (s RenameLink) String() string {
	return fmt.Sprintf("bitbucket: rename application link %q to %q", s.From, s.To)
}

func (s DeleteLink) String() string {
	return fmt.Sprintf("bitbucket: delete application link %q on %s with consumer %s", s.Name, s.URL, s.ConsumerKey)
}

func (s SetConsumer) String() string {
	return fmt.Sprintf("bitbucket: set consumer %q in the link to the record's key%s", s.Name, paren(s.Fingerprint))
}

func (ProveConsumer) String() string {
	return "bitbucket: prove the consumer with a request token"
}

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

func (s ProveFetched) String() string {
	text := fmt.Sprintf("terraform: prove that it fetched %s that a run had begun to move: %s", workspaces(len(s.Names)), few(s.Names))
	if s.Back == "" {
		return text + "; the OAuth client that they used is gone, so that they stay"
	}
	return text + "; back to OAuth client " + s.Back + " if it could not"
}

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

func (s AddSSHKey) String() string {
	return fmt.Sprintf("bitbucket: add the %s SSH key to the service user%s", s.Role, paren(s.Fingerprint))
}

func (s DeleteSSHKey) String() string {
	user := "the service user"
	if s.User != "" {
		user += " before, " + s.User
	}
	return "bitbucket: delete SSH key " + s.Fingerprint + " from " + user
}

func (s ProveSSH) String() string {
	return fmt.Sprintf("bitbucket: prove the %s SSH key with whoami over SSH", s.Role)
}

func (s Authorize) String() string {
	if s.Again {
		return fmt.Sprintf("a person: authorize %q again as %s", s.Client, s.User)
	}
	return fmt.Sprintf("a person: authorize %q as %s", s.Client, s.User)
}

func (s SetTokenKey) String() string {
	return fmt.Sprintf("terraform: put the %s private SSH key on the OAuth token%s", s.Role, paren(s.Fingerprint))
}

func (s CondemnKeys) String() string {
	var parts []string
	if len(s.Fingerprints) > 0 {
		parts = append(parts, "the SSH keys "+list(s.Fingerprints))
	}
	if s.Consumer != "" {
		parts = append(parts, "the consumer's pair "+s.Consumer)
	}
	return fmt.Sprintf("vault: condemn %s: %s", strings.Join(parts, " and "), s.Reason)
}

func (s RestageKey) String() string {
	return "vault: stage the previous SSH key again (" + s.Fingerprint + ")"
}

func (s SwitchKey) String() string {
	if s.NoToken {
		return "vault: make the pending SSH key the current one, for the OAuth token to come" + paren(s.Fingerprint)
	}
	return "terraform: switch the OAuth token to the pending private SSH key, the current one from then on" + paren(s.Fingerprint)
}

func (s ProveRefused) String() string {
	return "bitbucket: prove over SSH that the key " + s.Fingerprint + " is refused"
}

func (s RetireKey) String() string {
	return fmt.Sprintf("vault: drop the %s SSH key and destroy the versions that hold it%s", s.Role, paren(s.Fingerprint))
}

func (s SwapConsumer) String() string {
	return "bitbucket and terraform: change the consumer's pair on both, back to back, and prove it with a request token" + paren(s.Fingerprint)
}

func (RetireConsumer) String() string {
	return "vault: drop the consumer's pair before and destroy the versions that hold it"
}

func (s ProveRepositories) String() string {
	if len(s.Repositories) == 0 {
		return "terraform: prove that it reaches Bitbucket"
	}
	return "terraform: prove that it sees " + list(s.Repositories)
}

func (s GrantPermission) String() string {
	where := "project " + s.Project
	if s.Repository != "" {
		where = "repository " + s.Project + "/" + s.Repository
	}
	return fmt.Sprintf("bitbucket: grant %s on %s to %s", s.Permission, where, s.User)
}

func (s RemoveUnknownKey) String() string {
	text := "bitbucket: delete SSH key " + s.Fingerprint
	if s.Label != "" {
		text += fmt.Sprintf(" (%q)", s.Label)
	}
	return text + " from " + s.User + ", which no record of the fleet knows"
}

func (s InstallPlugin) String() string {
	return fmt.Sprintf("bitbucket: install plugin %s from %s", s.Key, s.URL)
}

func (s EnablePlugin) String() string { return "bitbucket: enable plugin " + s.Key }

func (s EnableHook) String() string {
	return fmt.Sprintf("bitbucket: enable the webhook plugin's hook in %s/%s", s.Project, s.Repository)
}

func paren(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
