package documents

// An Authorize is what came of waiting for people.
type Authorize struct {
	Header
	ExitCode int       `json:"exit_code"`
	Requests []Request `json:"requests"`
}

// A Request is one click that was waited for.
type Request struct {
	Address      string `json:"address"`
	Organization string `json:"organization"`
	Bitbucket    string `json:"bitbucket"` // its URL
	User         string `json:"user"`      // who must click
	URL          string `json:"url"`
	State        string `json:"state"`
	TokenUser    string `json:"token_user,omitempty"` // whose token is there
	Error        string `json:"error,omitempty"`
}

// NewAuthorize returns one without requests.
func NewAuthorize() Authorize {
	return Authorize{Header: header("authorize"), Requests: []Request{}}
}
