package tfe

import (
	"context"
	"encoding/json"
	"net/url"
)

// A ConfigurationVersion is one fetch of a workspace's repository.
type ConfigurationVersion struct {
	ID     string
	Status string // "pending", "fetching", "uploaded", "errored", ...
	Error  string // what Terraform says of a fetch that failed
}

// NewestVersion returns a workspace's newest configuration version, the zero one
// when it has none: one request, however many there are.
func (c *Client) NewestVersion(ctx context.Context, workspaceID string) (ConfigurationVersion, error) {
	path, err := objectPath("workspaces", workspaceID, "/configuration-versions")
	if err != nil {
		return ConfigurationVersion{}, err
	}
	req := request{op: "reading the newest configuration version of workspace", object: workspaceID}
	var found list
	if err := c.get(ctx, req, path, url.Values{"page[size]": {"1"}}, &found); err != nil {
		return ConfigurationVersion{}, err
	}
	switch {
	case found.Data == nil:
		return ConfigurationVersion{}, noData(req)
	case len(*found.Data) == 0:
		return ConfigurationVersion{}, nil
	}
	return decodeVersion(req, (*found.Data)[0])
}

func decodeVersion(req request, r resource) (ConfigurationVersion, error) {
	var a struct {
		Status       string `json:"status"`
		Error        string `json:"error"`
		ErrorMessage string `json:"error-message"`
	}
	if err := json.Unmarshal(r.Attributes, &a); err != nil {
		return ConfigurationVersion{}, broken(req, err)
	}
	why := a.ErrorMessage
	if why == "" {
		why = a.Error
	}
	return ConfigurationVersion{ID: r.ID, Status: a.Status, Error: clean(why)}, nil
}
