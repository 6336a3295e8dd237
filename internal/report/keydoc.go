package report

import (
	"time"

	"github.com/bbsync/bbsync/internal/plan"
)

// A KeyDocument is how old a key is, when it is due, and what it waits for.
type KeyDocument struct {
	Key         string    `json:"key"` // "ssh_key" or "consumer_pair"
	Role        plan.Role `json:"role"`
	Fingerprint string    `json:"fingerprint"`
	Created     time.Time `json:"created"`
	Due         time.Time `json:"due,omitzero"`
	Why         string    `json:"why,omitempty"`
	Expires     time.Time `json:"expires,omitzero"`
	LastUsed    time.Time `json:"last_used,omitzero"`
	SoakUntil   time.Time `json:"soak_until,omitzero"`
	Soak        string    `json:"soak,omitempty"`
}

func keyDocuments(ages []plan.Age) []KeyDocument {
	var out []KeyDocument
	for _, a := range ages {
		key := "ssh_key"
		if a.Key == plan.ConsumerPair {
			key = "consumer_pair"
		}
		out = append(out, KeyDocument{
			Key: key, Role: a.Role, Fingerprint: a.Fingerprint, Created: a.Created, Due: a.Due, Why: a.Why,
			Expires: a.Expires, LastUsed: a.LastUsed, SoakUntil: a.SoakUntil, Soak: a.Soak,
		})
	}
	return out
}
