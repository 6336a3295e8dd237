package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/schema"
)

// strangeKeys finds the SSH keys of the fleet's service users that nothing knows,
// in each Bitbucket that was read. Where the records at hand know every key, that
// takes no request; else all of the fleet's records are read once more, after the
// keys: a key is in a record before it is on Bitbucket.
func (r *reader) strangeKeys(ctx context.Context, have []plan.Have) {
	known := map[string]bool{}
	for _, h := range have {
		h.Record.KnownBy(known)
		if h.Moved != nil {
			h.Moved.Record.KnownBy(known)
		}
	}
	for _, b := range r.bitbuckets {
		if len(b.shared.Unread) == 0 {
			b.shared.Strange = r.strange(ctx, b, known)
		}
	}
}

func (r *reader) strange(ctx context.Context, b *sharedBitbucket, known map[string]bool) plan.UnknownKeys {
	client, err := r.sys.Bitbucket(ctx, b.label)
	var candidates []plan.UnknownKey
	if err == nil {
		candidates, err = b.userKeys(ctx, client, r.sys.Fleet())
	}
	if err != nil {
		return doubtful("which SSH keys the service users have is not known: %v", err)
	}
	candidates = without(candidates, known)
	if len(candidates) == 0 {
		return plan.UnknownKeys{}
	}
	everything, err := r.everyone.get(func() (fleetKeys, error) { return readFleetKeys(ctx, r.sys) })
	if err != nil {
		return doubtful("which SSH keys the fleet knows is not certain: %v", err)
	}
	out := plan.UnknownKeys{Keys: without(candidates, everything.known)}
	if unnamed := everything.unnamed(b.want); len(out.Keys) > 0 && unnamed != "" {
		out.Doubt = fmt.Sprintf("one of the SSH keys that no record knows may be that of %s: only Terraform holds it; bbsync rotate --ssh makes one that Vault has, too", unnamed)
	}
	return out
}

func doubtful(format string, err error) plan.UnknownKeys {
	return plan.UnknownKeys{Doubt: fmt.Sprintf(format, err)}
}

// userKeys returns the keys of the fleet's service users on a Bitbucket, but for
// those that the configuration lists as known.
func (b *sharedBitbucket) userKeys(ctx context.Context, client *bitbucket.Client, fleet *schema.Fleet) ([]plan.UnknownKey, error) {
	var out []plan.UnknownKey
	seen := map[string]bool{}
	for _, c := range fleet.Connections {
		if c.Bitbucket.Label != b.label || seen[names.UserKey(c.ServiceUser)] {
			continue
		}
		seen[names.UserKey(c.ServiceUser)] = true
		who, err := b.user(ctx, client, c.ServiceUser)
		if err != nil {
			return nil, err
		}
		for _, k := range who.keys {
			if !c.Bitbucket.KnowsSSHKey(k.Fingerprint, k.Label) {
				out = append(out, plan.UnknownKey{User: c.ServiceUser, SSHKey: k})
			}
		}
	}
	slices.SortFunc(out, func(a, b plan.UnknownKey) int { return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

func without(candidates []plan.UnknownKey, known map[string]bool) []plan.UnknownKey {
	return slices.DeleteFunc(slices.Clone(candidates), func(k plan.UnknownKey) bool { return known[k.Fingerprint] })
}

// fleetKeys are the SSH keys that the fleet knows.
type fleetKeys struct {
	records map[string]*plan.Record
	known   map[string]bool // fingerprints in records, and of keys that users bring
}

func readFleetKeys(ctx context.Context, sys *systems.Systems) (fleetKeys, error) {
	records, err := FleetRecords(ctx, sys)
	if err != nil {
		return fleetKeys{}, err
	}
	out := fleetKeys{records: records, known: map[string]bool{}}
	for _, r := range records {
		r.KnownBy(out.known)
	}
	for _, c := range sys.Fleet().Connections {
		if c.SSHKey.Private == nil {
			continue
		}
		private, err := sys.Secret(ctx, *c.SSHKey.Private)
		if err != nil {
			return fleetKeys{}, fmt.Errorf("%s: fetching its own SSH key: %w", c.Address, err)
		}
		pair, err := keys.SSHFrom(private, "")
		if err != nil {
			return fleetKeys{}, fmt.Errorf("%s: its own SSH key: %w", c.Address, err)
		}
		out.known[pair.Fingerprint] = true
	}
	return out, nil
}

// unnamed returns a connection of the Bitbucket whose SSH key is on the service
// user and not known by fingerprint, or whose record cannot be relied on; "" for none.
func (f fleetKeys) unnamed(b *schema.Bitbucket) string {
	for _, path := range slices.Sorted(maps.Keys(f.records)) {
		r := f.records[path]
		if !names.SameURL(r.About.Bitbucket, b.URL) {
			continue
		}
		if k := r.Current; r.Contradiction != nil || k != nil && k.PrivateElsewhere && k.Fingerprint == "" {
			return cmp.Or(r.Address, path)
		}
	}
	return ""
}

// errKnownKey says that a key is not removed, as something knows it by now.
var errKnownKey = errors.New("a record of the fleet, or the configuration, knows the key by now; plan again")

// FindUnknownKey looks once more, right before it is removed, for a key that
// nothing knew. It reports false if the user does not have it any more.
func FindUnknownKey(ctx context.Context, sys *systems.Systems, label, user string, id int, fingerprint string) (bool, error) {
	at := slices.IndexFunc(sys.Fleet().Bitbuckets, func(b *schema.Bitbucket) bool { return b.Label == label })
	if at < 0 {
		return false, fmt.Errorf("no bitbucket block is labelled %s", label)
	}
	client, err := sys.Bitbucket(ctx, label)
	if err != nil {
		return false, err
	}
	who, err := readUser(ctx, client, user)
	if err != nil {
		return false, err
	}
	key, found := who.keys[fingerprint]
	if !found || key.ID != id {
		return false, nil
	}
	want := sys.Fleet().Bitbuckets[at]
	everything, err := readFleetKeys(ctx, sys)
	if err != nil {
		return false, err
	}
	if everything.known[fingerprint] || want.KnowsSSHKey(fingerprint, key.Label) || everything.unnamed(want) != "" {
		return false, fmt.Errorf("SSH key %s of %s: %w", fingerprint, user, errKnownKey)
	}
	return true, nil
}
