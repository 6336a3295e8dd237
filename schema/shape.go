package schema

// This file is the grammar: which blocks there are, what may stand in them.
// The checks of names, the reference in docs/language.md and the test that puts
// a secret into every place all go by it.

// A kind is what an attribute takes.
type kind int

const (
	anything kind = iota // judged where it is used
	text
	number
	boolean
	texts // a list or set of texts
)

// A shape is what may stand in a block.
type shape struct {
	labels   int // how many labels the block has
	attrs    map[string]kind
	required []string // attributes and blocks
	blocks   map[string]*shape
	many     []string          // blocks that may be repeated
	instead  map[string]string // names people write here by mistake → what to do
	anyName  bool              // attributes have names of the user's choice
}

func fileShape() *shape {
	return &shape{
		blocks: map[string]*shape{
			"bbsync": bbsyncShape(), "vault": vaultShape(), "terraform": terraformShape(), "bitbucket": bitbucketShape(),
			"connection": connectionShape(), "variable": variableShape(), "locals": {anyName: true},
			"moved":   {attrs: map[string]kind{"from": anything, "to": anything}, required: []string{"from", "to"}},
			"removed": {attrs: map[string]kind{"from": anything}, required: []string{"from"}},
		},
		many: []string{"terraform", "bitbucket", "connection", "variable", "locals", "moved", "removed"},
		instead: map[string]string{
			"provider": `bbsync has no providers: describe the systems with terraform "..." and bitbucket "..." blocks`,
			"resource": `bbsync has no resources: describe what you want with connection "..." blocks`,
			"module":   "bbsync has no modules: one folder is one fleet, and connection blocks take for_each",
			"output":   "bbsync has no outputs: use --json for other programs",
			"backend":  "bbsync keeps no state file: the systems and Vault are the state",
		},
	}
}

func bbsyncShape() *shape {
	return &shape{
		attrs:    map[string]kind{"required_version": text, "fleet": text, "max_removals": number},
		required: []string{"fleet"},
		blocks:   map[string]*shape{"maintenance": maintenanceShape()},
	}
}

func maintenanceShape() *shape {
	return &shape{
		attrs:    map[string]kind{"schedule": text, "duration": text, "time_zone": text},
		required: []string{"schedule", "duration"},
	}
}

func vaultShape() *shape {
	s := &shape{
		attrs: map[string]kind{"address": text, "namespace": text, "ca_file": text, "mount": text, "path": text},
		blocks: map[string]*shape{"auth": {
			labels: 1,
			attrs: map[string]kind{
				"mount": text, "role": text, "token_file": text, "token_env": text, "role_id_env": text,
				"secret_id_env": text, "wrapped": boolean, "username": text, "password_env": text,
			},
			instead: map[string]string{
				"role_id":   `name the environment variable that holds it: role_id_env = "BBSYNC_ROLE_ID"`,
				"secret_id": `name the environment variable that holds it: secret_id_env = "BBSYNC_SECRET_ID"`,
				"password":  `name the environment variable that holds it: password_env = "BBSYNC_PASSWORD"`,
				"token":     `name the environment variable that holds it: token_env = "VAULT_TOKEN"`,
				"jwt":       `name the file that holds it: token_file = "/run/token", or token_env`,
			},
		}},
		instead: map[string]string{
			"token": `log in with the token of VAULT_TOKEN, or name another variable: auth "token" { token_env = "MY_TOKEN" }`,
		},
	}
	addGatewayShape(s, ownSecretShape)
	return s
}

// secretShape is a block that says where a secret is kept.
func secretShape() *shape {
	return &shape{
		attrs: map[string]kind{"vault": text, "env": text},
		instead: map[string]string{
			"value": `secrets are not written in the files: vault = "secret/path#field" or env = "NAME"`,
			"file":  `put it into Vault and name its place: vault = "secret/path#field"`,
		},
	}
}

func tokenShape() *shape {
	s := secretShape()
	s.attrs["credentials_file"] = boolean
	return s
}

