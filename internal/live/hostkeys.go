package live

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
)

// HostKeys knows which SSH host keys the fleet's records have learned of each
// Bitbucket. What one connection learned is pinned for all: a key is trusted on
// first use only when no record of the fleet knows any.
type HostKeys struct {
	sys     *systems.Systems
	records future[map[string]*plan.Record]

	mu      sync.Mutex
	learned map[string][]string // by Bitbucket, in this run
}

// NewHostKeys returns the knowledge of the fleet whose systems these are. Records
// are read when a connection first needs them.
func NewHostKeys(sys *systems.Systems) *HostKeys {
	return &HostKeys{sys: sys, learned: map[string][]string{}}
}

// PinnedLogin calls login with the host keys that are pinned for a Bitbucket: those of
// the files, else the connection's own, else those that other records know. login
// returns the key that the server showed.
func (h *HostKeys) PinnedLogin(ctx context.Context, bitbucket string, files, own []string, login func(pinned []string) (string, error)) error {
	for _, pinned := range [][]string{files, own} {
		if len(pinned) > 0 {
			_, err := login(pinned)
			return err
		}
	}
	records, err := h.records.get(func() (map[string]*plan.Record, error) { return FleetRecords(ctx, h.sys) })
	if err != nil {
		return fmt.Errorf("reading which SSH host keys other connections have learned: %w", err)
	}
	pinned, err := learnedHostKeys(bitbucket, records)
	if err != nil {
		return err
	}
	key, err := login(pinned)
	if err != nil || len(pinned) > 0 {
		return err
	}
	return h.first(bitbucket, key)
}

// first notes the key of a first contact, and refuses another one than the first
// contacts of this run have seen.
func (h *HostKeys) first(bitbucket, key string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	server := names.URLKey(bitbucket)
	if seen := h.learned[server]; len(seen) > 0 && !slices.Contains(seen, key) {
		return contradiction(bitbucket, fingerprint(seen[0])+" to another connection of this run", fingerprint(key))
	}
	h.learned[server] = []string{key}
	return nil
}

// learnedHostKeys returns the host keys that the records know of a Bitbucket. A
// server has one key of each type: two of one type contradict each other.
func learnedHostKeys(bitbucket string, records map[string]*plan.Record) ([]string, error) {
	var out []string
	from := map[string]string{} // type of key → path of the record that has it
	for _, path := range slices.Sorted(maps.Keys(records)) {
		r := records[path]
		if r.HostKeys == "" || !names.SameURL(r.About.Bitbucket, bitbucket) {
			continue
		}
		for key := range strings.SplitSeq(r.HostKeys, "\n") {
			if slices.Contains(out, key) {
				continue
			}
			kind, _, _ := strings.Cut(key, " ")
			if other, ok := from[kind]; ok {
				have := out[slices.IndexFunc(out, func(k string) bool { return strings.HasPrefix(k, kind+" ") })]
				return nil, contradiction(bitbucket, fingerprint(have)+" in the record "+other, fingerprint(key)+" in the record "+path)
			}
			from[kind] = path
			out = append(out, key)
		}
	}
	return out, nil
}

func contradiction(bitbucket, one, other string) error {
	return fmt.Errorf("the SSH host key of %s is not certain: %s, %s: either it was changed, or something stands in between; "+
		"ask its administrator, and put the right key into ssh.host_keys", bitbucket, one, other)
}

func fingerprint(line string) string {
	text, err := keys.SSHFingerprint(line)
	if err != nil {
		return "a key that cannot be read"
	}
	return text
}
