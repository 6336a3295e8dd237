package names

import (
	"net"
	"net/url"
	"strings"
)

// URLKey returns the form of a URL that all spellings share: without default
// port, trailing slash and final dot of the host, in lower case. The path's case
// is ignored, too: links end in an organization's name, and no server was seen
// whose context paths differ in case alone.
func URLKey(raw string) string {
	if isKey(raw) {
		return raw
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" {
		return strings.ToLower(strings.TrimRight(strings.TrimSpace(raw), "/"))
	}
	key := strings.ToLower(u.Scheme + "://" + hostPort(u) + strings.TrimRight(u.EscapedPath(), "/"))
	if u.RawQuery != "" {
		key += "?" + u.RawQuery
	}
	return key
}

// isKey recognizes most URLs that are their own key, which spares parsing them:
// a large fleet compares very many.
func isKey(raw string) bool {
	rest, ok := strings.CutPrefix(raw, "https://")
	if !ok || strings.HasSuffix(rest, "/") {
		return false
	}
	host, path, _ := strings.Cut(rest, "/")
	host, port, hasPort := strings.Cut(host, ":")
	return host != "" && !strings.HasSuffix(host, ".") && isPlain(host) && isPlain(path) && (!hasPort || isOtherPort(port))
}

// isPlain reports whether s has lower case letters, digits, slashes and marks only.
func isPlain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == '/':
		default:
			return false
		}
	}
	return true
}

// isOtherPort reports whether port is a number that https does not imply.
func isOtherPort(port string) bool {
	return port != "" && port != "443" && strings.Trim(port, "0123456789") == ""
}

// SameURL reports whether two URLs lead to one place.
func SameURL(a, b string) bool { return a == b || URLKey(a) == URLKey(b) }

// hostPort returns host and port, without a port that the scheme implies.
func hostPort(u *url.URL) string {
	host, port := strings.TrimSuffix(u.Hostname(), "."), u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	switch {
	case port != "":
		return net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}
