package bitbucket

import (
	"strings"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// maxText is how much of one string of the server an error repeats, in
// characters.
const maxText = 600

// escape makes a string of the server one harmless line, white space as one
// space, and shortens it.
func escape(text string) string {
	return plaintext.Line(plaintext.Cut(strings.Join(strings.Fields(text), " "), maxText))
}
