package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// connectionFacts are what was read of one connection: what plan reads, and what
// only a doctor asks.
type connectionFacts struct {
	want      *schema.Connection
	have      plan.Have
	shared    plan.Bitbucket // with the grants held
	planned   plan.Connection
	bitbucket *bitbucketFacts
	terraform *terraformFacts
	hostKeys  *live.HostKeys

	client *plan.Client // nil: none
	ours   bool         // client is this connection's, and not one that could be taken over

	record   answer[record.Record]
	versions answer[int] // of the record that can still be read
	lacks    answer[[]vault.Lack]

	brought      []brought
	organization answer[tfe.Organization]
	licensed     answer[bool]
	proof        error // of the consumer; errNotAsked without a key
	login        answer[bitbucket.SSHProof]
	repos        answer[[]string]        // that Terraform sees
	seen         map[string]answer[bool] // by declared repository
	events       answer[[]tfe.VCSEvent]
}

func (f *connectionFacts) read(ctx context.Context, sys *systems.Systems) {
	f.client, f.ours = plan.ClientOf(f.want, f.have)
	if f.client != nil {
		f.have.User = plan.WithFormer(f.have.User, f.have.Record, f.client.Token)
	}
	f.proof, f.login.err, f.licensed.err, f.repos.err = errNotAsked, errNotAsked, errNotAsked, errNotAsked
	f.readRecord(ctx, sys.Vault())
	f.readBrought(ctx, sys)
	f.readTerraform(ctx, sys)
	if f.unread("bitbucket") == nil {
		f.readBitbucket(ctx, sys)
	}
}

// unread returns why a system was not read for this connection, nil if it was.
func (f *connectionFacts) unread(system string) error {
	for _, u := range f.have.Unread {
		if u.System == system {
			return u.Cause
		}
	}
	return nil
}

func (f *connectionFacts) readRecord(ctx context.Context, client *vault.Client) {
	var rec record.Record
	path := f.want.Record
	if f.have.Moved != nil {
		path = f.have.Moved.Path
	}
	rec, _, err := client.Read(ctx, path)
	f.record = answer[record.Record]{rec, err}
	f.versions.value, _, f.versions.err = client.Versions(ctx, path)
	f.lacks = ask(client.Lacks(ctx, f.want.Record))
}

func (f *connectionFacts) readTerraform(ctx context.Context, sys *systems.Systems) {
	client, err := sys.Terraform(ctx, f.want.Terraform.Label, f.want.Organization)
	if err != nil {
		f.organization.err, f.events.err = err, err
		return
	}
	if f.organization = ask(client.Organization(ctx, f.want.Organization)); f.organization.err != nil {
		f.events.err = f.organization.err
		return
	}
	f.events = ask(client.VCSEvents(ctx, f.want.Organization))
	if f.client == nil || f.client.Token == nil {
		return
	}
	token := f.client.Token.ID
	if f.repos = ask(client.AuthorizedRepos(ctx, token)); errors.Is(f.repos.err, tfe.ErrTokenRefused) {
		return // it would be refused for each repository
	}
	f.seen = map[string]answer[bool]{}
	for _, name := range f.repositories() {
		f.seen[name] = ask(client.HasRepository(ctx, f.want.Organization, name, token))
	}
}

// repositories are those declared, as PROJECT/slug.
func (f *connectionFacts) repositories() []string {
	var out []string
	for _, g := range f.want.Grants {
		if g.Repository != "" {
			out = append(out, g.Project+"/"+g.Repository)
		}
	}
	return out
}

func (f *connectionFacts) readBitbucket(ctx context.Context, sys *systems.Systems) {
	client, err := sys.Bitbucket(ctx, f.want.Bitbucket.Label)
	if err != nil {
		return
	}
	held, err := client.HasPermissions(ctx, f.want.ServiceUser, []bitbucket.Permission{{Name: "LICENSED_USER"}})
	f.licensed.err = err
	if err == nil {
		f.licensed.value = held[0].Held
	}
	if f.record.err != nil {
		return
	}
	if c := f.record.value.Consumer; c != nil && f.have.Consumer != nil {
		if f.proof = errPrivateElsewhere; !c.Private.Empty() {
			f.proof = client.ProveConsumer(ctx, c.Key, c.Private)
		}
	}
	f.readLogin(ctx, sys, client)
}

// readLogin logs in over SSH with the record's key.
func (f *connectionFacts) readLogin(ctx context.Context, sys *systems.Systems, client *bitbucket.Client) {
	key := f.record.value.SSH.Current
	switch {
	case key == nil:
		return
	case key.Private.Empty():
		f.login.err = errPrivateElsewhere
		return
	case f.inOverlap():
		f.login.err = errInOverlap
		return
	}
	server, err := sys.SSHServer(ctx, f.want.Bitbucket.Label)
	if err != nil {
		f.login.err = err
		return
	}
	f.login.err = f.hostKeys.PinnedLogin(ctx, f.want.Bitbucket.URL, server.HostKeys, f.record.value.HostKeys, func(pinned []string) (string, error) {
		f.login = ask(client.WhoamiSSH(ctx, server.Address, key.Private, pinned))
		return f.login.value.HostKey, f.login.err
	})
}

// checks are in the order of the procedure.
func (f *connectionFacts) checks(now time.Time) []Check {
	out := []Check{f.recordCheck(), f.policyCheck(), f.leaseCheck(now)}
	out = append(out, f.broughtChecks()...)
	out = append(out, f.linkChecks()...)
	out = append(out, f.organizationCheck())
	out = append(out, f.clientChecks()...)
	out = append(out, f.userChecks(now)...)
	out = append(out, f.tokenChecks(now)...)
	out = append(out, f.repositoriesCheck(), f.eventsCheck(now))
	return append(append(out, f.rotationChecks(now)...), f.planCheck())
}

// planName is the check that says what plan would say. It is Unknown when the
// connection could not be read.
const planName = "plan"

// planCheck says what plan would say, in a word.
func (f *connectionFacts) planCheck() Check {
	const name = planName
	p := f.planned
	switch p.State() {
	case plan.StateInSync:
		return ok(name, "in sync")
	case plan.StateWaiting:
		return warning(name, "waiting for a person", "nothing else can be done before", "see authorization")
	case plan.StateLeased:
		return warning(name, "another apply is at it", p.Blocks[0].Text, p.Blocks[0].Remedy)
	case plan.StateUnreadable:
		return unknown(name, p.Blocks[0].Text, p.Blocks[0].Remedy)
	case plan.StateRefused:
		return failed(name, "nothing can be planned", p.Blocks[0].Text, p.Blocks[0].Remedy)
	case plan.StateChanges:
	}
	steps := make([]string, 0, len(p.Changes))
	for _, s := range p.Steps() {
		steps = append(steps, s.String())
	}
	if n := len(steps); n > shownSteps {
		steps = append(steps[:shownSteps], fmt.Sprintf("and %d more", n-shownSteps))
	}
	return warning(name, "the files and the systems differ", strings.Join(steps, "; "), "look at bbsync plan, then bbsync apply")
}

// shownSteps is how many steps are named; plan shows them all.
const shownSteps = 3
