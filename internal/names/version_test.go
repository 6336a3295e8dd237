package names_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/names"
)

func TestVersionAtLeast(t *testing.T) {
	for _, tt := range []struct {
		version, least string
		want           bool
	}{
		{"5.4", "5.4", true},
		{"5.4.0", "5.4", true},
		{"5.3.9", "5.4", false},
		{"5.10.0", "5.4", true},
		{"4.9.1", "4.9.1", true},
		{"4.9", "4.9.1", false},
		{"8.0.0-eap01", "8.0", true},
		{"7.0.0.rc1", "7.0.0", true},
		{"10", "9.4.16", true},
		{"1.2.3.4.5", "1.2.3.4", true},
		{"", "0.1", false},
		{"latest", "1.0", false},
	} {
		if have := names.VersionAtLeast(tt.version, tt.least); have != tt.want {
			t.Errorf("%s at least %s: %t", tt.version, tt.least, have)
		}
	}
}
