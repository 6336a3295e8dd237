package bitbucketd

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// Webhook is a webhook of a repository (since 5.4).
type Webhook struct {
	ID            int             `json:"id"`
	Name          string          `json:"name"`
	Created       int64           `json:"created"`
	Updated       int64           `json:"updated"`
	Events        []string        `json:"events"`
	Configuration json.RawMessage `json:"configuration"`
	URL           string          `json:"url"`
	Active        bool            `json:"active"`
	SkipTLSVerify bool            `json:"skipTlsVerify"`
	Last          *Invocation     `json:"last,omitempty"`
}

// Invocation is how a call of a webhook went.
type Invocation struct {
	Outcome     string `json:"outcome"` // SUCCESS, FAILURE, ERROR
	Description string `json:"description"`
	Start       int64  `json:"start"`
	Finish      int64  `json:"finish"`
}

type webhookBody struct {
	ID            int             `json:"id,omitempty"`
	Name          string          `json:"name"`
	CreatedDate   int64           `json:"createdDate,omitempty"`
	UpdatedDate   int64           `json:"updatedDate,omitempty"`
	Events        []string        `json:"events"`
	Configuration json.RawMessage `json:"configuration,omitempty"`
	URL           string          `json:"url"`
	Active        bool            `json:"active"`
	ScopeType     string          `json:"scopeType,omitempty"`
	SSLVerify     *bool           `json:"sslVerificationRequired,omitempty"`
}

func (c *call) webhookBody(h *Webhook) webhookBody {
	body := webhookBody{
		ID: h.ID, Name: h.Name, CreatedDate: h.Created, UpdatedDate: h.Updated, Events: h.Events,
		Configuration: h.Configuration, URL: h.URL, Active: h.Active,
	}
	if c.version.since(8, 0, 0) { // Doubt: the first version with these two
		verify := !h.SkipTLSVerify
		body.ScopeType, body.SSLVerify = "repository", &verify
	}
	return body
}

// webhookEvents are the events that a repository's webhook may ask for.
func webhookEvents() []string {
	return []string{
		"repo:refs_changed", "repo:modified", "repo:forked", "repo:comment:added", "repo:comment:edited",
		"repo:comment:deleted", "repo:secret_detected", "mirror:repo_synchronized", "pr:opened", "pr:from_ref_updated", "pr:modified",
		"pr:reviewer:updated", "pr:reviewer:approved", "pr:reviewer:unapproved", "pr:reviewer:needs_work", "pr:merged",
		"pr:declined", "pr:deleted", "pr:comment:added", "pr:comment:edited", "pr:comment:deleted",
	}
}

// webhookRepo returns the repository of the path, if the server has webhooks.
func (c *call) webhookRepo() (*Project, *Repo, error) {
	if !c.version.hasWebhooks() {
		_, err := unknownREST(c)
		return nil, nil, err
	}
	return c.repo(RepoAdmin)
}

func (c *call) webhook() (*Repo, *Webhook, error) {
	_, r, err := c.webhookRepo()
	if err != nil {
		return nil, nil, err
	}
	for _, h := range r.Webhooks {
		if strconv.Itoa(h.ID) == c.r.PathValue("id") {
			return r, h, nil
		}
	}
	return nil, nil, refuse(http.StatusNotFound, noSuchWebhook, "No webhook with id %s exists in this repository.", c.r.PathValue("id"))
}

func listWebhooks(c *call) (reply, error) {
	_, r, err := c.webhookRepo()
	if err != nil {
		return reply{}, err
	}
	list := []webhookBody{}
	for _, h := range r.Webhooks {
		if event := c.query("event"); event == "" || slices.Contains(h.Events, event) {
			list = append(list, c.webhookBody(h))
		}
	}
	return paged(c, list)
}

func getWebhook(c *call) (reply, error) {
	_, h, err := c.webhook()
	if err != nil {
		return reply{}, err
	}
	return reply{body: c.webhookBody(h)}, nil
}

