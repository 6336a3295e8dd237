package laws_test

import (
	"context"
	"maps"
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
	b.must(t, b.world.Bitbuckets[0].Save(s.dir))
	return s
}

func (b *bed) restore(t rapid.TB, s snapshot) {
	t.Helper()
	b.watch(nil)
	b.clearFaults()
	b.fleet.Bitbuckets[0].SSH.HostKeys = nil
	b.must(t, b.world.Terraform.Load(s.dir))
	_, err := b.world.Bitbuckets[0].Load(s.dir)
	b.must(t, err)
	kv := b.vault.Root.KVv2(mount)
	for _, c := range b.fleet.Connections {
		b.must(t, kv.DeleteMetadata(b.t.Context(), folder+c.Record))
		if have := s.records[c.Record]; have != nil {
			_, err := kv.Put(b.t.Context(), folder+c.Record, have)
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
	for _, c := range b.fleet.Connections {
		if have := b.record(c.Record); have != nil {
			out[c.Record] = have
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
