package schema

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// CanonicalURL returns the one spelling of a base URL: lower-case scheme and
// host, no default port, no trailing slash. Bitbucket derives a link's identity
// from the spelling, so that two of them would be two links. It refuses what
// has no place in a base URL, and http except on this machine. Errors do not
// repeat the URL: it may hold a password.
func CanonicalURL(raw string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return "", errors.New("the text does not parse as a URL")
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("a URL here starts with https://")
	case u.Opaque != "" || u.Hostname() == "":
		return "", errors.New("the URL has no host")
	case u.User != nil:
		return "", errors.New("the URL holds a user or password, which do not belong into the files")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(raw, "#"):
		return "", errors.New("the URL holds a query or a fragment, and this is a base URL")
	}
	host, err := canonicalHost(u)
	if err != nil {
		return "", err
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return "", errors.New("http sends keys in the clear and is for this machine only")
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if segment == "." || segment == ".." || segment == "" && path != "" {
			return "", errors.New("the URL's path holds empty or dotted segments")
		}
	}
	return u.Scheme + "://" + host + path, nil
}

func canonicalHost(u *url.URL) (string, error) {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "" || strings.ContainsAny(host, " \t%_") {
		return "", errors.New("the URL's host is not a host name or address")
	}
	if strings.Contains(host, ":") {
		if net.ParseIP(host) == nil {
			return "", errors.New("the URL's host is not a host name or address")
		}
		host = "[" + host + "]"
	}
	port := u.Port()
	if port == "" || port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		return host, nil
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 {
		return "", fmt.Errorf("port %s is not from 1 to 65535", shown(port))
	}
	return host + ":" + strconv.Itoa(n), nil
}

func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// hasUserInfo reports whether the text may hold a password before its host.
func hasUserInfo(raw string) bool {
	return strings.Contains(raw, "@")
}

func urlHint(raw string) string {
	raw = strings.TrimSpace(raw)
	switch {
	case hasUserInfo(raw):
		return "write the URL without user and password; credentials have blocks of their own"
	case strings.HasPrefix(strings.ToLower(raw), "http://"):
		return "write https://; for a private certificate authority there is ca_file"
	case !strings.Contains(raw, "://"):
		return "write https:// in front of it"
	default:
		return `it looks like "https://bitbucket.example.com:8443/context"`
	}
}

// hostOf returns host and port of a canonical URL, and its path, in a form that
// serves as a segment of a path in Vault.
func hostOf(canonical string) string {
	_, rest, _ := strings.Cut(canonical, "://")
	return strings.Map(func(r rune) rune {
		switch r {
		case ':', '/':
			return '-'
		case '[', ']', '%':
			return -1
		default:
			return r
		}
	}, rest)
}
