package vault_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/sandbox/front"
)

// twoPairs are a consumer's pairs and SSH pairs, made once.
var twoPairs = sync.OnceValue(func() (out struct{ consumer, ssh [2]keys.Pair }) {
	for i := range 2 {
		consumer, err := keys.GenerateConsumer(keys.MinRSABits)
		ssh, sshErr := keys.GenerateSSH(keys.MinRSABits, "bbsync/corp/acme")
		if err != nil || sshErr != nil {
			panic(errors.Join(err, sshErr))
		}
		out.consumer[i], out.ssh[i] = consumer, ssh
	}
	return out
})

func sample() record.Record {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	consumer, ssh := twoPairs().consumer, twoPairs().ssh
	return record.Record{
		Generation: "g1", Fleet: "corp", Address: `connection.team["acme"]`, Terraform: "app.terraform.io", Organization: "acme",
		Bitbucket: "https://bitbucket.corp.example/git", MovedFrom: "corp/before",
		Consumer: &record.Consumer{
			Key: "bbsync-1", Private: consumer[1].Private, Public: consumer[1].Public, Fingerprint: consumer[1].Fingerprint, Created: at,
			Previous: &record.Consumer{Key: "bbsync-0", Private: consumer[0].Private, Public: consumer[0].Public, Fingerprint: consumer[0].Fingerprint, UserSupplied: true},
		},
		SSH: record.SSHKeys{
			Pending: &record.SSHKey{Private: ssh[1].Private, Public: ssh[1].Public, Fingerprint: ssh[1].Fingerprint, Created: at},
			Current: &record.SSHKey{Private: ssh[0].Private, Public: ssh[0].Public, Fingerprint: ssh[0].Fingerprint, Published: at, Token: "ot-1", Set: at},
		},
		Link: &record.Link{ID: "l1", URL: "https://app.terraform.io/app/acme", Made: at}, Client: &record.OAuthClient{ID: "oc-1"},
		Authorized: &record.Authorized{Token: "ot-1", User: "svc", Account: 101},
		HostKeys:   []string{"bb ssh-ed25519 AAAA", "bb ssh-rsa BBBB"},
	}
}

var asStored = cmp.Options{
	cmpopts.IgnoreUnexported(record.Record{}),
	cmp.Comparer(func(a, b secret.Text) bool { return a.Equal(b) }),
}

func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		for want := vault.Version(1); want < 4; want++ {
			r := sample()
			r.Organization = fmt.Sprint(want)
			have, err := c.Write(t.Context(), "corp/a b/%?#é", r, want-1)
			if err != nil || have != want {
				t.Fatalf("have version %d, %v, want %d", have, err, want)
			}
			read, version, err := c.Read(t.Context(), "corp/a b/%?#é")
			if err != nil || version != want {
				t.Fatalf("have version %d, %v, want %d", version, err, want)
			}
			if diff := cmp.Diff(r, read, asStored); diff != "" {
				t.Error(diff)
			}
		}
		for _, cas := range []vault.Version{0, 2, 4} {
			if _, err := c.Write(t.Context(), "corp/a b/%?#é", sample(), cas); !errors.Is(err, vault.ErrConflict) {
				t.Errorf("cas %d: have %v", cas, err)
			}
		}
	})
}

func TestFieldsOfANewerBbsyncStay(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		path := b.kv + "/data/bbsync/x"
		b.write(t, path, map[string]any{"data": map[string]any{"format": "1", "fleet": "corp", "new": map[string]any{"deep": []int{1}}}})
		change(t, c, "x", func(r *record.Record) { r.Organization = "acme" })
		have, err := b.root.Logical().ReadWithContext(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := have.Data["data"].(map[string]any)
		if fmt.Sprint(data["new"]) != "map[deep:[1]]" || data["organization"] != "acme" || data["fleet"] != "corp" {
			t.Errorf("have %v", data)
		}
		for text, want := range map[string]error{
			`{"format":"2"}`: record.ErrNewerFormat, `{"password":"x"}`: record.ErrNotRecord,
			`{"format":1}`: record.ErrNotRecord, `{"format":"1","fleet":{}}`: record.ErrNotRecord, `{"format":"1","lease_expires":"soon"}`: record.ErrNotRecord,
		} {
			if _, err := b.root.Logical().WriteBytesWithContext(t.Context(), path, []byte(`{"data":`+text+`}`)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := c.Read(t.Context(), "x"); !errors.Is(err, want) {
				t.Errorf("%s: have %v", text, err)
			}
		}
	})
}

