package pipelines

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// githubMost is how many annotations of one kind GitHub shows of a step.
const githubMost = 10

// GitHub returns findings as the workflow commands that GitHub shows beside the
// lines: the gravest first, and one for those that do not fit.
func GitHub(findings []Finding) string {
	var b strings.Builder
	shown := map[severity]int{}
	left := map[severity]int{}
	for _, f := range findings {
		if shown[f.severity] == githubMost-1 && f.severity != isError || shown[f.severity] == githubMost {
			left[f.severity]++
			continue
		}
		shown[f.severity]++
		fmt.Fprintf(&b, "::%s", []string{"error", "warning", "notice"}[f.severity])
		sep := " "
		for _, property := range githubProperties(f) {
			b.WriteString(sep + property)
			sep = ","
		}
		fmt.Fprintf(&b, "::%s\n", githubData(f.text))
	}
	if n := left[isError] + left[isWarning] + left[isNote]; n > 0 {
		fmt.Fprintf(&b, "::warning title=bbsync::%s\n", githubData(fmt.Sprintf("%d more findings are not shown here; the log of bbsync plan has all", n)))
	}
	return b.String()
}

func githubProperties(f Finding) []string {
	var out []string
	if f.at.File != "" {
		out = append(out, "file="+githubProperty(f.at.File), fmt.Sprintf("line=%d", max(f.at.Line, 1)))
	}
	return append(out, "title="+githubProperty(f.title))
}

// githubData escapes a message, so that no text can begin a command of its own.
func githubData(text string) string {
	return strings.ReplaceAll(plaintext.Line(text), "%", "%25")
}

func githubProperty(text string) string {
	return strings.NewReplacer("%", "%25", ":", "%3A", ",", "%2C").Replace(plaintext.Line(text))
}
