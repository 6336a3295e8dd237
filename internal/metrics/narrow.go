package metrics

import (
	"cmp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// beside gathers what a look at some connections tells of these, beside what an
// earlier look told of everything else: the other connections, what all of them
// share, and the fleet as a whole.
type beside struct {
	old    map[string]*dto.MetricFamily
	looked map[string]bool // addresses
	fleet  string
	new    prometheus.Gatherer
}

// Gather implements prometheus.Gatherer.
func (b beside) Gather() ([]*dto.MetricFamily, error) {
	families, err := b.new.Gather()
	for name, family := range b.old {
		family.Metric = slices.DeleteFunc(family.Metric, b.replaces)
		if len(family.Metric) == 0 {
			continue
		}
		i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
		if i < 0 {
			families = append(families, family)
			continue
		}
		families[i].Metric = append(families[i].Metric, family.Metric...)
		slices.SortFunc(families[i].Metric, func(a, b *dto.Metric) int { return cmp.Compare(labelsOf(a), labelsOf(b)) })
	}
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return families, err
}

// replaces reports whether an old metric is of a connection that was looked at.
func (b beside) replaces(m *dto.Metric) bool {
	fleet, connection := "", ""
	for _, l := range m.Label {
		switch l.GetName() {
		case "fleet":
			fleet = l.GetValue()
		case "connection":
			connection = l.GetValue()
		}
	}
	return fleet == b.fleet && b.looked[connection]
}

// labelsOf is what metrics of one name are sorted by.
func labelsOf(m *dto.Metric) string {
	pairs := make([]string, len(m.Label))
	for i, l := range m.Label {
		pairs[i] = l.GetName() + "\x00" + l.GetValue()
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "\x00")
}
