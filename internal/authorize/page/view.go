package page

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/names"
)

// A view is what the page is made of.
type view struct {
	state
	Accounts []account
}

// An account is who must be logged in where before a button helps.
type account struct{ Terraform, Bitbucket, User string }

// A state is all that changes.
type state struct {
	Rows  []row `json:"rows"`
	Done  int   `json:"done"`
	Total int   `json:"total"`
	Over  bool  `json:"over"` // nothing more will come
}

// A row is one connection.
type row struct {
	Name     string `json:"name"` // on the button
	Address  string `json:"-"`
	URL      string `json:"-"`
	State    string `json:"state"` // waiting, done, wrong, lost
	Text     string `json:"text"`
	Settings string `json:"settings,omitempty"` // where a wrong user is undone
}

func (s *Server) view() view {
	v := view{}
	v.state, _ = s.state()
	known := map[account]bool{}
	for _, r := range s.watch.Requests() {
		one := account{r.TerraformURL(), r.BitbucketURL, r.ServiceUser}
		if !known[one] {
			known[one] = true
			v.Accounts = append(v.Accounts, one)
		}
	}
	return v
}

func (s *Server) state() (state, <-chan struct{}) {
	statuses, changed := s.watch.Look()
	requests := s.watch.Requests()
	perOrganization := map[string]int{}
	for _, r := range requests {
		perOrganization[names.OrganizationKey(r.Organization)]++
	}
	out := state{Total: len(requests)}
	for i, r := range requests {
		one := makeRow(r, statuses[i])
		if perOrganization[names.OrganizationKey(r.Organization)] > 1 {
			one.Name += " to " + r.BitbucketURL
		}
		if one.State == "done" {
			out.Done++
		}
		out.Rows = append(out.Rows, one)
	}
	select {
	case <-s.over:
		out.Over = true
	default:
	}
	return out, changed
}

func makeRow(r authorize.Request, s authorize.Status) row {
	out := row{Name: r.Organization, Address: r.Address, URL: r.URL, State: "waiting", Text: "Waiting"}
	switch s.State {
	case authorize.Waiting:
	case authorize.Done:
		out.State, out.Text = "done", "Connected"
		if s.User != "" {
			out.Text += " as " + s.User
		}
	case authorize.Dead:
		out.Text = "Bitbucket refuses the token that Terraform has: connect again"
	case authorize.WrongUser:
		out.State, out.Settings = "wrong", r.Settings()
		out.Text = fmt.Sprintf("Connected as %s, not as %s. Revoke the connection in the organization's VCS provider settings, log out of Bitbucket, log in as %s, and connect again.",
			s.User, r.ServiceUser, r.ServiceUser)
	case authorize.Gone, authorize.Unknown:
		out.State, out.Text = "lost", s.Err.Error()
	}
	if s.Err != nil && out.State == "waiting" {
		out.Text += "; the last look failed: " + s.Err.Error()
	}
	return out
}
