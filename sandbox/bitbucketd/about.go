package bitbucketd

import (
	"encoding/xml"
	"net/http"

	"github.com/bbsync/bbsync/sandbox/front"
)

// What the server says of itself.

func getProperties(c *call) (reply, error) {
	return reply{body: struct {
		Version     string `json:"version"`
		BuildNumber string `json:"buildNumber"`
		BuildDate   string `json:"buildDate"`
		DisplayName string `json:"displayName"`
	}{c.opts.Version, c.version.buildNumber(), buildDate, "Bitbucket"}}, nil
}

const buildDate = "1616539597394"

// getStatus is open to all. In maintenance the status is 200 all the same.
func getStatus(c *call) (reply, error) {
	state := c.st.Settings.ServerState
	if state == "" {
		state = "RUNNING"
	}
	rep := reply{body: map[string]string{"state": state}}
	if state == "STARTING" {
		rep.status = http.StatusServiceUnavailable
	}
	return rep, nil
}

func getCapabilities(c *call) (reply, error) {
	type links struct {
		Self string `json:"self"`
	}
	base := c.base.String()
	capabilities := map[string]string{"navigation": base + "/rest/capabilities/navigation"}
	if c.version.hasWebhooks() {
		capabilities["webhooks"] = base + "/rest/webhooks/latest/capabilities"
	}
	return reply{body: struct {
		Links        links             `json:"links"`
		Application  string            `json:"application"`
		BuildDate    string            `json:"buildDate"`
		Capabilities map[string]string `json:"capabilities"`
	}{links{base + "/rest/capabilities"}, "stash", "2021-03-23T22:46:37Z", capabilities}}, nil
}

// manifest is what other Atlassian products read before they link.
type manifest struct {
	XMLName        xml.Name `json:"-" xml:"manifest"`
	ID             string   `json:"id" xml:"id"`
	Name           string   `json:"name" xml:"name"`
	TypeID         string   `json:"typeId" xml:"typeId"`
	Version        string   `json:"version" xml:"version"`
	BuildNumber    string   `json:"buildNumber" xml:"buildNumber"`
	ApplinksVerion string   `json:"applinksVersion" xml:"applinksVersion"`
	Inbound        []string `json:"inboundAuthenticationTypes" xml:"inboundAuthenticationTypes"`
	Outbound       []string `json:"outboundAuthenticationTypes" xml:"outboundAuthenticationTypes"`
	PublicSignup   bool     `json:"publicSignup" xml:"publicSignup"`
	URL            string   `json:"url" xml:"url"`
}

func getManifest(c *call) (reply, error) {
	auth := []string{"com.atlassian.applinks.api.auth.types.OAuthAuthenticationProvider"}
	return reply{xml: true, body: manifest{
		ID: linkID(c.base.String()), Name: "Bitbucket", TypeID: "stash", Version: c.opts.Version,
		BuildNumber: c.version.buildNumber(), ApplinksVerion: "5.4.0", Inbound: auth, Outbound: auth, URL: c.base.String(),
	}}, nil
}

// whoami tells the caller its name; nothing, if it is nobody.
func whoami(c *call) (reply, error) {
	rep := reply{media: "text/plain;charset=UTF-8"}
	if c.who.user != nil {
		rep.text = c.who.user.Name
	}
	return rep, nil
}

type rateSettings struct {
	Enabled bool `json:"enabled"`
	Default struct {
		Capacity int `json:"capacity"`
		FillRate int `json:"fillRate"`
	} `json:"defaultSettings"`
}

func getRateLimit(c *call) (reply, error) {
	if !c.version.hasRateLimit() {
		return unknownREST(c)
	}
	if err := c.licensed(); err != nil {
		return reply{}, err
	}
	set := rateSettings{Enabled: c.st.Settings.RateEnabled}
	set.Default.Capacity, set.Default.FillRate = c.st.Settings.RateCapacity, c.st.Settings.RateFill
	return reply{body: set}, nil
}

// Rate returns the limit to put in front of the server: none before 6.6.
func (s *Server) Rate() front.Rate {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set := s.st.Settings; set.RateEnabled && s.version.hasRateLimit() {
		return front.Rate{PerSecond: float64(set.RateFill), Burst: set.RateCapacity}
	}
	return front.Rate{}
}

// TooMany answers for front that a user has asked too much. Doubt: the text.
func (s *Server) TooMany(w http.ResponseWriter, r *http.Request, b front.Bucket) {
	rep := coreError(http.StatusTooManyRequests, "", "com.atlassian.bitbucket.ratelimit.RateLimitedException", "You have made too many requests recently.")
	rep.header = http.Header{"Retry-After": {b.RetryAfter()}}
	c := &call{Server: s, r: r}
	c.send(w, servletKind, rep)
}

// getSSHSettings is for those who are logged in. Doubt: the fingerprint's form.
func getSSHSettings(c *call) (reply, error) {
	if err := c.licensed(); err != nil {
		return reply{}, err
	}
	type fingerprint struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"value"`
	}
	return reply{body: struct {
		Enabled     bool        `json:"enabled"`
		Port        int         `json:"port"`
		BaseURL     string      `json:"baseUrl"`
		AccessKeys  bool        `json:"accessKeysEnabled"`
		Fingerprint fingerprint `json:"fingerprint"`
	}{!c.st.Settings.SSHDisabled, c.ssh.port, c.ssh.url(""), true, fingerprint{"SHA-256", fingerprintOf(c.signers[0].PublicKey())}}}, nil
}
