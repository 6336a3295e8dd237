package plan

import (
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// ServiceProvider returns the value that Terraform uses for a Bitbucket of this
// version: go-tfe's comments draw the line at 5.4, the vendor's page recommends
// Data Center 8.0 and newer. The files can say otherwise, as nothing documents
// which values a given Terraform still accepts.
func ServiceProvider(want *schema.Connection, version string) string {
	switch {
	case want.ServiceProvider != "":
		return want.ServiceProvider
	case want.Bitbucket.ServiceProvider != "":
		return want.Bitbucket.ServiceProvider
	case !names.VersionAtLeast(version, "5.4"):
		return "bitbucket_server_legacy"
	case !names.VersionAtLeast(version, "8.0"):
		return "bitbucket_server"
	}
	return "bitbucket_data_center"
}
