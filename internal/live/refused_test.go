package live

import (
	"errors"
	"testing"

	"github.com/bbsync/bbsync/internal/tfe"
)

// TestStillRefused: an error of the server is no sign that a refused token works.
func TestStillRefused(t *testing.T) {
	for name, c := range map[string]struct {
		err     error
		refused bool
		known   bool
	}{
		"it works":         {nil, false, true},
		"it is refused":    {&tfe.Error{Kind: tfe.ErrTokenRefused}, true, true},
		"it cannot tell":   {&tfe.Error{Kind: tfe.ErrUnsupported}, false, true},
		"a server error":   {&tfe.Error{Kind: tfe.ErrUnavailable, Status: 502}, false, false},
		"nothing answered": {errors.New("connection reset"), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if refused, err := stillRefused(c.err); refused != c.refused || (err == nil) != c.known {
				t.Errorf("refused %t, %v", refused, err)
			}
		})
	}
}
