package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
)

func (f *connectionFacts) organizationCheck() Check {
	const name = "organization"
	o := f.organization.value
	switch err := f.organization.err; {
	case errors.Is(err, tfe.ErrUnauthorized):
		return failure(name, "Terraform refuses the token", err)
	case errors.Is(err, tfe.ErrNotFound):
		return failure(name, f.want.Organization+" is not there, or not for this token", err)
	case err != nil:
		return undecided(name, err)
	case !o.CanUpdateOAuth:
		return failed(name, "the token may not manage "+f.want.Organization+"'s VCS settings", "its team lacks the permission",
			`give the team "Manage VCS Settings", or use an organization's or owner's token`)
	case !o.VCSIntegrations:
		return failed(name, f.want.Organization+" has no VCS integrations", "its plan does not include them", "change the organization's plan")
	case f.want.AgentPool != "" && !o.PrivateVCS && f.terraform.cloud:
		return failed(name, f.want.Organization+" has no private VCS", "agent_pool asks for a connection through agents, which its plan does not include", "change the plan, or leave agent_pool out")
	}
	return ok(name, "the token may manage the VCS settings of %s", f.want.Organization)
}

func (f *connectionFacts) clientChecks() []Check {
	if err := f.unread("terraform"); err != nil {
		return []Check{undecided("oauth-client", err), undecided("callback", err)}
	}
	return []Check{f.oauthClient(), f.callback()}
}

// oauthClient compares Terraform's side with the files and the record.
func (f *connectionFacts) oauthClient() Check {
	const name = "oauth-client"
	c := f.client
	switch {
	case c == nil:
		return failed(name, "none in "+f.want.Organization, "it was deleted, or never made", "bbsync apply makes it")
	case !f.ours:
		return failed(name, fmt.Sprintf("%q (%s) is there, and is not this connection's", c.Name, c.ID), "it was made by hand, or the record is missing", "see plan for how to take it over")
	}
	if check, wrong := f.clientAddresses(); wrong {
		return check
	}
	record := f.have.Record.Consumer
	switch {
	case record != nil && (c.Key != record.Key || c.Fingerprint != record.Fingerprint):
		return failed(name, "has consumer key "+cmp.Or(c.Key, "none")+" and public key "+cmp.Or(c.Fingerprint, "none"), "the record has "+record.Key+" and "+record.Fingerprint, "bbsync apply sets the record's")
	case c.Name != f.want.Name:
		return warning(name, fmt.Sprintf("named %q, want %q", c.Name, f.want.Name), "somebody renamed it", "bbsync apply renames it")
	}
	if f.have.Bitbucket != nil {
		if want := plan.ServiceProvider(f.want, f.have.Bitbucket.Version); c.ServiceProvider != want {
			return warning(name, fmt.Sprintf("%s is of service provider %s", c.ID, c.ServiceProvider), fmt.Sprintf("for Bitbucket %s it would be %s today; Terraform cannot change it, and treats them alike",
				f.have.Bitbucket.Version, want), "leave it, or name it in service_provider")
		}
	}
	return ok(name, "%s for %s, API %s, as %s", c.ID, c.HTTPURL, c.APIURL, c.ServiceProvider)
}

// clientAddresses judges what Terraform cannot change later.
func (f *connectionFacts) clientAddresses() (Check, bool) {
	const name = "oauth-client"
	want, api := f.want.Bitbucket.URL, plan.APIURL(f.want.Bitbucket.URL)
	remedy := "Terraform cannot change it: give the connection another name, so that apply makes a new client beside it, and move the workspaces"
	switch c := f.client; {
	case !names.SameURL(c.HTTPURL, want):
		return failed(name, "HTTP URL "+c.HTTPURL+", want "+want, "scheme, port and context path are those of Bitbucket's own base URL", remedy), true
	case !names.SameURL(c.APIURL, api):
		return failed(name, "API URL "+c.APIURL+", want "+api, "it keeps a port that is not the scheme's own, and drops the context path", remedy), true
	}
	return Check{}, false
}

// callback compares the host that Bitbucket sends a person back to with the one
// that the files name.
func (f *connectionFacts) callback() Check {
	const name = "callback"
	if f.client == nil {
		return unknown(name, "there is no OAuth client", "see oauth-client")
	}
	have, err := url.Parse(f.client.CallbackURL)
	want, wantErr := url.Parse(f.want.Terraform.Address)
	switch {
	case f.client.CallbackURL == "" || err != nil || wantErr != nil:
		return unknown(name, "Terraform does not show the callback URL", "")
	case !names.SameURL("https://"+have.Host, "https://"+want.Host):
		return warning(name, "Terraform sends people back to "+have.Host+", the files name "+want.Host,
			"a Terraform Enterprise with two host names uses the one that TFE_VCS_HOSTNAME_CHOICE says, and old connections keep the old one",
			"use the same host name in the files, and authorize again after the choice was changed")
	}
	return ok(name, "people come back to %s", have.Host)
}