func TestMissing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		if _, v, err := c.Read(t.Context(), "none"); !errors.Is(err, vault.ErrNotFound) || v != 0 {
			t.Errorf("absent: have %d, %v", v, err)
		}
		for range 2 {
			_, v, _ := c.Read(t.Context(), "gone") // absent at first
			if _, err := c.Write(t.Context(), "gone", sample(), v); err != nil {
				t.Fatal(err)
			}
		}
		b.write(t, b.kv+"/delete/bbsync/gone", map[string]any{"versions": []int{2}})
		var deleted *vault.DeletedError
		_, v, err := c.Read(t.Context(), "gone")
		if !errors.As(err, &deleted) || !errors.Is(err, vault.ErrDeleted) || v != 2 || deleted.Destroyed {
			t.Errorf("deleted: have %d, %v", v, err)
		}
		b.write(t, b.kv+"/destroy/bbsync/gone", map[string]any{"versions": []int{2}})
		if _, _, err := c.Read(t.Context(), "gone"); !errors.As(err, &deleted) || !deleted.Destroyed {
			t.Errorf("destroyed: have %v", err)
		}
		if have, err := c.Write(t.Context(), "gone", sample(), 2); err != nil || have != 3 {
			t.Errorf("going on: have %d, %v", have, err)
		}
		b.write(t, b.kv+"/delete/bbsync/gone", map[string]any{"versions": []int{3}})
		held, err := c.Acquire(t.Context(), "gone", "me", time.Minute, record.Record{Fleet: "anew"})
		if err != nil || held.Version() != 4 || held.Record().Fleet != "anew" {
			t.Fatalf("acquiring what is deleted: have %v", err)
		}
		if err := held.Release(t.Context()); err != nil {
			t.Error(err)
		}
		for _, path := range []string{"", "/a", "a/", "a//b", "a/../b", ".", "a\x1b"} {
			if _, _, err := c.Read(t.Context(), path); err == nil || errors.Is(err, vault.ErrNotFound) {
				t.Errorf("path %q: have %v", path, err)
			}
		}
	})
}

func TestOneOfManyCreates(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		var won, conflicts atomic.Int32
		var wait sync.WaitGroup
		for range 64 {
			wait.Go(func() {
				switch v, err := c.Write(t.Context(), "one", sample(), 0); {
				case err == nil && v == 1:
					won.Add(1)
				case errors.Is(err, vault.ErrConflict):
					conflicts.Add(1)
				default:
					t.Errorf("have %d, %v", v, err)
				}
			})
		}
		wait.Wait()
		if won.Load() != 1 || conflicts.Load() != 63 {
			t.Errorf("have %d winners and %d conflicts", won.Load(), conflicts.Load())
		}
	})
}

// change changes a record without a lease, as somebody else would.
func change(t *testing.T, c *vault.Client, path string, edit func(*record.Record)) {
	t.Helper()
	for {
		r, version, err := c.Read(t.Context(), path)
		if err != nil {
			t.Error(err)
			return
		}
		edit(&r)
		if _, err = c.Write(t.Context(), path, r, version); !errors.Is(err, vault.ErrConflict) {
			if err != nil {
				t.Error(err)
			}
			return
		}
	}
}

func TestUpdatesAreNotLost(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		if _, err := c.Write(t.Context(), "sum", record.Record{}, 0); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				change(t, c, "sum", func(r *record.Record) { r.HostKeys = append(r.HostKeys, fmt.Sprint(i)) })
			})
		}
		wait.Wait()
		r, v, err := c.Read(t.Context(), "sum")
		if err != nil || len(r.HostKeys) != 8 || v != 9 {
			t.Errorf("have %v, version %d, %v", r.HostKeys, v, err)
		}
	})
}

