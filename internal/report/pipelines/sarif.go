package pipelines

import (
	"net/url"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/report/documents"
)

// The limits of GitHub's code scanning, the strictest reader of SARIF.
const sarifMostResults = 25_000

// The parts of SARIF 2.1.0 that bbsync writes.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	InformationURI string      `json:"informationUri"`
	Version        string      `json:"version,omitempty"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string       `json:"id"`
	ShortDescription sarifMessage `json:"shortDescription"`
}

type sarifMessage struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               string            `json:"level"`
	Message             sarifMessage      `json:"message"`
	Locations           []sarifLocation   `json:"locations"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	PhysicalLocation sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

// SARIF returns findings as a SARIF log; the gravest first where there are too
// many. Every result has a place: readers drop those without.
func SARIF(findings []Finding, version string) (string, error) {
	if len(findings) > sarifMostResults {
		findings = findings[:sarifMostResults]
	}
	driver := sarifDriver{Name: "bbsync", InformationURI: "https://github.com/bbsync/bbsync", Version: version, Rules: []sarifRule{}}
	index := map[string]int{}
	results := []sarifResult{}
	for _, f := range findings {
		if _, ok := index[f.rule]; !ok {
			index[f.rule] = len(driver.Rules)
			driver.Rules = append(driver.Rules, sarifRule{f.rule, sarifMessage{ruleText(f.rule)}})
		}
		results = append(results, sarifResult{
			RuleID: f.rule, RuleIndex: index[f.rule], Level: sarifLevel(f.severity), Message: sarifText(f.title + ": " + f.text),
			Locations:           []sarifLocation{{sarifPhysical{sarifArtifact{uri(f.at.File)}, sarifRegion{max(f.at.Line, 1), f.at.Column}}}},
			PartialFingerprints: map[string]string{"bbsync/v1": f.fingerprint},
		})
	}
	return documents.JSON(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{sarifTool{driver}, "utf16CodeUnits", results}},
	})
}

// sarifText escapes a message. [text](target) is a link in SARIF's plain text, and
// viewers look for it without regard to backslashes, so that its middle is broken.
func sarifText(text string) sarifMessage {
	return sarifMessage{strings.ReplaceAll(plaintext.Line(text), "](", "] (")}
}

func sarifLevel(s severity) string {
	return []string{"error", "warning", "note"}[s]
}

// uri writes a path as a relative reference.
func uri(file string) string {
	if file == "" {
		return "."
	}
	parts := strings.Split(file, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	if slices.Contains(parts[:1], "") {
		return "file://" + strings.Join(parts, "/")
	}
	return strings.Join(parts, "/")
}
