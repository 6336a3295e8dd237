package bitbucket

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
)

// A Version is a dotted version of Bitbucket. Suffixes such as -eap are kept in
// the text and do not count in comparisons: a preview has the features of its
// release.
type Version struct{ text string }

// ParseVersion parses "9.4.16", "10.2.1-eap01" and the like: what begins with a number.
func ParseVersion(text string) (Version, error) {
	major, _, _ := strings.Cut(strings.TrimSpace(text), ".")
	major, _, _ = strings.Cut(major, "-")
	if _, err := strconv.ParseUint(major, 10, 31); err != nil {
		return Version{}, fmt.Errorf("%s is not a version", quote(text))
	}
	return Version{text: text}, nil
}

// String returns the version as the server gave it.
func (v Version) String() string { return v.text }

// Known reports whether there is a version at all.
func (v Version) Known() bool { return v.text != "" }

// AtLeast reports whether v is known and not older than least ("5.4").
func (v Version) AtLeast(least string) bool { return v.Known() && names.VersionAtLeast(v.text, least) }

// MarshalText returns what String does.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.text), nil }

// UnmarshalText parses what MarshalText wrote.
func (v *Version) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*v = Version{}
		return nil
	}
	u, err := ParseVersion(string(text))
	*v = u
	return err
}
