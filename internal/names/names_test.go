package names_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/names"
)

// TestSame compares each kind of name as its system does.
func TestSame(t *testing.T) {
	kinds := map[string]struct {
		same func(a, b string) bool
		key  func(string) string
	}{
		"organization": {names.SameOrganization, names.OrganizationKey},
		"user":         {names.SameUser, names.UserKey},
		"project":      {names.SameProject, names.ProjectKey},
		"repository":   {names.SameRepository, names.RepositoryKey},
		"url":          {names.SameURL, names.URLKey},
	}
	for _, tt := range []struct {
		kind, a, b string
		want       bool
	}{
		{"organization", "Acme-01", "acme-01", true},
		{"organization", "acme-01", "acme_01", false},
		{"organization", "", "", true},
		{"user", "SVC-Terraform", "svc-terraform", true},
		{"user", "svc-terraform", "svc.terraform", false},
		{"project", "infra", "INFRA", true},
		{"project", "~SVC", "~svc", true},
		{"project", "~svc", "SVC", false},
		{"repository", "VPC", "vpc", true},
		{"repository", "infra/VPC", "INFRA/vpc", true},
		{"repository", "~Svc/VPC", "~svc/vpc", true},
		{"repository", "infra/vpc", "vpc", false},
		{"url", "https://Bitbucket.example:443/git/", "HTTPS://bitbucket.example/git", true},
		{"url", "https://bitbucket.example./git", "https://bitbucket.example/git", true},
		{"url", "http://127.0.0.1:80", "http://127.0.0.1/", true},
		{"url", "http://127.0.0.1:443", "http://127.0.0.1", false},
		{"url", "http://[::1]:80/", "http://[::1]", true},
		{"url", "https://app.terraform.io/app/Acme-01", "https://app.terraform.io/app/acme-01", true},
		{"url", "https://bitbucket.example/git", "https://bitbucket.example", false},
		{"url", "https://bitbucket.example:8443", "https://bitbucket.example", false},
		{"url", "http://bitbucket.example", "https://bitbucket.example", false},
		{"url", "Not a URL/", "not a url", true},
		{"url", "https://x.example/?a=B", "https://x.example?a=b", false},
	} {
		kind := kinds[tt.kind]
		if got := kind.same(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: %q and %q: the same: %t", tt.kind, tt.a, tt.b, got)
		}
		if got := kind.key(tt.a) == kind.key(tt.b); got != tt.want {
			t.Errorf("%s: keys %q and %q of %q and %q", tt.kind, kind.key(tt.a), kind.key(tt.b), tt.a, tt.b)
		}
		if key := kind.key(tt.a); kind.key(key) != key {
			t.Errorf("%s: the key of key %q is %q", tt.kind, key, kind.key(key))
		}
	}
}

// TestURLKeyWithoutParsing holds that the short way gives what parsing gives:
// a scheme in capitals is always parsed.
func TestURLKeyWithoutParsing(t *testing.T) {
	for _, rest := range []string{
		"a.example", "a.example/b", "a.example./b", "a.example.", "a/", "a//", "a/b./c", "a/b.", "a/b/../c", "a_b/c-d", "", "/", "a//b", "-a/b",
		"a.example/app/acme-01", "A.example/B", "a:443/b", "a:443", "a:8443", "a:8443/b/c", "a:8443/", "a.:8443/b", "a:/b", "a:", ":8443", "a:8x/b", "a:80:90/b", "a:0443/b", "a/b:c", "a/./b", "a./", "a/%20", "a/?", "a/b?c",
	} {
		if short, long := names.URLKey("https://"+rest), names.URLKey("HTTPS://"+rest); short != long {
			t.Errorf("%q: %q, and parsed %q", rest, short, long)
		}
	}
}
