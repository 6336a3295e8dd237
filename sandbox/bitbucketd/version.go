package bitbucketd

import (
	"fmt"

	goversion "github.com/hashicorp/go-version"
)

type version struct{ *goversion.Version }

func parseVersion(text string) (version, error) {
	v, err := goversion.NewVersion(text)
	if err != nil {
		return version{}, fmt.Errorf("bitbucket version: %w", err)
	}
	return version{v.Core()}, nil
}

// since reports whether the server is of the given version or a newer one.
func (v version) since(major, minor, patch int) bool {
	have := v.Segments()
	for i, want := range []int{major, minor, patch} {
		if have[i] != want {
			return have[i] > want
		}
	}
	return true
}

// What came when. Numbers as in the vendor's release notes and documentation.

func (v version) hasWebhooks() bool      { return v.since(5, 4, 0) }
func (v version) hasHTTPTokens() bool    { return v.since(5, 5, 0) }
func (v version) hasRateLimit() bool     { return v.since(6, 6, 0) }
func (v version) blocksBasic() bool      { return v.since(7, 12, 0) }
func (v version) hasOAuth2Links() bool   { return v.since(7, 20, 0) }
func (v version) hasProjectKeyArg() bool { return v.since(8, 0, 0) }
func (v version) hasArchive() bool       { return v.since(8, 0, 0) }
func (v version) hasKeyExpiry() bool     { return v.since(8, 7, 0) }

// confinesTokens reports whether HTTP access tokens are refused outside /rest and
// /scm. Three release lines got this; the ones between did not.
func (v version) confinesTokens() bool {
	switch {
	case v.since(9, 0, 0):
		return v.since(9, 3, 2)
	case v.since(8, 10, 0):
		return v.since(8, 19, 12)
	}
	return v.since(8, 9, 22)
}

// hasWebSudo reports whether admin resources of plugins ask for a confirmed
// session unless the credentials are Basic. Doubt: the first version is not known;
// the documentation of 9.x describes it and that of 8.2 does not.
func (v version) hasWebSudo() bool { return v.since(9, 0, 0) }

func (v version) hasTSV() bool { return v.since(9, 4, 0) }

// buildNumber is the version in digits: 7.11.2 is 7011002.
func (v version) buildNumber() string {
	seg := v.Segments()
	return fmt.Sprintf("%d%03d%03d", seg[0], seg[1], seg[2])
}
