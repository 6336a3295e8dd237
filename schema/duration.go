package schema

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const durationHint = `a number with a unit: "90d", "2w", "24h", "30m", or several: "1d12h"`

var durationPart = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h|d|w)`)

// ParseDuration reads a duration of whole or broken numbers with a unit: Go's,
// and d for 24 hours and w for seven days. It is never negative.
func ParseDuration(s string) (time.Duration, error) {
	rest := strings.TrimSpace(s)
	if rest == "0" {
		return 0, nil
	}
	if rest == "" {
		return 0, errors.New("an empty text is not a duration")
	}
	var sum float64
	for rest != "" {
		part := durationPart.FindStringSubmatch(rest)
		if part == nil {
			return 0, fmt.Errorf("%s is not a duration", shown(s))
		}
		n, err := strconv.ParseFloat(part[1], 64)
		if err != nil {
			return 0, fmt.Errorf("%s is not a duration", shown(s))
		}
		sum += n * float64(unit(part[2]))
		rest = rest[len(part[0]):]
	}
	const most = 100 * 365 * 24 * time.Hour
	if sum > float64(most) {
		return 0, fmt.Errorf("%s is more than 100 years", shown(s))
	}
	return time.Duration(sum), nil
}

func unit(name string) time.Duration {
	switch name {
	case "w":
		return 7 * 24 * time.Hour
	case "d":
		return 24 * time.Hour
	case "h":
		return time.Hour
	case "m":
		return time.Minute
	case "s":
		return time.Second
	case "ms":
		return time.Millisecond
	case "us", "µs":
		return time.Microsecond
	default:
		return time.Nanosecond
	}
}
