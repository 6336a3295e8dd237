package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// nearest returns a "did you mean" sentence, "" when nothing is near.
func nearest(given string, names []string) string {
	return didYouMean(nearestName(given, names))
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s?", legible(name))
}

// legible quotes a name whose spaces or odd letters would not be seen.
func legible(name string) string {
	if hclsyntax.ValidIdentifier(name) || strings.IndexFunc(name, func(r rune) bool { return r == ' ' || !strconv.IsPrint(r) }) < 0 {
		return name
	}
	return strconv.Quote(name)
}

func nearestName(given string, names []string) string {
	const shortest = 3 // of two letters nearly everything is near
	if len(given) < shortest {
		return ""
	}
	best, bestDistance := "", 1+max(1, min(3, len(given)/3))
	for _, name := range names {
		if d := distance(strings.ToLower(given), strings.ToLower(name)); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	if best != "" {
		return best
	}
	for _, name := range names {
		if len(given) >= 4 && (strings.Contains(name, given) || strings.Contains(given, name) && len(name) >= 4) {
			return name
		}
	}
	return ""
}

// distance counts letters in another order ("crop" for "corp") as one slip.
func distance(a, b string) int {
	if len(a) == len(b) && a != b {
		as, bs := []byte(a), []byte(b)
		slices.Sort(as)
		slices.Sort(bs)
		if slices.Equal(as, bs) {
			return 1
		}
	}
	return levenshtein.Distance(a, b, nil)
}

// shown quotes a value for a message, shortened.
func shown(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
