package bitbucket

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	ordered := []string{"2.1.0", "4.9.1", "5.3.9", "5.4", "5.10.0", "7.11.2", "8.19.12", "9.4.16", "10.0", "10.2.1"}
	for i, text := range ordered {
		v, err := ParseVersion(text)
		if err != nil || v.String() != text || !v.Known() {
			t.Fatalf("%s: %v", text, err)
		}
		for j, other := range ordered {
			if have, want := v.AtLeast(other), i >= j; have != want {
				t.Errorf("%s at least %s: %v", text, other, have)
			}
		}
	}
	for text, same := range map[string]string{"5.4.0": "5.4", "8.0.0-eap01": "8.0", "7.0.0.rc1": "7.0.0", "9.4.0-SNAPSHOT": "9.4.0"} {
		v, err := ParseVersion(text)
		u, _ := ParseVersion(same)
		if err != nil || !v.AtLeast(same) || !u.AtLeast(text) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "latest", "-1", "v5"} {
		if _, err := ParseVersion(text); err == nil {
			t.Errorf("%q is a version", text)
		}
	}
	if (Version{}).AtLeast("0") {
		t.Error("an unknown version is at least something")
	}
}

func TestPropertiesRecorded(t *testing.T) {
	a := recorded(t, "application-properties_7.11.2.http")
	s := newScript(t, says(a.status, string(a.body)))
	p, err := client(t, s.url).Properties(t.Context())
	if err != nil || p.Version.String() != "7.11.2" || p.BuildNumber != "7011002" || p.DisplayName != "Bitbucket" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPropertiesOfSomethingElse(t *testing.T) {
	for name, step := range map[string]http.HandlerFunc{
		"no such resource": says(404, page200), "a page": says(200, page200), "Jira": says(200, `{"baseUrl":"x"}`),
	} {
		s := newScript(t, step)
		if _, err := client(t, s.url).Properties(t.Context()); !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrBadAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStatus(t *testing.T) {
	for want, step := range map[string]http.HandlerFunc{
		"RUNNING": says(200, `{"state":"RUNNING"}`), "STARTING": says(503, `{"state":"STARTING"}`),
		"MAINTENANCE": says(200, `{"state":"MAINTENANCE"}`), "ERROR": says(500, `{"state":"error"}`),
	} {
		s := newScript(t, step)
		if have, err := client(t, s.url).Status(t.Context()); err != nil || have != want || s.count() != 1 {
			t.Errorf("%s: %q, %v", want, have, err)
		}
	}
}

// A base URL says where clients connect to, and without a port it means 22: the
// settings' port counts where there is no base URL.
func TestSSHSettings(t *testing.T) {
	based := func(url string) string { return fmt.Sprintf(`{"enabled":true,"port":7999,"baseUrl":%q}`, url) }
	for body, want := range map[string]string{
		string(fixture(t, "ssh_settings_200.json")):      "bitbucket.example.com:7999",
		`{"enabled":true,"port":7998}`:                   "127.0.0.1:7998",
		`{"enabled":true,"port":7998,"baseUrl":""}`:      "127.0.0.1:7998",
		`{"enabled":true}`:                               "127.0.0.1:7999",
		`{"enabled":true,"port":70000}`:                  "127.0.0.1:7999",
		`{"enabled":false,"port":-1,"fingerprint":null}`: "127.0.0.1:7999",

		based("ssh://git.example.com"):           "git.example.com:22",
		based("ssh://git.example.com/"):          "git.example.com:22",
		based("ssh://git@git.example.com"):       "git.example.com:22",
		based("ssh://git.example.com:"):          "git.example.com:22",
		based("ssh://git@git.example.com:22"):    "git.example.com:22",
		based("ssh://git.example.com:7999"):      "git.example.com:7999",
		based("SSH://GIT.example.com:2222"):      "GIT.example.com:2222",
		based("ssh://[fd00::1]"):                 "[fd00::1]:22",
		based("ssh://[fd00::1]:2222"):            "[fd00::1]:2222",
		based("ssh://git_lb.example.com:22/scm"): "git_lb.example.com:22",
		based("git.example.com"):                 "git.example.com:22",
		based("git@git.example.com:2222"):        "git.example.com:2222",
	} {
		s := newScript(t, says(200, body))
		if have, err := client(t, s.url).SSHSettings(t.Context()); err != nil || have.Addr() != want {
			t.Errorf("%s: %+v, %v, want %s", body, have, err, want)
		}
	}
	for _, base := range []string{"https://git.example.com", "ssh://", "ssh://git.example.com:99999", "ssh://git.example.com:x"} {
		s := newScript(t, says(200, based(base)))
		have, err := client(t, s.url).SSHSettings(t.Context())
		if err == nil || !strings.Contains(err.Error(), base) || !strings.Contains(err.Error(), "set host and port in the ssh block") {
			t.Errorf("%s: %+v, %v, want an error that names it", base, have, err)
		}
	}
}
