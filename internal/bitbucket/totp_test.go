package bitbucket

import (
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
)

// The vectors of RFC 6238, appendix B.
func TestCodesOfTheStandard(t *testing.T) {
	const (
		sha1   = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
		sha256 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA"
	)
	for text, want := range map[string]map[int64]string{
		"otpauth://totp/x?digits=8&secret=" + sha1:                    {59: "94287082", 1111111109: "07081804", 20000000000: "65353130"},
		"otpauth://totp/x?digits=8&algorithm=SHA256&secret=" + sha256: {59: "46119246", 1111111109: "68084774"},
		sha1: {59: "287082", 1234567890: "005924"},
		"gezd gnbv gy3t qojq gezd gnbv gy3t qojq": {59: "287082"},
	} {
		for at, code := range want {
			c, err := newCodes(secret.New(text))
			must(t, err)
			if have, wait := c.next(time.Unix(at, 0)); have != code || wait != 0 {
				t.Errorf("%s at %d: %s after %s, want %s", text, at, have, wait, code)
			}
		}
	}
}

func TestCodesAreUsedOnce(t *testing.T) {
	c, err := newCodes(secret.New(seed))
	must(t, err)
	first, _ := c.next(time.Unix(1_000_000_005, 0))
	if code, wait := c.next(time.Unix(1_000_000_012, 0)); code != "" || wait != 8*time.Second {
		t.Errorf("again %q after %s, want none for 8s", code, wait)
	}
	if code, wait := c.next(time.Unix(999_999_000, 0)); code != "" || wait <= 0 {
		t.Errorf("a code of the past %q after %s", code, wait)
	}
	if code, wait := c.next(time.Unix(1_000_000_020, 0)); code == "" || code == first || wait != 0 {
		t.Errorf("next %q after %s", code, wait)
	}
}

func TestNoSeed(t *testing.T) {
	for _, text := range []string{"123456 canary!", "otpauth://hotp/x?secret=" + seed, "otpauth://totp/x", "otpauth://totp/x?secret=canary1", " - "} {
		_, err := newCodes(secret.New(text))
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
