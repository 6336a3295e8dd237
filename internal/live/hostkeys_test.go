package live

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/plan"
)

const server = "https://bitbucket.corp.example"

func hostKey(t *testing.T, public any) string {
	t.Helper()
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func edKey(t *testing.T) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return hostKey(t, public)
}

func learned(url string, keys ...string) *plan.Record {
	return &plan.Record{About: plan.About{Bitbucket: url}, HostKeys: strings.Join(keys, "\n")}
}

// What any record of a Bitbucket has learned is pinned; two keys of one type
// contradict each other, keys of different types do not.
func TestLearnedHostKeys(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	one, two, third := edKey(t), edKey(t), hostKey(t, private.Public())
	for name, test := range map[string]struct {
		records map[string]*plan.Record
		want    []string
		refused bool
	}{
		"none":            {map[string]*plan.Record{"a": learned(server)}, nil, false},
		"one":             {map[string]*plan.Record{"a": learned(server), "b": learned(server, one)}, []string{one}, false},
		"the same":        {map[string]*plan.Record{"a": learned(server, one), "b": learned(server, one)}, []string{one}, false},
		"two types":       {map[string]*plan.Record{"a": learned(server, one), "b": learned(server, third)}, []string{one, third}, false},
		"another server":  {map[string]*plan.Record{"a": learned(server, one), "b": learned("https://other.example", two)}, []string{one}, false},
		"written so":      {map[string]*plan.Record{"a": learned("https://BITBUCKET.corp.example:443/", one)}, []string{one}, false},
		"a contradiction": {map[string]*plan.Record{"a": learned(server, one), "b": learned(server, two)}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			have, err := learnedHostKeys(server, test.records)
			if test.refused != (err != nil) || !slices.Equal(have, test.want) {
				t.Fatalf("have %q, %v, want %q", have, err, test.want)
			}
			if err == nil {
				return
			}
			for _, part := range []string{fingerprint(one) + " in the record a", fingerprint(two) + " in the record b", "ssh.host_keys"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q does not have %q", err, part)
				}
			}
		})
	}
}

// knowing returns the knowledge of a fleet that has these records.
func knowing(records map[string]*plan.Record) *HostKeys {
	h := NewHostKeys(nil)
	_, _ = h.records.get(func() (map[string]*plan.Record, error) { return records, nil })
	return h
}

// A first contact is pinned by what others know; only when nobody knows a key is
// one trusted, and then the first contacts of a run must agree.
func TestFirstContact(t *testing.T) {
	one, two := edKey(t), edKey(t)
	shows := func(key string, seen *[][]string) func([]string) (string, error) {
		return func(pinned []string) (string, error) {
			*seen = append(*seen, pinned)
			if len(pinned) > 0 && !slices.Contains(pinned, key) {
				return "", errors.New("another host key")
			}
			return key, nil
		}
	}
	t.Run("others know", func(t *testing.T) {
		h, seen := knowing(map[string]*plan.Record{"a": learned(server, one)}), [][]string{}
		if err := h.PinnedLogin(t.Context(), server, nil, nil, shows(two, &seen)); err == nil || !slices.Equal(seen[0], []string{one}) {
			t.Errorf("have %v, pinned %q", err, seen)
		}
		if err := h.PinnedLogin(t.Context(), server, nil, []string{two}, shows(two, &seen)); err != nil {
			t.Errorf("one's own key: %v", err)
		}
		if err := h.PinnedLogin(t.Context(), server, []string{two}, []string{one}, shows(two, &seen)); err != nil {
			t.Errorf("the files' key: %v", err)
		}
	})
	t.Run("nobody knows", func(t *testing.T) {
		h, seen := knowing(nil), [][]string{}
		for i, want := range []bool{true, true, false} {
			key := []string{one, one, two}[i]
			if err := h.PinnedLogin(t.Context(), server, nil, nil, shows(key, &seen)); (err == nil) != want {
				t.Errorf("contact %d: %v", i, err)
			}
		}
	})
	t.Run("they contradict each other", func(t *testing.T) {
		h, seen := knowing(map[string]*plan.Record{"a": learned(server, one), "b": learned(server, two)}), [][]string{}
		if err := h.PinnedLogin(t.Context(), server, nil, nil, shows(one, &seen)); err == nil || len(seen) > 0 {
			t.Errorf("have %v after %d contacts", err, len(seen))
		}
	})
	t.Run("at once", func(t *testing.T) {
		h := knowing(nil)
		var group sync.WaitGroup
		var mu sync.Mutex
		trusted := map[string]bool{}
		for i := range 8 {
			group.Go(func() {
				key := []string{one, two}[i%2]
				err := h.PinnedLogin(context.WithoutCancel(t.Context()), server, nil, nil, func([]string) (string, error) { return key, nil })
				mu.Lock()
				defer mu.Unlock()
				trusted[key] = trusted[key] || err == nil
			})
		}
		group.Wait()
		if len(trusted) != 2 || trusted[one] == trusted[two] {
			t.Errorf("have %v, want one of two trusted", trusted)
		}
	})
}
