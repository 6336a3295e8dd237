package bitbucketd

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// SSHKey is a user's public key. Its blob is unique on the server.
type SSHKey struct {
	ID         int    `json:"id"`
	User       string `json:"user"` // lower case
	Text       string `json:"text"`
	Label      string `json:"label"`
	Blob       []byte `json:"blob"`
	Algorithm  string `json:"algorithm"`
	Bits       int    `json:"bits"`
	Created    int64  `json:"created"`
	LastUsed   int64  `json:"lastUsed"`   // 0: never
	ExpiryDays int    `json:"expiryDays"` // 0: never
}

// expired reports whether the key may no longer log in. It stays listed.
func (k *SSHKey) expired(now time.Time) bool {
	return k.ExpiryDays > 0 && !now.Before(time.UnixMilli(k.Created).Add(time.Duration(k.ExpiryDays)*24*time.Hour))
}

// sshKeyBody is a key on the wire. Before 8.7 there are only the first three fields.
// Doubt: some of the others may be older than 8.7.
type sshKeyBody struct {
	ID                int    `json:"id"`
	Text              string `json:"text"`
	Label             string `json:"label"`
	AlgorithmType     string `json:"algorithmType,omitempty"`
	BitLength         int    `json:"bitLength,omitempty"`
	CreatedDate       int64  `json:"createdDate,omitempty"`
	Fingerprint       string `json:"fingerprint,omitempty"`
	LastAuthenticated string `json:"lastAuthenticated,omitempty"`
	ExpiryDays        int    `json:"expiryDays,omitempty"`
	Warning           string `json:"warning,omitempty"`
}

func (c *call) sshKeyBody(k *SSHKey) sshKeyBody {
	body := sshKeyBody{ID: k.ID, Text: k.Text, Label: k.Label}
	if !c.version.hasKeyExpiry() {
		return body
	}
	body.AlgorithmType, body.BitLength, body.CreatedDate, body.ExpiryDays = k.Algorithm, k.Bits, k.Created, k.ExpiryDays
	if key, err := ssh.ParsePublicKey(k.Blob); err == nil {
		body.Fingerprint = strings.TrimPrefix(ssh.FingerprintSHA256(key), "SHA256:")
	}
	if k.LastUsed != 0 {
		body.LastAuthenticated = strconv.FormatInt(k.LastUsed, 10)
	}
	return body
}

// keyOwner returns the user whose keys the query names: the caller itself, or any
// for an administrator. Doubt: HTTP access tokens are refused; not seen.
func (c *call) keyOwner() (*User, error) {
	if c.who.user == nil || c.who.by == byToken {
		return nil, forbid()
	}
	name := c.query("user")
	if name == "" {
		name = c.query("userName")
	}
	if name == "" {
		return c.who.user, nil
	}
	u := c.st.User(name) // the username, not the slug
	if u != c.who.user {
		if err := c.global(Admin); err != nil {
			return nil, err
		}
	}
	if u == nil {
		return nil, refuse(http.StatusNotFound, noSuchUserException, "No such user %s", name)
	}
	return u, nil
}

func listSSHKeys(c *call) (reply, error) {
	u, err := c.keyOwner()
	if err != nil {
		return reply{}, err
	}
	list := []sshKeyBody{}
	for _, k := range c.st.SSHKeys {
		if k.User == strings.ToLower(u.Name) {
			list = append(list, c.sshKeyBody(k))
		}
	}
	return paged(c, list)
}

func addSSHKey(c *call) (reply, error) {
	u, err := c.keyOwner()
	if err != nil {
		return reply{}, err
	}
	in, err := c.sshKeyRequest()
	if err != nil {
		return reply{}, err
	}
	k, err := parseSSHKey(in.Text)
	if err != nil {
		return reply{}, refuse(http.StatusBadRequest, invalidSSHKey,
			"The SSH key is not a valid RSA/DSA/ECDSA/Ed25519 key of a supported length: %s", err)
	}
	if in.Label != "" {
		k.Label = in.Label
	}
	if c.version.hasKeyExpiry() {
		k.ExpiryDays = in.ExpiryDays
		if err := c.st.Settings.SSHPolicy.allow(k); err != nil {
			return reply{}, refuse(http.StatusBadRequest, invalidSSHKey, "%s", err)
		}
	}
	if c.st.keyByBlob(k.Blob) != nil {
		return reply{}, refuse(http.StatusConflict, duplicateSSHKey, "The SSH key already exists on the system.")
	}
	c.st.addSSHKey(u, k, c.now())
	c.wrote("ssh key %d of %s added", k.ID, u.Name)
	return reply{status: http.StatusCreated, body: c.sshKeyBody(k)}, nil
}

type sshKeyRequest struct {
	Text       string `json:"text"`
	Label      string `json:"label"`
	ExpiryDays int    `json:"expiryDays"`
}

// sshKeyRequest reads a new key. expiryDays is a field only since 8.7.
func (c *call) sshKeyRequest() (in sshKeyRequest, err error) {
	if c.version.hasKeyExpiry() {
		err = c.decode(&in)
		return in, err
	}
	var old struct {
		Text  string `json:"text"`
		Label string `json:"label"`
	}
	err = c.decode(&old)
	return sshKeyRequest{Text: old.Text, Label: old.Label}, err
}

func (st *State) addSSHKey(u *User, k *SSHKey, now time.Time) {
	k.ID, k.User, k.Created = st.nextID(), strings.ToLower(u.Name), now.UnixMilli()
	st.SSHKeys = append(st.SSHKeys, k)
}