func createWebhook(c *call) (reply, error) {
	p, r, err := c.webhookRepo()
	if err != nil {
		return reply{}, err
	}
	h := &Webhook{}
	if err := c.readWebhook(h); err != nil {
		return reply{}, err
	}
	h.ID, h.Created, h.Updated = c.st.nextID(), c.now().UnixMilli(), c.now().UnixMilli()
	r.Webhooks = append(r.Webhooks, h)
	c.wrote("webhook %d of %s/%s created", h.ID, p.Key, r.Slug)
	// The document says 200, real servers answer 201.
	return reply{status: http.StatusCreated, body: c.webhookBody(h)}, nil
}

func updateWebhook(c *call) (reply, error) {
	r, h, err := c.webhook()
	if err != nil {
		return reply{}, err
	}
	if err := c.readWebhook(h); err != nil {
		return reply{}, err
	}
	h.Updated = c.now().UnixMilli()
	c.wrote("webhook %d of %s updated", h.ID, r.Slug)
	return reply{body: c.webhookBody(h)}, nil
}

// readWebhook takes over what the caller sent, if all of it is valid.
func (c *call) readWebhook(h *Webhook) error {
	var in struct {
		webhookBody
		Active      *bool           `json:"active"`
		Statistics  json.RawMessage `json:"statistics"`
		Credentials json.RawMessage `json:"credentials"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	if in.Name == "" || len(in.Name) > 255 {
		return refuseField("name", "A name of at most 255 characters is required.")
	}
	if u, err := url.Parse(in.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return refuseField("url", "The URL %q is not valid.", in.URL)
	}
	if len(in.Events) == 0 {
		return refuseField("events", "At least one event is required.")
	}
	for _, e := range in.Events {
		if !slices.Contains(webhookEvents(), e) {
			return refuseField("events", "The event %q is unknown.", e)
		}
	}
	if len(in.Configuration) == 0 {
		in.Configuration = json.RawMessage("{}")
	}
	h.Name, h.URL, h.Events, h.Configuration = in.Name, in.URL, in.Events, in.Configuration
	h.Active = in.Active == nil || *in.Active
	h.SkipTLSVerify = in.SSLVerify != nil && !*in.SSLVerify
	return nil
}

func deleteWebhook(c *call) (reply, error) {
	r, h, err := c.webhook()
	if err != nil {
		return reply{}, err
	}
	r.Webhooks = without(r.Webhooks, func(other *Webhook) bool { return other == h })
	c.wrote("webhook %d of %s deleted", h.ID, r.Slug)
	return reply{status: http.StatusNoContent}, nil
}

type invocationBody struct {
	ID       int              `json:"id"`
	Event    string           `json:"event"`
	Duration int64            `json:"duration"`
	Start    int64            `json:"start"`
	Finish   int64            `json:"finish"`
	Request  invocationSent   `json:"request"`
	Result   invocationResult `json:"result"`
}

type invocationSent struct {
	URL    string `json:"url"`
	Method string `json:"method"`
}

type invocationResult struct {
	Outcome     string `json:"outcome"`
	Description string `json:"description"`
}

// latestInvocation answers 204 when there was none such.
func latestInvocation(c *call) (reply, error) {
	_, h, err := c.webhook()
	if err != nil {
		return reply{}, err
	}
	last, event, outcome := h.Last, c.query("event"), c.query("outcome")
	if last == nil || event != "" && event != refsChanged || outcome != "" && outcome != last.Outcome {
		return reply{status: http.StatusNoContent}, nil
	}
	return reply{body: invocationBody{
		ID: h.ID, Event: refsChanged, Duration: last.Finish - last.Start, Start: last.Start, Finish: last.Finish,
		Request: invocationSent{URL: h.URL, Method: http.MethodPost}, Result: invocationResult{last.Outcome, last.Description},
	}}, nil
}

func webhookStatistics(c *call) (reply, error) {
	if _, _, err := c.webhook(); err != nil {
		return reply{}, err
	}
	return reply{body: struct{}{}}, nil
}