// A write whose answer is lost is written once, whatever happened to it.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	const write = "PUT"
	tests := map[string]struct {
		faults []front.Fault
		want   vault.Version
		err    error
	}{
		"answer lost":          {faults: []front.Fault{{Kind: front.LoseAnswer, Method: write}}, want: 2},
		"answer cut":           {faults: []front.Fault{{Kind: front.ResetBody, Method: write}}, want: 2},
		"answer short":         {faults: []front.Fault{{Kind: front.Truncate, Method: write}}, want: 2},
		"never arrived":        {faults: []front.Fault{{Kind: front.Refuse, Method: write}}, want: 2},
		"a proxy's page":       {faults: []front.Fault{{Kind: front.HTML, Method: write}}, want: 2},
		"overloaded":           {faults: []front.Fault{{Kind: front.Status, Status: 503, Method: write, Times: 3}}, want: 2},
		"rate limited":         {faults: []front.Fault{{Kind: front.Status, Status: 429, Method: write, Times: 2}}, want: 2},
		"lost, then lost":      {faults: []front.Fault{{Kind: front.LoseAnswer, Method: write}, {Kind: front.Refuse, Method: "GET"}}, want: 2},
		"never answers again":  {faults: []front.Fault{{Kind: front.LoseAnswer, Method: write}, {Kind: front.Refuse, Times: -1}}, err: vault.ErrUnknownOutcome},
		"never lets it happen": {faults: []front.Fault{{Kind: front.Status, Status: 500, Method: write, Times: -1}}, err: vault.ErrUnknownOutcome},
	}
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		for name, tt := range tests {
			path := strings.ReplaceAll(name, " ", "-")
			if _, err := c.Write(t.Context(), path, sample(), 0); err != nil {
				t.Fatal(err)
			}
			b.order(t, tt.faults...)
			have, err := c.Write(t.Context(), path, sample(), 1)
			b.front.ClearFaults()
			if have != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%s: have %d, %v, want %d, %v", name, have, err, tt.want, tt.err)
			}
			if _, version, err := c.Read(t.Context(), path); err != nil || tt.err == nil && version != 2 {
				t.Errorf("%s: have version %d, %v", name, version, err)
			}
		}
	})
}

// The answer is lost, and before it is settled someone else builds on the write.
func TestLostAnswerThenOvertaken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		other := func(*http.Request) {
			b.write(t, b.kv+"/data/bbsync/x", map[string]any{"data": map[string]any{"format": "1", "nonce": "other"}})
		}
		b.order(t, front.Fault{Kind: front.LoseAnswer, Method: "PUT", Path: "bbsync/x"},
			front.Fault{Kind: front.Call, Method: "PUT", Path: "bbsync/x", After: other})
		if have, err := c.Write(t.Context(), "x", sample(), 0); err != nil || have != 1 {
			t.Errorf("ours landed first: have %d, %v", have, err)
		}
		b.front.ClearFaults()
		b.order(t, front.Fault{Kind: front.Status, Status: 502, Method: "PUT", Path: "bbsync/x"},
			front.Fault{Kind: front.Call, Method: "GET", Path: "bbsync/x", Before: other})
		if have, err := c.Write(t.Context(), "x", sample(), 2); !errors.Is(err, vault.ErrConflict) {
			t.Errorf("theirs landed first: have %d, %v", have, err)
		}
	})
}

func TestReadsAreRepeated(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		if _, err := c.Write(t.Context(), "x", sample(), 0); err != nil {
			t.Fatal(err)
		}
		for _, fault := range []front.Fault{
			{Kind: front.Status, Status: 500, Times: 2},
			{Kind: front.Status, Status: 429},
			{Kind: front.HTML},
			{Kind: front.HTML, Status: 404},
			{Kind: front.Truncate},
			{Kind: front.ResetBody},
			{Kind: front.LoseAnswer},
		} {
			b.order(t, fault)
			if _, v, err := c.Read(t.Context(), "x"); err != nil || v != 1 {
				t.Errorf("%v: have %d, %v", fault, v, err)
			}
			b.front.ClearFaults()
		}
		b.order(t, front.Fault{Kind: front.HTML, Status: 404, Times: -1})
		if _, _, err := c.Read(t.Context(), "x"); !errors.Is(err, vault.ErrUnavailable) || errors.Is(err, vault.ErrNotFound) {
			t.Errorf("a proxy's 404: have %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := c.Read(ctx, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: have %v", err)
		}
	})
}