func (st *State) keyByBlob(blob []byte) *SSHKey {
	for _, k := range st.SSHKeys {
		if bytes.Equal(k.Blob, blob) {
			return k
		}
	}
	return nil
}

func getSSHKey(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	for _, k := range c.st.SSHKeys {
		if strconv.Itoa(k.ID) == c.r.PathValue("id") && c.version.since(8, 0, 0) {
			return reply{body: c.sshKeyBody(k)}, nil
		}
	}
	return reply{}, refuse(http.StatusNotFound, noSuchObjectException, "No SSH key matches the supplied id.")
}

// deleteSSHKey answers 204 also for a key that does not exist. Doubt: newer
// documentation asks for an administrator, older only for permission; here users
// delete their own.
func deleteSSHKey(c *call) (reply, error) {
	if c.who.user == nil || c.who.by == byToken {
		return reply{}, forbid()
	}
	for _, k := range c.st.SSHKeys {
		if strconv.Itoa(k.ID) != c.r.PathValue("id") {
			continue
		}
		if c.st.Users[k.User] != c.who.user && c.global(Admin) != nil {
			return reply{}, forbid()
		}
		c.st.SSHKeys = without(c.st.SSHKeys, func(other *SSHKey) bool { return other == k })
		c.wrote("ssh key %d of %s deleted", k.ID, k.User)
		break
	}
	return reply{status: http.StatusNoContent}, nil
}

// deleteSSHKeys deletes all of a user's keys.
func deleteSSHKeys(c *call) (reply, error) {
	u, err := c.keyOwner()
	if err != nil {
		return reply{}, err
	}
	c.st.SSHKeys = without(c.st.SSHKeys, func(k *SSHKey) bool { return k.User == strings.ToLower(u.Name) })
	c.wrote("all ssh keys of %s deleted", u.Name)
	return reply{status: http.StatusNoContent}, nil
}

// parseSSHKey reads an authorized_keys line without options.
func parseSSHKey(line string) (*SSHKey, error) {
	fields := strings.Fields(line)
	if len(fields) < 2 || strings.ContainsAny(strings.TrimSpace(line), "\r\n") {
		return nil, fmt.Errorf("want one line: type, key, comment")
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return nil, fmt.Errorf("the key is not base64")
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return nil, fmt.Errorf("the key does not parse")
	}
	if key.Type() != fields[0] {
		return nil, fmt.Errorf("the key is of type %s", key.Type())
	}
	k := &SSHKey{Text: strings.TrimSpace(line), Label: strings.Join(fields[2:], " "), Blob: blob}
	k.Algorithm, k.Bits = measure(key)
	if k.Bits == 0 || k.Algorithm == "RSA" && k.Bits < 768 {
		return nil, fmt.Errorf("%s of %d bits is not supported", key.Type(), k.Bits)
	}
	return k, nil
}

// SSHPolicy is what an administrator asks of SSH keys (since 8.7).
type SSHPolicy struct {
	MaxExpiryDays int                  `json:"maxExpiryDays"` // 0: keys need not expire
	Restrictions  []SSHKeyTypeRestrict `json:"keyTypeRestrictions"`
	// DefaultToMax gives a key without expiry the longest one instead of refusing
	// it. Doubt: which of the two the real server does.
	DefaultToMax bool `json:"defaultToMax"`
}

// SSHKeyTypeRestrict is the policy for one type of keys.
type SSHKeyTypeRestrict struct {
	Algorithm    string `json:"algorithm"`
	Allowed      bool   `json:"allowed"`
	MinKeyLength int    `json:"minKeyLength,omitempty"`
}

// allow checks a new key, and gives it its expiry.
func (p SSHPolicy) allow(k *SSHKey) error {
	i := slices.IndexFunc(p.Restrictions, func(r SSHKeyTypeRestrict) bool { return r.Algorithm == k.Algorithm })
	if i >= 0 && !p.Restrictions[i].Allowed {
		return fmt.Errorf("%s keys are not allowed on this server", k.Algorithm)
	}
	if i >= 0 && k.Bits < p.Restrictions[i].MinKeyLength {
		return fmt.Errorf("%s keys must have at least %d bits, this one has %d", k.Algorithm, p.Restrictions[i].MinKeyLength, k.Bits)
	}
	if k.ExpiryDays < 0 || k.ExpiryDays > math.MaxInt16 {
		return fmt.Errorf("an expiry of %d days is not possible", k.ExpiryDays)
	}
	switch {
	case p.MaxExpiryDays == 0:
	case k.ExpiryDays == 0 && p.DefaultToMax:
		k.ExpiryDays = p.MaxExpiryDays
	case k.ExpiryDays == 0 || k.ExpiryDays > p.MaxExpiryDays:
		return fmt.Errorf("SSH keys must expire in at most %d days", p.MaxExpiryDays)
	}
	return nil
}

// getSSHPolicy is what the vendor's document calls GET /admin, without saying in
// which module. Doubt: that it is this one.
func getSSHPolicy(c *call) (reply, error) {
	if !c.version.hasKeyExpiry() {
		return unknownREST(c)
	}
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	policy := c.st.Settings.SSHPolicy
	body := struct {
		MaxExpiryDays *int                 `json:"maxExpiryDays"`
		Restrictions  []SSHKeyTypeRestrict `json:"keyTypeRestrictions"`
	}{Restrictions: policy.Restrictions}
	if policy.MaxExpiryDays > 0 {
		body.MaxExpiryDays = &policy.MaxExpiryDays
	}
	if body.Restrictions == nil {
		body.Restrictions = []SSHKeyTypeRestrict{}
	}
	return reply{body: body}, nil
}
