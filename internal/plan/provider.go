package plan

import (
	"slices"
	"strconv"
	"strings"

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
	case !atLeast(version, 5, 4):
		return "bitbucket_server_legacy"
	case !atLeast(version, 8, 0):
		return "bitbucket_server"
	}
	return "bitbucket_data_center"
}

// atLeast compares the numbers of a version as far as they are asked for; what
// follows them ("-eap") does not matter here.
func atLeast(version string, want ...int) bool {
	release, _, _ := strings.Cut(version, "-")
	numbers := make([]int, len(want))
	for i, text := range strings.Split(release, ".") {
		if i < len(numbers) {
			numbers[i], _ = strconv.Atoi(text)
		}
	}
	return slices.Compare(numbers, want) >= 0
}
