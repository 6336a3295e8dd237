package metrics

import (
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
	labels := prometheus.Labels{"fleet": r.Fleet}
	if r.Shard != "" {
		labels["shard"] = r.Shard
	}
	var gatherer prometheus.Gatherer = r.registry(labels)
	if !r.Complete || r.Narrow {
		old, err := readFile(file)
		if err != nil {
			return err
		}
		gatherer = r.with(old, gatherer)
	}
	if err := prometheus.WriteToTextfile(file, gatherer); err != nil {
		return fmt.Errorf("writing metrics: %w", err)
	}
	return nil
}

// with gathers the new metrics and what stays of the old ones.
func (r Run) with(old map[string]*dto.MetricFamily, fresh prometheus.Gatherer) prometheus.Gatherer {
	if !r.Narrow {
		return over{old, fresh}
	}
	looked := map[string]bool{}
	for _, c := range r.Drift.Connections {
		looked[c.Address] = true
	}
	return beside{old: old, looked: looked, fleet: r.Fleet, new: fresh}
}

// readFile reads what an earlier run wrote; nothing is there the first time.
func readFile(file string) (map[string]*dto.MetricFamily, error) {
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
