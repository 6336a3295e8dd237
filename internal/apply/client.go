package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/tfe"
)

var errNoClient = errors.New("the OAuth client is gone; plan again")

// createClient makes the OAuth client, or finds the one it made before by its
// consumer key: an answer may have been lost.
func (r *runner) createClient(ctx context.Context, s plan.CreateClient) error {
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	found, err := r.findClient(ctx, client)
	if err != nil && !errors.Is(err, errNoClient) {
		return err
	}
	if err != nil {
		if found, err = r.newClient(ctx, client, s); err != nil {
			return err
		}
	}
	return r.noteClient(ctx, found.ID)
}

func (r *runner) newClient(ctx context.Context, client terraformServer, s plan.CreateClient) (tfe.OAuthClient, error) {
	consumer, err := r.consumer()
	if err != nil {
		return tfe.OAuthClient{}, err
	}
	public, err := r.consumerHalf(ctx, consumer)
	if err != nil {
		return tfe.OAuthClient{}, err
	}
	projects, err := r.projectIDs(ctx, client, s.Projects)
	if err != nil {
		return tfe.OAuthClient{}, err
	}
	pool, err := r.poolID(ctx, client, s.AgentPool)
	if err != nil {
		return tfe.OAuthClient{}, err
	}
	return client.CreateClient(ctx, r.Organization, tfe.NewClient{
		Name: s.Name, HTTPURL: s.HTTPURL, APIURL: s.APIURL, ServiceProvider: s.ServiceProvider,
		Key: consumer.Key, Secret: consumer.Private, RSAPublicKey: public,
		OrganizationScoped: s.Scoped, Projects: projects, AgentPool: pool,
	})
}

// findClient returns this connection's OAuth client: one that the record names
// or that has the record's consumer key. Of several, which lost answers can
// leave, it is the one that plan keeps: with a token, else named, else the oldest.
func (r *runner) findClient(ctx context.Context, client terraformServer) (tfe.OAuthClient, error) {
	clients, err := client.Clients(ctx, r.Organization)
	if err != nil {
		return tfe.OAuthClient{}, err
	}
	rec := r.held.Record()
	var ours []tfe.OAuthClient
	for _, c := range clients {
		if named(rec, c) || rec.Consumer != nil && rec.Consumer.Key == c.Key {
			ours = append(ours, c)
		}
	}
	if len(ours) == 0 {
		return tfe.OAuthClient{}, errNoClient
	}
	slices.SortStableFunc(ours, func(a, b tfe.OAuthClient) int {
		return cmp.Or(falseLast(a.Token != nil, b.Token != nil), falseLast(named(rec, a), named(rec, b)), a.Created.Compare(b.Created))
	})
	return ours[0], nil
}

func named(rec record.Record, c tfe.OAuthClient) bool {
	return rec.Client != nil && rec.Client.ID == c.ID
}

func falseLast(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func (r *runner) noteClient(ctx context.Context, id string) error {
	if c := r.held.Record().Client; c != nil && c.ID == id {
		return nil
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		rec.Client = &record.OAuthClient{ID: id, Made: r.now()}
		return nil
	})
}

func (r *runner) updateClient(ctx context.Context, s plan.UpdateClient) error {
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	update := tfe.ClientUpdate{Name: s.Name, OrganizationScoped: s.Scoped}
	if s.Keys {
		consumer, err := r.consumer()
		if err != nil {
			return err
		}
		public, err := r.consumerHalf(ctx, consumer)
		if err != nil {
			return err
		}
		update.Key, update.Secret, update.RSAPublicKey = &consumer.Key, &consumer.Private, &public
	}
	if s.Projects != nil {
		ids, err := r.projectIDs(ctx, client, *s.Projects)
		if err != nil {
			return err
		}
		update.Projects = &ids
	}
	if s.AgentPool != nil {
		id, err := r.poolID(ctx, client, *s.AgentPool)
		if err != nil {
			return err
		}
		update.AgentPool = &id
	}
	if s.Keys {
		if err := r.doubtToken(ctx); err != nil {
			return err
		}
	}
	if err := client.UpdateClient(ctx, s.ID, update); err != nil {
		return err
	}
	return r.noteClient(ctx, s.ID) // adopted clients are noted here
}

// deleteClient deletes an OAuth client after counting again what it would unlink.
func (r *runner) deleteClient(ctx context.Context, s plan.DeleteClient) error {
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	now, err := client.Affected(ctx, r.Organization, s.ID)
	if errors.Is(err, tfe.ErrNotFound) {
		return r.clientGone(ctx, client, s.ID, nil)
	}
	if err != nil {
		return fmt.Errorf("counting what it would unlink: %w", err)
	}
	if err := r.accepts(s, now); err != nil {
		return err
	}
	return r.clientGone(ctx, client, s.ID, client.DeleteClient(ctx, s.ID))
}

// clientGone returns nil only when the organization's list, read once more, does
// not have the client: keys are destroyed next, and "not found" also means "not
// allowed". refused is what the deletion ended with.
func (r *runner) clientGone(ctx context.Context, client terraformServer, id string, refused error) error {
	if refused != nil && !errors.Is(refused, tfe.ErrNotFound) && !errors.Is(refused, tfe.ErrUnavailable) {
		return refused
	}
	clients, err := client.Clients(ctx, r.Organization)
	switch {
	case err != nil && refused != nil:
		return fmt.Errorf("%w; reading whether it was done: %w", refused, err)
	case err != nil:
		return fmt.Errorf("reading whether OAuth client %s is gone: %w", id, err)
	case !slices.ContainsFunc(clients, func(c tfe.OAuthClient) bool { return c.ID == id }):
		return nil
	case refused != nil:
		return refused
	}
	return fmt.Errorf("OAuth client %s was answered as deleted, or not found, and organization %s still lists it; check what the API token may do, then run again", id, r.Organization)
}

// accepts returns an error when the deletion would unlink what was not planned,
// unless the user has accepted exactly this many.
func (r *runner) accepts(s plan.DeleteClient, now tfe.Affected) error {
	total := now.Workspaces + len(now.Others)
	fresh := slices.DeleteFunc(slices.Clone(now.Others), func(other string) bool { return slices.Contains(s.Others, other) })
	switch {
	case total == r.opts.AllowUnlink:
		return nil
	case len(fresh) > 0:
		return fmt.Errorf("it would take the OAuth token from %s, which was not planned: plan again, or run with --allow-unlink=%d to accept that", strings.Join(fresh, ", "), total)
	case now.Workspaces > s.Unlinks:
		return fmt.Errorf("it would unlink %d workspaces (%s), and %d were planned: plan again, or run with --allow-unlink=%d to accept that", now.Workspaces, sample(now.Names), s.Unlinks, total)
	}
	return nil
}

func sample(names []string) string {
	const most = 5
	if len(names) <= most {
		return fmt.Sprint(names)
	}
	return fmt.Sprintf("%v and more", names[:most])
}

func (r *runner) projectIDs(ctx context.Context, client terraformServer, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	known, err := client.Projects(ctx, r.Organization)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(names))
	for i, name := range names {
		id, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("organization %s has no project %q, or bbsync's token does not see it", r.Organization, name)
		}
		ids[i] = id
	}
	return ids, nil
}

func (r *runner) poolID(ctx context.Context, client terraformServer, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	known, err := client.AgentPools(ctx, r.Organization)
	if err != nil {
		return "", err
	}
	if id, ok := known[name]; ok {
		return id, nil
	}
	return "", fmt.Errorf("organization %s has no agent pool %q, or bbsync's token does not see it", r.Organization, name)
}
