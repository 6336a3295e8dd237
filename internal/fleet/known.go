package fleet

import (
	"context"

	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/systems"
)

// known is what the records of the whole fleet tell an apply: it reads them with live,
// which apply does not know.
type known struct {
	*live.HostKeys
	sys *systems.Systems
}

func (k known) FindUnknownKey(ctx context.Context, label, user string, id int, fingerprint string) (bool, error) {
	return live.FindUnknownKey(ctx, k.sys, label, user, id, fingerprint)
}
