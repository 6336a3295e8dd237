package documents

// A Version says what runs.
type Version struct {
	Header
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Date     string `json:"date"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// NewVersion returns the document of the version.
func NewVersion(version, commit, date, goVersion, platform string) Version {
	return Version{header("version"), version, commit, date, goVersion, platform}
}
