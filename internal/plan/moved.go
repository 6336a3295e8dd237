package plan

import (
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// forgotten is how a record says that a removed block let its connection go.
const forgotten = "forgotten"

// retired is how a record says that its connection was removed.
const retired = "retired"

// Describes reports whether a record is that of the very connection which the files
// describe, at whatever path: under its address, on its systems, with its link.
func Describes(r *Record, want *schema.Connection) bool {
	return r.Address == want.Address && names.SameURL(r.About.Terraform, want.Terraform.Address) && names.SameURL(r.About.Bitbucket, want.Bitbucket.URL) &&
		names.SameOrganization(r.About.Organization, want.Organization) && names.SameURL(r.LinkURL, want.Link.URL)
}

func (r *Record) hasKeys() bool {
	return r.Consumer != nil || r.Pending != nil || r.Current != nil || r.Previous != nil
}

// sameKeys reports whether two records hold the same keys, with the same private
// halves.
func sameKeys(a, b *Record) bool {
	type held struct {
		fingerprint      string
		privateElsewhere bool
	}
	keys := func(r *Record) (out [4]held) {
		if c := r.Consumer; c != nil {
			out[0] = held{c.Key + " " + c.Fingerprint, c.PrivateElsewhere}
		}
		for i, k := range []*Key{r.Pending, r.Current, r.Previous} {
			if k != nil {
				out[i+1] = held{k.Fingerprint, k.PrivateElsewhere}
			}
		}
		return out
	}
	return keys(a) == keys(b)
}

// sameServers reports whether two records are of the same Terraform and Bitbucket.
// An organization that is renamed while its record moves has two names.
func sameServers(a, b About) bool {
	return names.SameURL(a.Terraform, b.Terraform) && names.SameURL(a.Bitbucket, b.Bitbucket)
}

// ChooseMoved returns the one record that a connection had before among those that
// claim it. One that another of them took over, and holds the same keys, is a part
// of that one.
func ChooseMoved(claims []MovedRecord) (*MovedRecord, []string) {
	left := slices.DeleteFunc(slices.Clone(claims), func(m MovedRecord) bool {
		return slices.ContainsFunc(claims, func(other MovedRecord) bool {
			return other.Path != m.Path && other.Record.MovedFrom == m.Path && sameKeys(other.Record, m.Record)
		})
	})
	switch len(left) {
	case 0:
		return nil, nil
	case 1:
		return &left[0], nil
	}
	var paths []string
	for _, m := range left {
		paths = append(paths, m.Path)
	}
	return nil, paths
}

// MovedFrom returns the addresses that moved blocks say a connection had before.
func MovedFrom(moved []schema.Moved, address string) []string {
	var from []string
	for _, m := range moved {
		if m.To == address {
			from = append(from, m.From)
		}
	}
	return from
}

// Taken returns have with the record that the connection takes over in place of its
// own.
func (h Have) Taken() Have {
	if h.Moved != nil {
		h.Record = h.Moved.Record
	}
	return h
}

// takesOver reports whether a connection is to take over the record at a path, or
// has begun to.
func (h Have) takesOver(path string) bool {
	return h.Moved != nil && h.Moved.Path == path || h.Before != nil && h.Before.Path == path
}

// Emptied counts the records that a plan empties by moving them.
func (p Plan) Emptied() int { return number[MoveRecord](p.Connections) }

// limitMoves refuses to empty more records than may be removed.
func limitMoves(fleet *schema.Fleet, connections []Connection, given *int) {
	most := fleet.MaxRemovals
	if given != nil {
		most = *given
	}
	n := number[MoveRecord](connections)
	if n <= most {
		return
	}
	for i := range connections {
		c := &connections[i]
		if number[MoveRecord](connections[i:i+1]) == 0 {
			continue
		}
		c.Changes = nil
		c.Blocks = append(c.Blocks, Block{
			Kind: Refused, At: fleet.MaxRemovalsRange,
			Text:   fmt.Sprintf("this would move %d records, which empties them at their old paths, and max_removals is %d", n, most),
			Remedy: fmt.Sprintf("look whether the moved blocks are right; if so, run with --max-removals %d, or raise max_removals in the bbsync block", n),
		})
	}
}
