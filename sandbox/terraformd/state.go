package terraformd

import (
	"encoding/json"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
)

// state is all that the server knows. It is plain, so that it can be saved; what
// makes looking things up fast is in index.
type state struct {
	Users         []*user         `json:"users"`
	Organizations []*organization `json:"organizations"`
	LastNumber    int             `json:"last_number"` // of the organizations, as in connect-path
	Events        []event         `json:"events,omitempty"`
}

func newState() state { return state{} }

type user struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Email     string `json:"email"`
	Password  kept   `json:"password"`
	SiteAdmin bool   `json:"site_admin,omitempty"`

	Tokens []*apiToken `json:"tokens,omitempty"`
}

type organization struct {
	ID        string            `json:"id"` // org-…; the API's id is the name
	Number    int               `json:"number"`
	Name      string            `json:"name"`
	Email     string            `json:"email"`
	CreatedAt time.Time         `json:"created_at"`
	Plan      string            `json:"plan"`
	NoVCS     bool              `json:"no_vcs,omitempty"` // lacks the vcs-integrations entitlement
	Members   map[string]Access `json:"members"`          // by user name

	NoUserTokens bool             `json:"no_user_tokens,omitempty"` // user-tokens-enabled is false
	TokenTTLs    map[string]int64 `json:"token_ttls,omitempty"`     // maximum in milliseconds, by the kind of token
	Tokens       []*apiToken      `json:"tokens,omitempty"`
	Teams        []*team          `json:"teams"`
	Tags         []*tag           `json:"tags,omitempty"`
	Kept         settings         `json:"kept,omitempty"`
	DefaultPool  string           `json:"default_pool,omitempty"` // of agents

	Projects   []*project        `json:"projects"`
	AgentPools []*agentPool      `json:"agent_pools,omitempty"`
	Clients    []*client         `json:"clients,omitempty"`
	Workspaces []*workspace      `json:"workspaces,omitempty"`
	PolicySets []*policySet      `json:"policy_sets,omitempty"`
	Modules    []*registryModule `json:"registry_modules,omitempty"`
}

// Access is what a member may do in an organization.
type Access struct {
	Owner            bool `json:"owner,omitempty"`
	ManageVCS        bool `json:"manage_vcs,omitempty"`
	ManageWorkspaces bool `json:"manage_workspaces,omitempty"`
	ManagePolicies   bool `json:"manage_policies,omitempty"`
	ManageModules    bool `json:"manage_modules,omitempty"`
}

type project struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	Default     bool      `json:"default,omitempty"`
	Kept        settings  `json:"kept,omitempty"`
}

type agentPool struct {
	ID                 string    `json:"id"`
	Name               string    `json:"name"`
	OrganizationScoped bool      `json:"organization_scoped"`
	CreatedAt          time.Time `json:"created_at"`
	Related            related   `json:"related,omitempty"`
}

// client is an OAuth client: an organization's side of a connection.
type client struct {
	ID                 string    `json:"id"`
	UUID               string    `json:"uuid"`
	Name               *string   `json:"name"`
	ServiceProvider    string    `json:"service_provider"`
	HTTPURL            string    `json:"http_url"`
	APIURL             string    `json:"api_url"`
	Key                string    `json:"key"`
	Secret             kept      `json:"secret"`
	RSAPublicKey       string    `json:"rsa_public_key"`
	OrganizationScoped bool      `json:"organization_scoped"`
	Projects           []string  `json:"projects,omitempty"`
	AgentPool          string    `json:"agent_pool,omitempty"`
	CreatedAt          time.Time `json:"created_at"`
	UpdatedAt          time.Time `json:"updated_at"`
	Token              *token    `json:"token,omitempty"`
}

// token is an OAuth token: what a person's Allow left behind.
type token struct {
	ID           string    `json:"id"`
	CreatedAt    time.Time `json:"created_at"`
	User         string    `json:"user"` // service-provider-user
	SSHKey       kept      `json:"ssh_key"`
	Access       kept      `json:"access"`
	AccessSecret kept      `json:"access_secret"`
}

type workspace struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Project     string            `json:"project"`
	Settings    workspaceSettings `json:"settings"`
	AgentPool   string            `json:"agent_pool,omitempty"`
	LockedBy    *ref              `json:"locked_by,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Related     related           `json:"related,omitempty"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Repo        *repo             `json:"repo,omitempty"`
	Versions    []*configuration  `json:"versions,omitempty"`
}

// policySet is one as far as its repository goes: it holds no policies.
type policySet struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Description  string    `json:"description,omitempty"`
	Kind         string    `json:"kind"`
	Global       bool      `json:"global,omitempty"`
	PoliciesPath string    `json:"policies_path,omitempty"`
	Kept         settings  `json:"kept,omitempty"`
	Related      related   `json:"related,omitempty"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	Repo         *repo     `json:"repo,omitempty"`
}

// registryModule is one as far as its repository goes: it has no versions.
type registryModule struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Provider  string    `json:"provider"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Repo      *repo     `json:"repo"`
}

// repo is the link of a workspace, a policy set or a registry module to a
// repository.
type repo struct {
	Token      string `json:"token"` // ot-…
	Identifier string `json:"identifier"`
	Branch     string `json:"branch,omitempty"` // empty: the repository's default
	Submodules bool   `json:"submodules,omitempty"`
	TagsRegex  string `json:"tags_regex,omitempty"`
	TagPrefix  string `json:"tag_prefix,omitempty"`
	Source     string `json:"source,omitempty"` // source-directory
	Hook       string `json:"hook"`             // the uuid in webhook-url
	HookSecret kept   `json:"hook_secret"`
	HookID     string `json:"hook_id,omitempty"` // Bitbucket's id of the webhook
	HTTPURL    string `json:"http_url,omitempty"`
	CloneURL   string `json:"clone_url,omitempty"`
}

// configuration is a configuration version: one fetch of a repository.
type configuration struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"` // fetching, uploaded, errored
	Error     string    `json:"error,omitempty"`
	Message   string    `json:"message,omitempty"`
	Branch    string    `json:"branch,omitempty"`
	Commit    string    `json:"commit,omitempty"`
	CloneURL  string    `json:"clone_url,omitempty"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
}

type event struct {
	ID           string    `json:"id"`
	At           time.Time `json:"at"`
	Level        string    `json:"level"`
	Message      string    `json:"message"`
	Organization string    `json:"organization"`
	Client       string    `json:"client"`
}

// kept is a secret that the state folder holds, as the real server's database
// does. It prints as secret.Text does; only Save and Load see it.
type kept struct{ secret.Text }

func keep(s string) kept { return kept{secret.New(s)} }

// MarshalJSON writes the secret itself.
func (k kept) MarshalJSON() ([]byte, error) { return json.Marshal(k.Reveal()) }

// UnmarshalJSON reads the secret itself.
func (k *kept) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*k = keep(s)
	return nil
}
