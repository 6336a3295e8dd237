package laws_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"pgregory.net/rapid"
)

// A snapshot is a bed as it was.
type snapshot struct {
	dir     string
	records map[string]map[string]any
}

func (b *bed) save(t rapid.TB) snapshot {
	t.Helper()
	s := snapshot{dir: b.t.TempDir(), records: b.records(t)}
	b.must(t, b.world.Terraform.Save(s.dir))
	for i, server := range b.world.Bitbuckets {
		folder := s.bitbucket(i)
		b.must(t, os.MkdirAll(folder, 0o700))
		b.must(t, server.Save(folder))
	}
	return s
}

// bitbucket is the folder of the nth Bitbucket.
func (s snapshot) bitbucket(n int) string { return filepath.Join(s.dir, strconv.Itoa(n)) }

func (b *bed) restore(t rapid.TB, s snapshot) {
	t.Helper()
	b.watch(nil)
	b.clearFaults()
	b.fleet.Bitbuckets[0].SSH.HostKeys = nil
	b.must(t, b.world.Terraform.Load(s.dir))
	for i, server := range b.world.Bitbuckets {
		_, err := server.Load(s.bitbucket(i))
		b.must(t, err)
	}
	kv := b.vault.Root.KVv2(mount)
	for _, path := range b.paths {
		b.must(t, kv.DeleteMetadata(b.t.Context(), folder+path))
		if have := s.records[path]; have != nil {
			_, err := kv.Put(b.t.Context(), folder+path, have)
			b.must(t, err)
		}
	}
}

func (b *bed) must(t rapid.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("preparing: %v", err)
	}
}

// records are the newest versions in Vault, as they are stored.
func (b *bed) records(t rapid.TB) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for _, path := range b.paths {
		if have := b.record(path); have != nil {
			out[path] = have
		}
	}
	return out
}

// record returns a record as it is stored, nil for none.
func (b *bed) record(path string) map[string]any {
	have, err := b.vault.Root.KVv2(mount).Get(context.Background(), folder+path)
	if err != nil || have == nil {
		return nil
	}
	return have.Data
}

// expire lets the time of the dead pass: leases that nobody renews end.
func (b *bed) expire(t rapid.TB) {
	t.Helper()
	for path, have := range b.records(t) {
		if have["lease_nonce"] == nil {
			continue
		}
		have = maps.Clone(have)
		have["lease_expires"] = time.Now().Add(-time.Hour).UTC().Format(time.RFC3339Nano)
		_, err := b.vault.Root.KVv2(mount).Put(b.t.Context(), folder+path, have)
		b.must(t, err)
	}
}
