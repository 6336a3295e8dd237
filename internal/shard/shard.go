// Package shard divides a fleet among processes that know nothing of each other:
// each keeps the connections whose address belongs to it. It does not start the
// processes and does not make sure that all of them run.
package shard

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Max is the most shards. More than that is a slip of the keyboard: a shard
// logs in, reads each Bitbucket's links once, and has no connection to do.
const Max = 10_000

// A Shard is one part of a fleet, counted from 0: 0/8 is the first of eight. The
// zero Shard is the whole fleet.
type Shard struct{ Index, Of int }

// Parse reads "i/n".
func Parse(text string) (Shard, error) {
	i, n, found := strings.Cut(text, "/")
	index, err1 := strconv.Atoi(i)
	of, err2 := strconv.Atoi(n)
	if !found || err1 != nil || err2 != nil {
		return Shard{}, fmt.Errorf("%q is not a shard: write i/n, as in 0/8 for the first of eight", text)
	}
	return New(index, of)
}

// New returns shard index of that many.
func New(index, of int) (Shard, error) {
	switch {
	case of < 1 || of > Max:
		return Shard{}, fmt.Errorf("%d shards: there are from 1 to %d", of, Max)
	case index < 0 || index >= of:
		return Shard{}, fmt.Errorf("shard %d of %d: shards are counted from 0 to %d", index, of, of-1)
	}
	return Shard{Index: index, Of: of}, nil
}

// String returns "i/n", "" for the whole fleet.
func (s Shard) String() string {
	if s.Of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Of)
}

// Has reports whether the connection with this address is the shard's. It
// depends on nothing but the address and the number of shards: a connection that
// is added or removed moves no other, on no machine and in no later version.
func (s Shard) Has(address string) bool {
	return s.Of <= 1 || jump(hash(address), s.Of) == s.Index
}

func hash(address string) uint64 {
	sum := sha256.Sum256([]byte(address))
	return binary.BigEndian.Uint64(sum[:8])
}

// jump is the jump consistent hash of Lamping and Veach: when there are n
// instead of n-1 shards, one connection in n moves, and all of them to the new
// shard.
func jump(key uint64, shards int) int {
	last, next := int64(-1), int64(0)
	for next < int64(shards) {
		last = next
		key = key*2862933555777941757 + 1
		next = int64(float64(last+1) * (float64(int64(1)<<31) / float64((key>>33)+1)))
	}
	return int(last)
}
