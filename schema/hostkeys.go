package schema

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what known_hosts hashes names with; it protects nothing here
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// hostKeys returns the keys of host_keys in authorized_keys form, each once. A
// string may hold several lines, as ssh-keyscan prints them: every line is a key,
// a comment or a mistake, so that none is left out unnoticed.
func (v view) hostKeys(names hostNames) []string {
	var out []string
	for i, text := range v.texts("host_keys") {
		found := false
		for n, line := range strings.Split(text, "\n") {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			found = true
			key, err := names.parse(line)
			if err != nil {
				v.fail("host_keys", ruleHostKey, "Not a host key", fmt.Sprintf("%s %s.", shownLine(line, n, i), err),
					"as ssh-keyscan prints it for this server, or without the host in front: \"ssh-ed25519 AAAA...\"")
				continue
			}
			if pin := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))); !slices.Contains(out, pin) {
				out = append(out, pin)
			}
		}
		if !found {
			v.fail("host_keys", ruleHostKey, "No host key", fmt.Sprintf("String %d of host_keys holds no key.", i+1), "leave it out, or check the file that it was read from")
		}
	}
	return out
}

// shownLine names a line of a string: by its place too where there are several.
func shownLine(line string, n, i int) string {
	if n == 0 {
		return shown(line)
	}
	return fmt.Sprintf("%s, line %d of string %d,", shown(line), n+1, i+1)
}

// hostNames are the names that a server may have in a line of known_hosts.
type hostNames struct {
	hosts []string
	ports []int
}

// sshNames returns the names of a Bitbucket's SSH server: of its ssh block, else
// of its URL.
func sshNames(s SSHServer, bitbucket string) hostNames {
	n := hostNames{ports: []int{22, 7999}}
	if s.Port != 0 {
		n.ports = []int{s.Port}
	}
	if s.Host != "" {
		n.hosts = []string{s.Host}
	} else if u, err := url.Parse(bitbucket); err == nil && u.Hostname() != "" {
		n.hosts = []string{strings.ToLower(u.Hostname())}
	}
	return n
}

// parse returns the key of one line: of the authorized_keys form without options,
// or of known_hosts with a name of this server.
func (n hostNames) parse(line string) (ssh.PublicKey, error) {
	if key, ok := bareKey(line); ok {
		return key, nil
	}
	marker, patterns, key, _, _, err := ssh.ParseKnownHosts([]byte(line))
	switch {
	case err != nil:
		return nil, errors.New("is not a public key")
	case marker != "":
		return nil, fmt.Errorf("is marked @%s: bbsync pins keys themselves, and takes neither authorities nor revocations", marker)
	case !n.match(patterns):
		return nil, fmt.Errorf("is the key of another host than %s: set host in the ssh block if that is its name", strings.Join(n.hosts, " or "))
	}
	return key, nil
}

// bareKey parses a line that begins with the type of its key.
func bareKey(line string) (ssh.PublicKey, bool) {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return nil, false
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return nil, false
	}
	key, err := ssh.ParsePublicKey(blob)
	return key, err == nil && key.Type() == fields[0]
}

// match reports whether one of the patterns is a name of the server and none
// excludes it.
func (n hostNames) match(patterns []string) bool {
	matched := false
	for _, pattern := range patterns {
		pattern, not := strings.CutPrefix(pattern, "!")
		if !slices.ContainsFunc(n.hosts, func(host string) bool { return n.matchOne(pattern, host) }) {
			continue
		}
		if not {
			return false
		}
		matched = true
	}
	return matched
}

func (n hostNames) matchOne(pattern, host string) bool {
	if hashed, ok := strings.CutPrefix(pattern, "|1|"); ok {
		return isHash(hashed, host) || slices.ContainsFunc(n.ports, func(port int) bool {
			return isHash(hashed, "["+host+"]:"+strconv.Itoa(port))
		})
	}
	if bare, port, err := net.SplitHostPort(pattern); err == nil && strings.HasPrefix(pattern, "[") {
		if number, err := strconv.Atoi(port); err != nil || !slices.Contains(n.ports, number) && len(n.ports) == 1 {
			return false
		}
		pattern = bare
	}
	ok, err := path.Match(strings.ToLower(pattern), host)
	return err == nil && ok
}

// isHash reports whether "salt|hash" is the hash of a name.
func isHash(hashed, name string) bool {
	salt, want, _ := strings.Cut(hashed, "|")
	key, err := base64.StdEncoding.DecodeString(salt)
	if err != nil {
		return false
	}
	sum := hmac.New(sha1.New, key)
	sum.Write([]byte(name))
	return base64.StdEncoding.EncodeToString(sum.Sum(nil)) == want
}
