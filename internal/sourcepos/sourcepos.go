// Package sourcepos names positions in the configuration's files, as output and
// JSON have them.
package sourcepos

import (
	"path"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// Position is a position in the configuration. Its File has slashes on every
// system and is "" for none.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// Of returns where a range begins.
func Of(r hcl.Range) Position {
	return Position{File: filepath.ToSlash(r.Filename), Line: r.Start.Line, Column: r.Start.Column}
}

// String returns the file's name and the line, "" for no position.
func (p Position) String() string {
	if p.File == "" {
		return ""
	}
	return plaintext.Sprintf("%s:%d", path.Base(p.File), p.Line)
}
