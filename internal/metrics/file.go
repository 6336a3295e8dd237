package metrics

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/replace"
)

// WriteFile writes the run's metrics as a text file, for node_exporter's
// textfile collector: beside its place and then renamed, without timestamps,
// which that collector refuses. Of a run that was no success, metrics that it
// does not know keep their old values, as with a Pushgateway; of a narrow one, all
// that is not of the connections that it looked at.
func (r Run) WriteFile(file string) error {
	if r.Narrow && r.Drift.Fleet == "" {
		return nil // it saw nothing
	}
	labels := prometheus.Labels{"fleet": plaintext.Line(r.Fleet)}
	if r.Shard != "" {
		labels["shard"] = plaintext.Line(r.Shard)
	}
	var gatherer prometheus.Gatherer = r.registry(labels)
	if !r.Complete || r.Narrow {
		old, err := readFile(file)
		if err != nil {
			return err
		}
		gatherer = r.with(old, gatherer)
	}
	text, err := exposition(gatherer)
	if err == nil {
		err = replace.File(file, text, 0o644) // the collector is another user
	}
	if err != nil {
		return fmt.Errorf("writing metrics: %w", err)
	}
	return nil
}

// exposition is the text that the collector reads.
func exposition(g prometheus.Gatherer) ([]byte, error) {
	families, err := g.Gather()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// with gathers the new metrics and what stays of the old ones.
func (r Run) with(old map[string]*dto.MetricFamily, fresh prometheus.Gatherer) prometheus.Gatherer {
	if !r.Narrow {
		return over{old, fresh}
	}
	looked := map[string]bool{}
	for _, c := range r.Drift.Connections {
		looked[plaintext.Line(c.Address)] = true
	}
	return beside{old: old, looked: looked, fleet: r.Fleet, new: fresh}
}

// readFile reads what an earlier run wrote; nothing is there the first time, nor
// in a pipe.
func readFile(file string) (map[string]*dto.MetricFamily, error) {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return nil, nil //nolint:nilnil // no earlier run
	}
	in, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no earlier run
	}
	if err != nil {
		return nil, fmt.Errorf("reading the metrics of the run before: %w", err)
	}
	defer func() { _ = in.Close() }()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(in)
	if err != nil {
		return nil, fmt.Errorf("reading the metrics of the run before, in %s: %w; remove the file", file, err)
	}
	return families, nil
}

// over gathers new metrics over old ones: a metric of the new run replaces all
// values of that name.
type over struct {
	old map[string]*dto.MetricFamily
	new prometheus.Gatherer
}

// Gather implements prometheus.Gatherer.
func (o over) Gather() ([]*dto.MetricFamily, error) {
	families, err := o.new.Gather()
	for name, family := range o.old {
		if !slices.ContainsFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name }) {
			families = append(families, family)
		}
	}
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return families, err
}
