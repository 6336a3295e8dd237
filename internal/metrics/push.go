package metrics

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus/push"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/secret"
)

// job is the Pushgateway's job; fleet and shard are in the grouping key, too.
const job = "bbsync"

const (
	pushTimeout = 15 * time.Second
	maxAnswer   = 64 << 10
)

// A Gateway is a Pushgateway.
type Gateway struct {
	URL      string
	Username string // "" for no authentication
	Password secret.Text
}

// Push sends the run's metrics. A success replaces what is there, so that
// nothing stays of a connection that left the files. Anything else adds: metrics
// that it does not know, the time of the last success above all, stay.
func (r Run) Push(ctx context.Context, gateway Gateway) error {
	if err := names.CheckReceiver(gateway.URL, gateway.Username != ""); err != nil {
		return fmt.Errorf("the Pushgateway's address: %w", err)
	}
	transport, err := httpx.New(httpx.Options{Timeout: pushTimeout, MaxBody: maxAnswer, Redact: httpx.NewRedactor(gateway.Password)})
	if err != nil {
		return fmt.Errorf("pushing metrics: %w", err)
	}
	defer transport.CloseIdleConnections()
	pusher := push.New(gateway.URL, job).Gatherer(r.registry(nil)).Client(httpx.Client(httpx.Quoting(transport))).Grouping("fleet", r.Fleet)
	if r.Shard != "" {
		pusher.Grouping("shard", r.Shard)
	}
	if gateway.Username != "" {
		pusher.BasicAuth(gateway.Username, gateway.Password.Reveal())
	}
	send := pusher.AddContext
	if r.Complete {
		send = pusher.PushContext
	}
	if err := send(ctx); err != nil {
		return fmt.Errorf("pushing metrics: %w", err)
	}
	return nil
}