func terraformShape() *shape {
	s := &shape{
		labels: 1,
		attrs:  map[string]kind{"address": text, "ca_file": text, "rate_limit": number},
		blocks: map[string]*shape{"token": tokenShape()},
		instead: map[string]string{
			"required_version": "it stands in the bbsync block",
			"url":              "it is called address here",
			"hostname":         `write address = "https://<hostname>"`,
			"organization":     "it stands in the connection block",
			"backend":          "bbsync keeps no state file: the systems and Vault are the state",
		},
	}
	addGatewayShape(s, secretShape)
	return s
}

func bitbucketShape() *shape {
	s := &shape{
		labels:   1,
		attrs:    map[string]kind{"url": text, "ca_file": text, "service_provider": text, "rate_limit": number, "known_ssh_keys": texts},
		required: []string{"url", "admin"},
		blocks: map[string]*shape{
			"admin": {
				attrs:    map[string]kind{"username": text, "oauth": boolean},
				required: []string{"username"},
				blocks:   map[string]*shape{"password": secretShape(), "totp": secretShape()},
			},
			"ssh":            {attrs: map[string]kind{"host": text, "port": number, "host_keys": texts}},
			"webhook_plugin": {attrs: map[string]kind{"install": boolean, "url": text}},
		},
		instead: map[string]string{
			"address":  "it is called url here",
			"username": "it stands in the admin block",
			"token":    "application links need an administrator: HTTP access tokens cannot manage them, a password or oauth = true in the admin block can",
		},
	}
	addGatewayShape(s, secretShape)
	return s
}

func connectionShape() *shape {
	return &shape{
		labels: 1,
		attrs: map[string]kind{
			"for_each": anything, "terraform": anything, "bitbucket": anything,
			"organization": text, "service_user": text, "name": text, "organization_scoped": boolean, "projects": texts,
			"agent_pool": text, "service_provider": text, "record": text, "protect": boolean, "adopt": boolean,
		},
		required: []string{"terraform", "organization", "bitbucket", "service_user"},
		blocks: map[string]*shape{
			"ssh_key": {
				attrs:   map[string]kind{"bits": number, "rotate_after": text, "overlap": text},
				blocks:  map[string]*shape{"private_key": secretShape()},
				instead: onlyRSA(),
			},
			"consumer": {
				attrs:   map[string]kind{"bits": number, "name": text, "rotate_after": text, "key": text},
				blocks:  map[string]*shape{"private_key": secretShape()},
				instead: onlyRSA(),
			},
			"application_link": {attrs: map[string]kind{"url": text, "name": text}},
			"grant": {
				attrs:    map[string]kind{"project": text, "repository": text, "repositories": texts, "permission": text},
				required: []string{},
			},
			"relocate": {
				attrs:    map[string]kind{"from": anything, "first": number, "wave": number},
				required: []string{"from"},
			},
			"token":       secretShape(),
			"maintenance": maintenanceShape(),
		},
		many: []string{"grant"},
		instead: map[string]string{
			"count":      "use for_each: instances are named by key, so that a new one moves no other",
			"depends_on": "connections do not depend on each other",
			"lifecycle":  "write protect = true to keep a connection from being removed",
		},
	}
}

func onlyRSA() map[string]string {
	const hint = "there is no choice: Terraform takes RSA keys in PEM; bits sets the size"
	return map[string]string{"type": hint, "algorithm": hint, "key_type": hint, "passphrase": "Terraform cannot use a key with a passphrase"}
}

func variableShape() *shape {
	return &shape{
		labels: 1,
		attrs:  map[string]kind{"type": anything, "default": anything, "description": text, "nullable": boolean},
		blocks: map[string]*shape{"validation": {
			attrs:    map[string]kind{"condition": anything, "error_message": anything},
			required: []string{"condition", "error_message"},
		}},
		many: []string{"validation"},
		instead: map[string]string{
			"sensitive": "a variable cannot hold a secret: values of variables are shown in plans and messages. " +
				`Say where the secret is kept instead: token { vault = "secret/path#field" } or token { env = "NAME" }`,
		},
	}
}
