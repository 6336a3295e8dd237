package httpx_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/httpx"
)

func TestReadPage(t *testing.T) {
	html := "text/html; charset=utf-8"
	for _, test := range []struct {
		name, media, server, body string
		want                      string // "": no page
	}{
		{"JSON", "application/json", "", `{"errors":[]}`, ""},
		{"JSON under a wrong name", html, "", `{"errors":[]}`, ""},
		{"XML", "application/xml", "", `<?xml version="1.0"?><status><status-code>401</status-code></status>`, ""},
		{"nothing", html, "", "", ""},
		{"plain text", "text/plain", "", "upstream connect error", ""},
		{"no media type", "", "", " <!DOCTYPE html><html><title> Hello\n there</title>", `a web page titled "Hello there"`},
		{"unknown", html, "", "<p>No entry", "a web page"},
		{"title with a line break and an escape", html, "", "<title>a\x1b[31m\n::error::b</title>", `a web page titled "a\x1b[31m ::error::b"`},
		{
			"F5", html, "", "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your administrator.<br><br>Your support ID is: 14396929317839226498<br>",
			`a web page of F5 BIG-IP titled "Request Rejected" (support id "14396929317839226498")`,
		},
		{
			"Akamai", html, "AkamaiGHost", `<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY>Reference&#32;&#35;18&#46;2d351002&#46;1700000000&#46;a4fd3e1<P>https&#58;&#47;&#47;errors&#46;edgesuite&#46;net`,
			`a web page of Akamai titled "Access Denied" (support id "18.2d351002.1700000000.a4fd3e1")`,
		},
		{"load balancer", html, "awselb/2.0", "<html><head><title>403 Forbidden</title></head>", `a web page of AWS Elastic Load Balancing titled "403 Forbidden"`},
		{"nginx", html, "nginx", "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center>", `a web page of nginx titled "502 Bad Gateway"`},
		{"SAML form", html, "", `<html><body onload="document.forms[0].submit()"><form action="https://sso.example/adfs/ls/"><input type="hidden" name="SAMLRequest" value="x"/>`, "a login page of AD FS"},
		{"Okta", html, "", `<html><title>Example - Sign In</title><script src="https://ok1static.oktacdn.com/x.js">`, `a login page of Okta titled "Example - Sign In"`},
		{"login form", html, "", `<html><title>Log in</title><input name=u><input type=password name=p>`, `a login page titled "Log in"`},
		{"Bitbucket's login", html, "", `<html><head><title>Log in - Bitbucket</title><meta name="application-name" content="Bitbucket"></head><form action="/j_atl_security_check"><input type="password" name="j_password">`, `a login page of Bitbucket titled "Log in - Bitbucket"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			page, ok := httpx.ReadPage(http.Header{"Content-Type": {test.media}, "Server": {test.server}}, []byte(test.body))
			have := ""
			if ok {
				have = page.String()
			}
			if have != test.want {
				t.Errorf("have %s\nwant %s", have, test.want)
			}
		})
	}
}

// TestCloudflareIsNamedOnlyForItsOwnPages has a page of the server behind it.
func TestCloudflareIsNamedOnlyForItsOwnPages(t *testing.T) {
	header := http.Header{"Content-Type": {"text/html"}, "Server": {"cloudflare"}, "Cf-Ray": {"8f-FRA"}}
	if page, _ := httpx.ReadPage(header, []byte("<html><title>Down</title>")); page.Product != "" {
		t.Errorf("the server's own page is of %s", page.Product)
	}
	header.Set("Cf-Mitigated", "challenge")
	if page, _ := httpx.ReadPage(header, []byte("<html><title>Just a moment...</title>")); page.Product != "Cloudflare" || page.Ticket != "8f-FRA" {
		t.Errorf("%+v", page)
	}
}

func TestLoginOfARedirect(t *testing.T) {
	for location, want := range map[string]string{
		"https://acme.cloudflareaccess.com/cdn-cgi/access/login/x": "Cloudflare Access",
		"https://acme.okta.com/app/x/sso/saml":                     "Okta",
		"https://login.microsoftonline.com/common/oauth2":          "Microsoft Entra ID",
		"https://accounts.google.com/o/oauth2/v2/auth":             "Google Identity-Aware Proxy",
		"https://bitbucket.example/login":                          "",
	} {
		resp := &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {location + "?token=x"}}}
		redirect, _ := errors.AsType[*httpx.RedirectError](httpx.Redirected(resp))
		if redirect == nil || redirect.Product != want || strings.Contains(redirect.Error(), "token") {
			t.Errorf("%s: %+v, want %q", location, redirect, want)
		}
	}
}

func FuzzReadPage(f *testing.F) {
	f.Add("text/html", "<title>a</title>")
	f.Fuzz(func(t *testing.T, media, body string) {
		page, _ := httpx.ReadPage(http.Header{"Content-Type": {media}}, []byte(body))
		if strings.ContainsAny(page.String(), "\n\r\x1b\x00") {
			t.Errorf("%q", page.String())
		}
	})
}
