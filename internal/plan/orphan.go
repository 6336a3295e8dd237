package plan

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// A Leaving is a connection that is to go, or that only its record knows.
type Leaving struct {
	Want   *schema.Connection // as the files, else as the record describes it
	Record *Record            // as read for finding it
	Forget bool               // a removed block says that the systems stay as they are
	Kept   string             // why nothing can be removed of it; "" for: it can
	For    *schema.Connection // that takes its workspaces over; nil: none
}

// Orphans returns the connections that the fleet has records of, by path, and
// that its files do not describe: in order of their paths. What was retired,
// forgotten or moved away before is over. A record that another one says it took
// over is one of them, unless a moved block says so, too.
func Orphans(fleet *schema.Fleet, records map[string]*Record) []Leaving {
	described, names := map[string]bool{}, map[string]bool{}
	for _, c := range fleet.Connections {
		described[c.Record], names[c.Address] = true, true
	}
	moved := map[string]bool{}
	for _, m := range fleet.Moved {
		moved[m.From] = m.From != m.To // else the record alone has another path, as its connection says
	}
	var out []Leaving
	for _, path := range slices.Sorted(maps.Keys(records)) {
		r := records[path]
		if described[path] || r.Fleet != fleet.Name || r.Ended != "" || moved[r.Address] {
			continue
		}
		address := r.Address
		if address == "" || names[address] { // each address stands in a plan once
			address = "record " + path
		}
		names[address] = true
		out = append(out, orphan(fleet, path, address, r))
	}
	return out
}

// orphan describes a connection as its record does.
func orphan(fleet *schema.Fleet, path, address string, r *Record) Leaving {
	l := Leaving{Record: r, Want: &schema.Connection{
		Address: address, Organization: r.About.Organization, ServiceUser: r.About.ServiceUser, Record: path,
		Link: schema.ApplicationLink{URL: r.LinkURL}, Protect: r.About.Protected,
	}}
	for _, x := range fleet.Removed {
		if x.Covers(r.Address) {
			l.Forget, l.Want.Range = true, x.Range
		}
	}
	for _, t := range fleet.Terraforms {
		if names.SameURL(t.Address, r.About.Terraform) {
			l.Want.Terraform = t
		}
	}
	for _, b := range fleet.Bitbuckets {
		if names.SameURL(b.URL, r.About.Bitbucket) {
			l.Want.Bitbucket = b
		}
	}
	if l.For = heir(fleet, l.Want); l.For != nil {
		l.Want.Range = l.For.Relocate.Range
	}
	switch {
	case l.Want.Terraform == nil:
		l.Want.Terraform = &schema.Terraform{Label: host(r.About.Terraform), Address: r.About.Terraform}
		l.Kept = fmt.Sprintf("no terraform block of the files has the address %q: without it nothing can be removed there", r.About.Terraform)
	case l.Want.Bitbucket == nil:
		l.Kept = fmt.Sprintf("no bitbucket block of the files has the url %q: without it nothing can be removed there", r.About.Bitbucket)
	}
	if l.Want.Bitbucket == nil {
		l.Want.Bitbucket = &schema.Bitbucket{Label: host(r.About.Bitbucket), URL: r.About.Bitbucket}
	}
	if l.Want.Link.URL == "" { // made by nobody yet, or the note of it was cut off
		l.Want.Link.URL = strings.TrimRight(l.Want.Terraform.Address, "/") + "/app/" + r.About.Organization
	}
	return l
}

func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return "unknown"
}
