package names

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// BaseURL checks the address of a server and returns its one spelling:
// lower-case scheme and host, no default port, no trailing slash. Every address
// goes through it, from the configuration or from the environment. It refuses
// http except on this machine. Errors do not repeat the URL: it may hold a
// password.
func BaseURL(raw string) (string, error) {
	u, err := parse(raw)
	switch {
	case err != nil:
		return "", err
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(raw, "#"):
		return "", errors.New("the URL holds a query or a fragment, and this is a base URL")
	}
	host, err := canonicalHost(u)
	if err != nil {
		return "", err
	}
	if strings.Contains(host, "_") {
		return "", errors.New("the URL's host is not a host name or address")
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

// RootURL is BaseURL for a server whose address has no path.
func RootURL(raw string) (string, error) {
	s, err := BaseURL(raw)
	if err == nil && strings.Count(s, "/") > 2 {
		return "", errors.New("the address has no path, only a host and perhaps a port")
	}
	return s, err
}

// CheckReceiver checks the address of a receiver of reports. http is for this
// machine, and for reports that are sent without a credential.
func CheckReceiver(raw string, credential bool) error {
	u, err := parse(raw)
	if err != nil {
		return err
	}
	if _, err := canonicalHost(u); err != nil {
		return err
	}
	if u.Scheme == "http" && credential && !isLoopback(u.Hostname()) {
		return errors.New("http would send the credential in the clear; use https")
	}
	return nil
}

// parse checks what holds for every URL.
func parse(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return nil, errors.New("the text does not parse as a URL")
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("a URL here starts with https://")
	case u.Opaque != "" || u.Hostname() == "":
		return nil, errors.New("the URL has no host")
	case u.User != nil:
		return nil, errors.New("the URL holds a user or password, which do not belong there")
	}
	return u, nil
}

func canonicalHost(u *url.URL) (string, error) {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "" || strings.ContainsAny(host, " \t%") {
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
		return "", fmt.Errorf("port %.20q is not from 1 to 65535", port)
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

// VaultURL is RootURL for Vault, whose address may also be the socket of a Vault
// Agent or Proxy on this machine: unix:///run/vault.sock.
func VaultURL(raw string) (string, error) {
	socket, ok := strings.CutPrefix(strings.TrimSpace(raw), "unix://")
	switch {
	case !ok:
		return RootURL(raw)
	case !strings.HasPrefix(socket, "/") || strings.HasSuffix(socket, "/"):
		return "", errors.New("the address of a socket is unix:// and its whole path, as in unix:///run/vault.sock")
	case strings.ContainsFunc(socket, unicode.IsControl) || strings.ContainsAny(socket, "?#"):
		return "", errors.New("the path of the socket has a character that it cannot have")
	}
	return "unix://" + socket, nil
}
