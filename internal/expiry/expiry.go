// Package expiry knows what ends: credentials, keys, certificates and licences, when
// they do, and how each is renewed. It reads nothing; what was read of the systems
// becomes values here, which plan, drift, doctor and the metrics show.
package expiry

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Kind is a kind of thing that ends. Its value is the label "what" of the metrics.
type Kind string

// The kinds of things that end.
const (
	APIToken          Kind = "terraform_token" // that bbsync calls Terraform with
	OAuthToken        Kind = "oauth_token"     // that Terraform calls Bitbucket with
	AdminLogin        Kind = "admin_login"     // that bbsync calls Bitbucket with
	SSHKey            Kind = "ssh_key"
	License           Kind = "bitbucket_license"
	Certificate       Kind = "certificate"
	ClientCertificate Kind = "client_certificate"
	VaultToken        Kind = "vault_token"
	SecretID          Kind = "vault_secret_id"
)

// Day is 24 hours.
const Day = 24 * time.Hour

// ahead is how long before its end a thing is warned of, unless its whole life is
// short: then it is the last quarter of it.
const ahead = 30 * Day

// An End is when one thing ends. It is also the JSON of one.
type End struct {
	What    Kind      `json:"what"`
	Of      string    `json:"of"`             // address in the configuration: vault, terraform.hcp, bitbucket.corp, connection.team["a"]
	Name    string    `json:"name,omitempty"` // which one of them, the same after it was renewed; "" where there is one
	Begins  time.Time `json:"created,omitzero"`
	At      time.Time `json:"expires,omitzero"`    // zero: never, or unknown
	About   bool      `json:"estimated,omitempty"` // At follows from the usual life of such a thing
	Auto    bool      `json:"automatic,omitempty"` // bbsync renews it by itself in time
	Unknown string    `json:"unknown,omitempty"`   // why At cannot be known; "" when it is
	Renew   string    `json:"renewal,omitempty"`   // what to do before the end
}

// State is how near an end is.
type State int

// The states of an End.
const (
	Never State = iota
	Unknown
	Later
	Soon
	Past
)

// State returns how near the end is at a time. What bbsync renews by itself is never
// Soon, and neither is what lives for less than a day, as a token of one pipeline.
func (e End) State(now time.Time) State {
	left := e.At.Sub(now)
	switch {
	case e.Unknown != "":
		return Unknown
	case e.At.IsZero():
		return Never
	case left <= 0:
		return Past
	case left <= e.warnedAhead() && !e.Auto:
		return Soon
	}
	return Later
}

func (e End) warnedAhead() time.Duration {
	if e.Begins.IsZero() {
		return ahead
	}
	life := e.At.Sub(e.Begins)
	if life < Day {
		return 0
	}
	return min(ahead, life/4)
}

// Title names the thing.
func (e End) Title() string {
	name := e.Name
	if name != "" {
		name = " " + name
	}
	switch e.What {
	case APIToken:
		return fmt.Sprintf("the API token%s of %s", name, e.Of)
	case OAuthToken:
		return "the OAuth token of " + e.Of
	case AdminLogin:
		return "the administrator's login to " + e.Of
	case SSHKey:
		return fmt.Sprintf("the SSH key%s of %s", name, e.Of)
	case License:
		return "the license of " + e.Of
	case Certificate:
		return fmt.Sprintf("the certificate%s of %s", name, e.Of)
	case ClientCertificate:
		return fmt.Sprintf("the client certificate%s for %s", name, e.Of)
	case VaultToken:
		return "the Vault token"
	case SecretID:
		return "the secret id of the Vault login"
	}
	return fmt.Sprintf("the %s%s of %s", e.What, name, e.Of)
}

// When says when it ends, as a predicate.
func (e End) When(now time.Time) string {
	day := e.At.UTC().Format(time.DateOnly)
	if e.About {
		day = "about " + day
	}
	switch e.State(now) {
	case Unknown:
		return "ends at a time that cannot be known: " + e.Unknown
	case Never:
		return "does not end"
	case Past:
		return "ended on " + day
	case Soon, Later:
	}
	return fmt.Sprintf("ends on %s, in %s", day, Days(e.At.Sub(now)))
}

// Days says how long something still is. It rounds down: there is no use in claiming more time than there is.
func Days(d time.Duration) string {
	switch n := int(d / Day); {
	case n == 1:
		return "1 day"
	case n > 1:
		return fmt.Sprintf("%d days", n)
	}
	return "less than a day"
}

// Sort orders ends: the nearest first, what never ends or cannot be known last.
func Sort(ends []End) {
	slices.SortStableFunc(ends, func(a, b End) int {
		if a.At.IsZero() != b.At.IsZero() {
			return cmp.Compare(b.At.Unix(), a.At.Unix()) // the zero time is far in the past
		}
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.What, b.What), cmp.Compare(a.Of, b.Of), cmp.Compare(a.Name, b.Name))
	})
}
