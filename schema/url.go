package schema

import (
	"strings"

	"github.com/bbsync/bbsync/internal/names"
)

// CanonicalURL returns the one spelling of a base URL: lower-case scheme and
// host, no default port, no trailing slash. Bitbucket derives a link's identity
// from the spelling, so that two of them would be two links. It refuses what
// has no place in a base URL, and http except on this machine. Errors do not
// repeat the URL: it may hold a password.
func CanonicalURL(raw string) (string, error) { return names.BaseURL(raw) }

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
