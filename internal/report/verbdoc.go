package report

import "github.com/bbsync/bbsync/internal/audit"

// This file is the JSON of verbs that are about something other than a plan.

// An ImportDocument is what import found and wrote.
type ImportDocument struct {
	Header
	File        string               `json:"file"`    // "" when nothing was written
	Records     int                  `json:"records"` // written to Vault
	Connections []ImportedConnection `json:"connections"`
	Left        []LeftDocument       `json:"left"` // what fits nothing
}

// An ImportedConnection is one that was taken over, or would be.
type ImportedConnection struct {
	Address      string `json:"address"`
	Terraform    string `json:"terraform"`
	Organization string `json:"organization"`
	Bitbucket    string `json:"bitbucket"`
}

// A LeftDocument is something that fits no connection.
type LeftDocument struct {
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// NewImportDocument returns an empty one.
func NewImportDocument() ImportDocument {
	return ImportDocument{Header: header("import"), Connections: []ImportedConnection{}, Left: []LeftDocument{}}
}

// An AuthorizeDocument is what came of waiting for people.
type AuthorizeDocument struct {
	Header
	ExitCode int               `json:"exit_code"`
	Requests []RequestDocument `json:"requests"`
}

// A RequestDocument is one click that was waited for.
type RequestDocument struct {
	Address      string `json:"address"`
	Organization string `json:"organization"`
	Bitbucket    string `json:"bitbucket"` // its URL
	User         string `json:"user"`      // who must click
	URL          string `json:"url"`
	State        string `json:"state"`
	TokenUser    string `json:"token_user,omitempty"` // whose token is there
	Error        string `json:"error,omitempty"`
}

// NewAuthorizeDocument returns one without requests.
func NewAuthorizeDocument() AuthorizeDocument {
	return AuthorizeDocument{Header: header("authorize"), Requests: []RequestDocument{}}
}

// An AuditDocument is what audit verify found in a trail that is whole.
type AuditDocument struct {
	Header
	File    string `json:"file"`
	Entries int    `json:"entries"`
	Torn    int    `json:"torn"`               // lines that a crash cut off
	Open    bool   `json:"torn_end,omitempty"` // the last of them is the trail's end, for which no entry vouches yet
	Head    string `json:"head"`               // hash of the newest entry
}

// NewAuditDocument returns the document of a trail.
func NewAuditDocument(file string, v audit.Verdict) AuditDocument {
	return AuditDocument{header("audit"), file, v.Entries, v.Torn, v.Open, v.Head}
}
