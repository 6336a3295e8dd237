package documents

import "github.com/bbsync/bbsync/internal/audit"

// An Audit is what audit verify found in a trail that is whole.
type Audit struct {
	Header
	File    string `json:"file"`
	Entries int    `json:"entries"`
	Torn    int    `json:"torn"`               // lines that a crash cut off
	Open    bool   `json:"torn_end,omitempty"` // the last of them is the trail's end, for which no entry vouches yet
	Head    string `json:"head"`               // hash of the newest entry
}

// NewAudit returns the document of a trail.
func NewAudit(file string, v audit.Verdict) Audit {
	return Audit{header("audit"), file, v.Entries, v.Torn, v.Open, v.Head}
}
