package documents

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/bbsync/bbsync/internal/drift"
)

// Drift is the drift of a fleet, or of one shard of it.
type Drift struct {
	Header
	drift.Report
}

// NewDrift returns the document of a report.
func NewDrift(r drift.Report) Drift { return Drift{header("drift"), r} }

// ReadDrift reads a drift report that an earlier run left, perhaps of another
// version of bbsync: as any reader it passes over fields that it does not know, and
// refuses another first number.
func ReadDrift(text []byte) (drift.Report, error) {
	var d Drift
	if err := json.Unmarshal(text, &d); err != nil {
		return drift.Report{}, fmt.Errorf("not a report of bbsync drift --json: %w", err)
	}
	have, _, _ := strings.Cut(d.FormatVersion, ".")
	want, _, _ := strings.Cut(FormatVersion, ".")
	if d.Kind != "drift" || have != want {
		return drift.Report{}, fmt.Errorf("it is a %q of format %q, and this bbsync reads \"drift\" of format %s", d.Kind, d.FormatVersion, want)
	}
	return d.Report, nil
}

// DecodeDrift reads a shard's drift report, to be merged. It refuses what it does
// not know: what a merged report leaves out, nobody would see.
func DecodeDrift(text []byte) (drift.Report, error) {
	var d Drift
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return drift.Report{}, fmt.Errorf("not a report of bbsync drift --json: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return drift.Report{}, errors.New("not a report of bbsync drift --json: something follows it")
	}
	if d.Header != header("drift") {
		return drift.Report{}, fmt.Errorf("it is a %q of format %q, and this bbsync merges \"drift\" of format %s", d.Kind, d.FormatVersion, FormatVersion)
	}
	return d.Report, nil
}
