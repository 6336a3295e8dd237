package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Basis names what a record says, whoever holds its lease and however often it
// was rewritten. Every apply notes its effects in the record, so an unchanged
// basis means that no other apply has been at the connection since it was
// planned. The basis of no record, and of one that holds nothing but a lease,
// is "".
func (r *Record) Basis() string {
	if r == nil {
		return ""
	}
	facts := *r
	facts.Contradiction = nil // refused before anything is compared
	facts.Version, facts.Lease, facts.Fleet, facts.Address, facts.Deleted, facts.Deletes = 0, nil, "", "", "", time.Time{}
	facts.About, facts.HostKeys = About{}, ""
	if facts == (Record{}) {
		return ""
	}
	body, err := json.Marshal(facts)
	if err != nil { // plain data: a bug, not an event
		panic(fmt.Sprintf("encoding a record's facts: %v", err))
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
