// Package documents is the JSON that bbsync prints, and the drift reports that it
// reads again.
package documents

import (
	"encoding/json"
	"fmt"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// FormatVersion is of every JSON that bbsync prints: the first number changes
// when what is there changes its meaning or goes, the second when something is
// added.
const FormatVersion = "1.0"

// A Header begins every JSON document.
type Header struct {
	FormatVersion string `json:"format_version"`
	Kind          string `json:"kind"` // which document it is, and so which schema it follows
}

func header(kind string) Header { return Header{FormatVersion, kind} }

// JSON returns a document as text that is harmless in a log, and a newline.
func JSON(document any) (string, error) {
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encoding a document: %w", err)
	}
	return string(plaintext.JSON(text)) + "\n", nil
}
