package shard_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/shard"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		text string
		want shard.Shard
		bad  bool
	}{
		{"0/8", shard.Shard{Index: 0, Of: 8}, false},
		{"7/8", shard.Shard{Index: 7, Of: 8}, false},
		{"0/1", shard.Shard{Index: 0, Of: 1}, false},
		{"8/8", shard.Shard{}, true},
		{"-1/8", shard.Shard{}, true},
		{"1/0", shard.Shard{}, true},
		{"1", shard.Shard{}, true},
		{"", shard.Shard{}, true},
		{"1/8/2", shard.Shard{}, true},
		{"a/b", shard.Shard{}, true},
		{"0/10001", shard.Shard{}, true},
	} {
		have, err := shard.Parse(test.text)
		if have != test.want || (err != nil) != test.bad {
			t.Errorf("Parse(%q) = %v, %v", test.text, have, err)
		}
		if err == nil && have.String() != test.text {
			t.Errorf("%q is shown as %q", test.text, have)
		}
	}
}

func TestTheWholeFleetIsOneShard(t *testing.T) {
	if !(shard.Shard{}).Has("connection.team") || !(shard.Shard{Of: 1}).Has("connection.team") {
		t.Error("one shard, or none, leaves a connection out")
	}
}

// Machines of different versions must agree, so these never change.
func TestTheHashIsStable(t *testing.T) {
	for address, want := range map[string]int{
		`connection.team`:            3,
		`connection.team["acme-01"]`: 7,
		`connection.team["acme-02"]`: 7,
		`connection.team["ünï"]`:     1,
	} {
		for i := range 8 {
			if have := (shard.Shard{Index: i, Of: 8}).Has(address); have != (i == want) {
				t.Errorf("%s in %d/8: %t, want it in %d", address, i, have, want)
			}
		}
	}
}

func TestEveryConnectionIsInOneShard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.IntRange(1, 64).Draw(t, "of")
		address := rapid.String().Draw(t, "address")
		n := 0
		for i := range of {
			if (shard.Shard{Index: i, Of: of}).Has(address) {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%q is in %d shards of %d", address, n, of)
		}
	})
}

// One more shard takes connections from the others and moves none among them.
func TestOneMoreShardMovesOnlyToItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.IntRange(1, 64).Draw(t, "of")
		address := rapid.String().Draw(t, "address")
		for i := range of {
			before, after := (shard.Shard{Index: i, Of: of}).Has(address), (shard.Shard{Index: i, Of: of + 1}).Has(address)
			if after && !before {
				t.Fatalf("%q moved to %d of %d", address, i, of)
			}
		}
	})
}

func TestShardsAreEven(t *testing.T) {
	const fleet, of = 10_000, 8
	counts := make([]int, of)
	for n := range fleet {
		for i := range of {
			if (shard.Shard{Index: i, Of: of}).Has(fmt.Sprintf("connection.team[%q]", fmt.Sprintf("org-%05d", n))) {
				counts[i]++
			}
		}
	}
	for i, n := range counts {
		if n < fleet/of*9/10 || n > fleet/of*11/10 {
			t.Errorf("shard %d has %d of %d: %v", i, n, fleet, counts)
		}
	}
}
