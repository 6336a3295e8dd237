package documents

import "github.com/bbsync/bbsync/internal/adopt"

// An Import is what import found and wrote.
type Import struct {
	Header
	File        string               `json:"file"`    // "" when nothing was written
	Records     int                  `json:"records"` // written to Vault
	Connections []ImportedConnection `json:"connections"`
	Left        []Left               `json:"left"` // what matches no connection
}

// An ImportedConnection is one that was imported, or would be.
type ImportedConnection struct {
	Address      string `json:"address"`
	Terraform    string `json:"terraform"`
	Organization string `json:"organization"`
	Bitbucket    string `json:"bitbucket"`
}

// A Left is an object that matches no connection.
type Left struct {
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// NewImport returns the document of an import that has written nothing yet.
func NewImport(found adopt.Proposal) Import {
	doc := Import{Header: header("import"), Connections: []ImportedConnection{}, Left: []Left{}}
	for _, p := range found.Places {
		doc.Connections = append(doc.Connections, ImportedConnection{
			Address: p.Address, Terraform: p.Client.Terraform.Label, Organization: p.Client.Organization, Bitbucket: p.Bitbucket.Label,
		})
	}
	for _, u := range found.Unmatched {
		doc.Left = append(doc.Left, Left{Kind: string(u.Kind), Text: u.Text, Remedy: u.Remedy})
	}
	return doc
}
