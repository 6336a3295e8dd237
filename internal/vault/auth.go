package vault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/auth/approle"
	"github.com/hashicorp/vault/api/auth/kubernetes"
	"github.com/hashicorp/vault/api/auth/userpass"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/secret"
)

// The ways to log in.
const (
	MethodToken      = "token" // the default
	MethodAppRole    = "approle"
	MethodKubernetes = "kubernetes"
	MethodJWT        = "jwt"
	MethodUserpass   = "userpass"
	MethodAgent      = "agent" // a Vault Agent or Proxy adds its token to requests that have none
)

// kubernetesToken is where Kubernetes puts a pod's identity.
const kubernetesToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// Auth is one way to log in, with its values.
type Auth struct {
	Method string // one of the Method constants; empty: token
	Mount  string // where the method is mounted; empty: its own name

	Token secret.Text // token

	RoleID   string      // approle
	SecretID secret.Text // approle
	Wrapped  bool        // approle: SecretID is a response-wrapping token, used up by the first login

	Role      string      // kubernetes, jwt
	JWT       secret.Text // jwt, kubernetes; empty: read from TokenFile at every login, since such files rotate
	TokenFile string      // jwt, kubernetes; empty for kubernetes: the pod's own

	Username string      // userpass
	Password secret.Text // userpass
}

func (a Auth) method() string { return or(a.Method, MethodToken) }

func (a Auth) mount() string { return or(strings.Trim(a.Mount, "/"), a.method()) }

// again reports whether a new token can be had by logging in.
func (a Auth) again() bool { return a.method() != MethodToken && !a.agent() }

// agent reports whether the token is an agent's: nothing of it is ours to ask or end.
func (a Auth) agent() bool { return a.method() == MethodAgent }

// check reports what is missing.
func (a Auth) check() error {
	missing := ""
	switch a.method() {
	case MethodToken:
		if a.Token.Empty() {
			missing = "token (set VAULT_TOKEN, or token_env in the auth block)"
		}
	case MethodAppRole:
		if a.RoleID == "" {
			missing = "role id"
		} else if a.SecretID.Empty() {
			missing = "secret id"
		}
	case MethodKubernetes:
		if a.Role == "" {
			missing = "role"
		}
	case MethodJWT:
		if a.Role == "" {
			missing = "role"
		} else if a.JWT.Empty() && a.TokenFile == "" {
			missing = "token or token file"
		}
	case MethodUserpass:
		if a.Username == "" {
			missing = "user name"
		} else if a.Password.Empty() {
			missing = "password"
		}
	case MethodAgent:
		return nil
	default:
		return fmt.Errorf("vault: unknown auth method %q (known: token, approle, kubernetes, jwt, userpass, agent)", clean(a.Method))
	}
	if missing != "" {
		return fmt.Errorf("vault: auth %q: no %s", a.method(), missing)
	}
	return checkPath(a.mount())
}

// logIn gets a token and sets it. The Secret's Auth is never nil.
func (c *Client) logIn(ctx context.Context) (*api.Secret, error) {
	c.login.Lock()
	defer c.login.Unlock()
	return c.logInLocked(ctx)
}

func (c *Client) logInLocked(ctx context.Context) (*api.Secret, error) {
	a := c.cfg.Auth
	if a.agent() {
		return &api.Secret{Auth: &api.SecretAuth{}}, nil
	}
	if !a.again() {
		return c.useToken(ctx)
	}
	var made *api.Secret
	err := c.patiently(ctx, func() error {
		var err error
		made, err = c.loginOnce(ctx)
		return c.loginError(err)
	})
	if err != nil {
		return nil, err
	}
	if made == nil || made.Auth == nil || made.Auth.ClientToken == "" {
		return nil, &Error{
			Op: "logging in at", Path: "auth/" + a.mount(), Kind: ErrUnauthorized,
			Hint: "the answer holds no token; multi-factor logins are not supported",
		}
	}
	c.transport.redact.Add(secret.New(made.Auth.ClientToken))
	c.api.SetToken(made.Auth.ClientToken)
	return made, nil
}

// loginOnce is one login, without the token of the login before.
func (c *Client) loginOnce(ctx context.Context) (*api.Secret, error) {
	bare, err := c.api.CloneWithHeaders()
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	bare.SetMaxRetries(0)
	bare.ClearToken()
	method, err := c.loginMethod(ctx, bare)
	if err != nil {
		return nil, err
	}
	return method.Login(ctx, bare) // what it sends is known to the transport
}

