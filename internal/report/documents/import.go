package documents

// An Import is what import found and wrote.
type Import struct {
	Header
	File        string               `json:"file"`    // "" when nothing was written
	Records     int                  `json:"records"` // written to Vault
	Connections []ImportedConnection `json:"connections"`
	Left        []Left               `json:"left"` // what fits nothing
}

// An ImportedConnection is one that was taken over, or would be.
type ImportedConnection struct {
	Address      string `json:"address"`
	Terraform    string `json:"terraform"`
	Organization string `json:"organization"`
	Bitbucket    string `json:"bitbucket"`
}

// A Left is something that fits no connection.
type Left struct {
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// NewImport returns an empty one.
func NewImport() Import {
	return Import{Header: header("import"), Connections: []ImportedConnection{}, Left: []Left{}}
}
