package schema_test

import (
	"testing"
	"time"

	"github.com/bbsync/bbsync/schema"
)

func TestCanonicalURL(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{"https://app.terraform.io", "https://app.terraform.io"},
		{"https://App.Terraform.IO:443/", "https://app.terraform.io"},
		{"HTTPS://bitbucket.corp.example:8443/Git//", "https://bitbucket.corp.example:8443/Git"},
		{" https://bitbucket.corp.example. ", "https://bitbucket.corp.example"},
		{"https://bitbucket.corp.example:08443", "https://bitbucket.corp.example:8443"},
		{"http://localhost:80/x", "http://localhost/x"},
		{"http://127.0.0.1:7990", "http://127.0.0.1:7990"},
		{"http://[::1]:7990/", "http://[::1]:7990"},
		{"https://host/a%20b", "https://host/a%20b"},
		{"http://bitbucket.corp.example", ""},
		{"http://localhost.example", ""},
		{"ftp://bitbucket.corp.example", ""},
		{"bitbucket.corp.example", ""},
		{"https://", ""},
		{"https:///x", ""},
		{"https://admin@host", ""},
		{"https://admin:tiger@host", ""},
		{"https://host?x=1", ""},
		{"https://host?", ""},
		{"https://host/#x", ""},
		{"https://host/#", ""},
		{"https://host:0", ""},
		{"https://host:99999", ""},
		{"https://host/a/../b", ""},
		{"https://host//a", ""},
		{"https://ho st", ""},
		{"https://ho_st", ""},
		{"", ""},
	} {
		have, err := schema.CanonicalURL(c.raw)
		if have != c.want || (err == nil) != (c.want != "") {
			t.Errorf("CanonicalURL(%q) = %q, %v, want %q", c.raw, have, err, c.want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"90d", 90 * day, true},
		{"2w", 14 * day, true},
		{"1d12h", day + 12*time.Hour, true},
		{"1.5d", 36 * time.Hour, true},
		{"24h", day, true},
		{"90m30s", 90*time.Minute + 30*time.Second, true},
		{" 24h ", day, true},
		{"0", 0, true},
		{"", 0, false},
		{"90", 0, false},
		{"90 d", 0, false},
		{"-1h", 0, false},
		{"1y", 0, false},
		{"h", 0, false},
		{"1000000000000000000000d", 0, false},
	} {
		have, err := schema.ParseDuration(c.text)
		if have != c.want || (err == nil) != c.ok {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v, ok %v", c.text, have, err, c.want, c.ok)
		}
	}
}

func TestAddress(t *testing.T) {
	for key, want := range map[string]string{
		"acme":      `connection.team["acme"]`,
		`a"b\c`:     `connection.team["a\"b\\c"]`,
		"${x}-%{y}": `connection.team["$${x}-%%{y}"]`,
		"50%-$":     `connection.team["50%-$"]`,
	} {
		if have := schema.Address("team", key); have != want {
			t.Errorf("Address(%q) = %s, want %s", key, have, want)
		}
	}
}
