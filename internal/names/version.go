package names

import (
	"slices"
	"strconv"
	"strings"
)

// VersionAtLeast compares the numbers of two dotted versions. What follows a hyphen
// does not count: 10.2.1-eap01 has the features of 10.2.1.
func VersionAtLeast(version, least string) bool {
	have, want := versionNumbers(version), versionNumbers(least)
	return slices.Compare(have[:], want[:]) >= 0
}

// versionNumbers returns the numbers up to the first part that is none.
func versionNumbers(version string) (numbers [4]int) {
	release, _, _ := strings.Cut(version, "-")
	for i, part := range strings.SplitN(strings.TrimSpace(release), ".", len(numbers)+1) {
		n, err := strconv.Atoi(part)
		if err != nil || i == len(numbers) {
			break
		}
		numbers[i] = n
	}
	return numbers
}
