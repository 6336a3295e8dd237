// Package metrics turns one look at a fleet into Prometheus metrics, for a text
// file that node_exporter picks up and for a Pushgateway. It serves nothing and
// keeps nothing: a process that ends cannot be scraped.
package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
)

// A Run is one look.
type Run struct {
	Fleet    string
	Shard    string           // i/n, "" for all
	Drift    drift.Report     // zero when nothing could be read
	Requests map[string]int64 // by server
	Began    time.Time
	Ended    time.Time
	ExitCode int
	Complete bool // everything was read: only then it counts as a success
	Narrow   bool // only some connections were looked at: it tells of them, and not of the fleet
}

// registry returns the run's metrics, each with the labels.
func (r Run) registry(labels prometheus.Labels) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	g := gauges{prometheus.WrapRegistererWith(labels, registry)}
	if !r.Narrow {
		g.run(r)
	}
	if r.Drift.Fleet != "" {
		if !r.Narrow {
			g.states(r.Drift)
			if r.Shard == "" || strings.HasPrefix(r.Shard, "0/") { // the others do not look for them
				g.unknownKeys(r.Drift)
			}
		}
		g.drift(r)
		g.times(r.Drift.Connections, r.Ended)
		g.ends(r)
	}
	return registry
}

// gauges registers metrics that are all gauges: each is what was so at the time
// of the look.
type gauges struct{ prometheus.Registerer }

func (g gauges) vector(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "bbsync_" + name, Help: help}, labels)
	g.MustRegister(v)
	return v
}

func (g gauges) single(name, help string, value float64) {
	g.vector(name, help).WithLabelValues().Set(value)
}

// run tells of the look itself. Its time of success is left out when it was
// none, so that the one before stays.
func (g gauges) run(r Run) {
	g.single("last_run_timestamp_seconds", "When the fleet was last looked at, whatever came of it.", seconds(r.Ended))
	g.single("last_run_exit_code", "Exit code of the last look.", float64(r.ExitCode))
	g.single("last_run_duration_seconds", "How long the last look took.", r.Ended.Sub(r.Began).Seconds())
	if r.Complete {
		g.single("last_success_timestamp_seconds", "When all connections could last be read.", seconds(r.Ended))
	}
	requests := g.vector("last_run_requests", "Requests that the last look sent, by server.", "server")
	for server, n := range r.Requests {
		with(requests, server).Set(float64(n))
	}
}

func (g gauges) states(d drift.Report) {
	v := g.vector("connections", "Connections by state.", "state")
	for state, n := range d.Summary.States {
		with(v, string(state)).Set(float64(n))
	}
}

// unknownKeys counts the SSH keys of service users that nothing knows.
func (g gauges) unknownKeys(d drift.Report) {
	v := g.vector("unknown_ssh_keys", "SSH keys of service users that no record of the fleet knows.", "bitbucket")
	for _, b := range d.Bitbuckets {
		if b.State != plan.StateUnreadable {
			v.WithLabelValues(b.Label).Set(float64(len(b.UnknownKeys)))
		}
	}
}

// drift counts the differences by kind of object. A connection that has none has
// the kind "none", with 0: without it a metric would vanish with the last
// difference, and whoever keeps the old value would go on telling it. What could
// not be read, and what an apply is at, has no value. A narrow look sees of a
// Bitbucket only what some of its connections need.
func (g gauges) drift(r Run) {
	v := g.vector("drift", "Differences between the files and what is live, by kind of object.", "connection", "organization", "kind")
	set := func(name, organization string, state plan.State, differences []drift.Difference) {
		switch {
		case state == plan.StateUnreadable || state == plan.StateLeased:
			return
		case state == plan.StateRefused: // nothing is planned, though something is not as wanted
			with(v, name, organization, "refused").Set(1)
		case len(differences) == 0:
			with(v, name, organization, "none").Set(0)
		}
		for _, x := range differences {
			with(v, name, organization, x.Kind).Inc()
		}
	}
	if !r.Narrow {
		for _, b := range r.Drift.Bitbuckets {
			set("bitbucket."+b.Label, "", b.State, b.Differences)
		}
	}
	for _, c := range r.Drift.Connections {
		set(c.Address, c.Organization, c.State, c.Differences)
	}
}

// times tells how old keys and tokens are, and when keys are due.
func (g gauges) times(connections []drift.Connection, now time.Time) {
	authorized := g.vector("authorized", "1 when Terraform holds a token of the service user that is not known to be refused.", "connection", "organization")
	token := g.vector("token_age_seconds", "Age of Terraform's OAuth token.", "connection", "organization")
	key := g.vector("key_age_seconds", "Age of a key.", "connection", "organization", "key", "role")
	due := g.vector("rotation_due_seconds", "Time until a key is due for rotation; negative when it is overdue.", "connection", "organization", "key")
	deleted := g.vector("record_deletion_timestamp_seconds", "When Vault deletes the connection's record, with its keys, by itself.", "connection", "organization")
	for _, c := range connections {
		if !c.RecordDeleted.IsZero() {
			with(deleted, c.Address, c.Organization).Set(seconds(c.RecordDeleted))
		}
		if c.Authorized == nil {
			continue
		}
		yes := 0.0
		if *c.Authorized {
			yes = 1
		}
		with(authorized, c.Address, c.Organization).Set(yes)
		if !c.TokenCreated.IsZero() {
			with(token, c.Address, c.Organization).Set(now.Sub(c.TokenCreated).Seconds())
		}
		for _, k := range c.Keys {
			with(key, c.Address, c.Organization, keyName(k), string(k.Role)).Set(now.Sub(k.Created).Seconds())
			if !k.Due.IsZero() {
				with(due, c.Address, c.Organization, keyName(k)).Set(k.Due.Sub(now).Seconds())
			}
		}
	}
}

// ends tells when credentials, keys, certificates and licences end. A narrow run
// knows those of its connections alone.
func (g gauges) ends(r Run) {
	v := g.vector("expires_timestamp_seconds", "When a credential, key, certificate or license ends.", "what", "of", "name", "connection")
	connections := map[string]bool{}
	for _, c := range r.Drift.Connections {
		connections[c.Address] = true
	}
	for _, e := range r.Drift.Ends {
		connection := ""
		if connections[e.Of] {
			connection = e.Of
		}
		if !e.At.IsZero() && (connection != "" || !r.Narrow) {
			with(v, string(e.What), e.Of, e.Name, connection).Set(seconds(e.At))
		}
	}
}

// keyName is a key's name as a label has it.
func keyName(a plan.Age) string {
	if a.Key == plan.ServiceKey {
		return "ssh"
	}
	return "consumer"
}

// with returns the gauge with these labels. Their values may be other systems':
// Prometheus takes valid UTF-8 only, and those who read alerts one line.
func with(v *prometheus.GaugeVec, labels ...string) prometheus.Gauge {
	for i, label := range labels {
		labels[i] = plaintext.Line(label)
	}
	return v.WithLabelValues(labels...)
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