func TestListAndDestroyOlder(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		want := []string{"corp/a/1", "corp/a/2", "corp/b", "other"}
		if have, err := c.List(t.Context(), ""); err != nil || len(have) != 0 {
			t.Errorf("empty: have %v, %v", have, err)
		}
		for _, path := range want {
			if _, err := c.Write(t.Context(), path, sample(), 0); err != nil {
				t.Fatal(err)
			}
		}
		for prefix, want := range map[string][]string{"": want, "corp": want[:3], "corp/a/": want[:2], "none": nil} {
			have, err := c.List(t.Context(), prefix)
			if diff := cmp.Diff(want, have, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("%q: %v %s", prefix, err, diff)
			}
		}
		for cas := range vault.Version(3) {
			if _, err := c.Write(t.Context(), "other", sample(), cas+1); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // the second time there is nothing to do
			if err := c.DestroyOlder(t.Context(), "other", 4); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.DestroyOlder(t.Context(), "none", 4); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("absent: have %v", err)
		}
		for n := 1; n < 4; n++ {
			have, err := b.root.Logical().ReadWithDataWithContext(t.Context(), b.kv+"/data/bbsync/other", map[string][]string{"version": {fmt.Sprint(n)}})
			if err != nil || have == nil || have.Data["data"] != nil {
				t.Errorf("version %d: have %v, %v", n, have, err)
			}
		}
		if _, v, err := c.Read(t.Context(), "other"); err != nil || v != 4 {
			t.Errorf("have %d, %v", v, err)
		}
	})
}

func TestSecret(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		fields := map[string]any{"token": "s3cret", "n": 5, "deep": map[string]any{"a": "hidden"}, "empty": ""}
		b.write(t, b.kv+"/data/platform/hcp", map[string]any{"data": fields})
		b.write(t, b.old+"/platform/hcp", fields)
		b.write(t, b.kv+"/data/gone", map[string]any{"data": fields})
		b.write(t, b.kv+"/delete/gone", map[string]any{"versions": []int{1}})
		for ref, want := range map[string]string{
			b.kv + "/platform/hcp#token": "s3cret", b.old + "/platform/hcp#token": "s3cret", b.old + "/platform/hcp#n": "5",
		} {
			if have, err := c.Secret(t.Context(), ref); err != nil || have.Reveal() != want {
				t.Errorf("%s: have %q, %v", ref, have.Reveal(), err)
			}
		}
		for ref, want := range map[string]error{
			b.kv + "/platform/hcp#nope": vault.ErrNoField, b.kv + "/platform/none#token": vault.ErrNotFound, b.kv + "/gone#token": vault.ErrDeleted,
			"nomount/x#token": vault.ErrNoMount, b.kv + "#token": vault.ErrBadReference, b.kv + "/platform/hcp": vault.ErrBadReference,
			b.kv + "/a/../b#token": vault.ErrBadReference, b.old + "/none#x": vault.ErrNotFound,
		} {
			have, err := c.Secret(t.Context(), ref)
			if !errors.Is(err, want) || !have.Empty() {
				t.Errorf("%s: have %v", ref, err)
			}
		}
		_, err := c.Secret(t.Context(), b.kv+"/platform/hcp#nope")
		if err == nil || !strings.Contains(err.Error(), "deep, empty, n, token") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("have %v", err)
		}
		if _, err := c.Secret(t.Context(), b.kv+"/platform/none#token"); !strings.Contains(err.Error(), "vault kv put "+b.kv+"/platform/none ") {
			t.Errorf("what to do is not said: %v", err)
		}
		for _, field := range []string{"deep", "empty"} {
			if _, err := c.Secret(t.Context(), b.kv+"/platform/hcp#"+field); err == nil || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s: have %v", field, err)
			}
		}
	})
}
