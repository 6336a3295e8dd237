package bitbucket

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Version is a dotted version of Bitbucket. Suffixes such as -eap are kept in
// the text and do not count in comparisons: a preview has the features of its
// release.
type Version struct {
	text  string
	parts [4]int
}

// ParseVersion parses "9.4.16", "10.2.1-eap01" and the like.
func ParseVersion(text string) (Version, error) {
	v := Version{text: text}
	numbers, _, _ := strings.Cut(text, "-")
	for i, part := range strings.Split(strings.TrimSpace(numbers), ".") {
		n, err := strconv.Atoi(part)
		if i >= len(v.parts) || err != nil && i > 0 { // 1.2.3.4.5, 7.0.0.rc1
			break
		}
		if err != nil || n < 0 {
			return Version{}, fmt.Errorf("%s is not a version", quote(text))
		}
		v.parts[i] = n
	}
	return v, nil
}

// String returns the version as the server gave it.
func (v Version) String() string { return v.text }

// Known reports whether there is a version at all.
func (v Version) Known() bool { return v.text != "" }

// Compare returns a negative number if v is older than u, 0 if they have the
// same numbers, a positive one if it is newer.
func (v Version) Compare(u Version) int {
	return slices.CompareFunc(v.parts[:], u.parts[:], cmp.Compare[int])
}

// Less reports whether v is older than u.
func (v Version) Less(u Version) bool { return v.Compare(u) < 0 }

// AtLeast reports whether v is known and not older than least ("5.4"). It panics
// if least is not a version: that is a mistake in the program.
func (v Version) AtLeast(least string) bool {
	u, err := ParseVersion(least)
	if err != nil {
		panic("bitbucket: AtLeast: " + err.Error())
	}
	return v.Known() && !v.Less(u)
}

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