func (c *Client) loginMethod(ctx context.Context, bare *api.Client) (api.AuthMethod, error) {
	a := c.cfg.Auth
	switch a.method() {
	case MethodAppRole:
		id, err := c.secretID(ctx, bare)
		if err != nil {
			return nil, err
		}
		return approle.NewAppRoleAuth(a.RoleID, &approle.SecretID{FromString: id}, approle.WithMountPath(a.mount()))
	case MethodUserpass:
		return userpass.NewUserpassAuth(a.Username, &userpass.Password{FromString: a.Password.Reveal()}, userpass.WithMountPath(a.mount()))
	case MethodKubernetes:
		jwt, err := a.identity(kubernetesToken)
		if err != nil {
			return nil, err
		}
		c.transport.redact.Add(secret.New(jwt))
		return kubernetes.NewKubernetesAuth(a.Role, kubernetes.WithServiceAccountToken(jwt), kubernetes.WithMountPath(a.mount()))
	case MethodJWT:
		jwt, err := a.identity("")
		if err != nil {
			return nil, err
		}
		c.transport.redact.Add(secret.New(jwt))
		return jwtLogin{mount: a.mount(), role: a.Role, jwt: jwt}, nil
	}
	panic("vault: login with method " + a.method())
}

// secretID unwraps once: a wrapping token is good for one use, a login may be
// needed again.
func (c *Client) secretID(ctx context.Context, bare *api.Client) (string, error) {
	a := c.cfg.Auth
	if !a.Wrapped {
		return a.SecretID.Reveal(), nil
	}
	if c.unwrap != nil {
		return *c.unwrap, nil
	}
	wrapped, err := bare.Logical().UnwrapWithContext(ctx, a.SecretID.Reveal())
	if err != nil {
		return "", fmt.Errorf("unwrapping the secret id: %w", err)
	}
	id := ""
	if wrapped != nil {
		id, _ = wrapped.Data["secret_id"].(string)
	}
	if id == "" {
		return "", errors.New("vault: the wrapping token holds no secret id")
	}
	c.transport.redact.Add(secret.New(id))
	c.unwrap = &id
	return id, nil
}

func (a Auth) identity(file string) (string, error) {
	if !a.JWT.Empty() {
		return a.JWT.Reveal(), nil
	}
	data, err := os.ReadFile(or(a.TokenFile, file))
	if err != nil {
		return "", fmt.Errorf("vault: auth %q: reading the identity token: %w", a.method(), err)
	}
	return strings.TrimSpace(string(data)), nil
}

// jwtLogin is the method that vault/api has no helper for.
type jwtLogin struct{ mount, role, jwt string }

func (l jwtLogin) Login(ctx context.Context, client *api.Client) (*api.Secret, error) {
	return client.Logical().WriteWithContext(ctx, "auth/"+l.mount+"/login", map[string]any{"role": l.role, "jwt": l.jwt})
}

// loginError gives a failed login our words. Vault answers a wrong login with
// 400 or 403, a missing mount with 403 or 404.
func (c *Client) loginError(err error) error {
	if err == nil {
		return nil
	}
	path := "auth/" + c.cfg.Auth.mount()
	var said *api.ResponseError
	if !errors.As(err, &said) {
		if net := (*url.Error)(nil); errors.As(err, &net) {
			return &Error{Op: "logging in at", Path: path, Kind: ErrUnavailable, Cause: net.Err, Hint: c.reachHint(net.Err)}
		}
		return err
	}
	if page, ok := httpx.ReadPage(http.Header{}, []byte(strings.Join(said.Errors, ""))); ok {
		return gateway(&Error{Op: "logging in at", Path: path, Status: said.StatusCode}, page)
	}
	e := &Error{
		Op: "logging in at", Path: path, Status: said.StatusCode, Texts: messages(said.Errors, said.RawError), Kind: ErrUnauthorized,
		Hint: "check the credentials, and that the auth method is enabled there",
	}
	switch {
	case said.StatusCode >= http.StatusInternalServerError || said.StatusCode == http.StatusTooManyRequests:
		e.Kind, e.Hint = unavailable(said.StatusCode, e.Texts), ""
	case namespaceMissing(said.StatusCode, e.Texts):
		e.Kind, e.Hint = ErrNoNamespace, "namespace "+c.cfg.Namespace+" is not there"
	}
	return e
}
