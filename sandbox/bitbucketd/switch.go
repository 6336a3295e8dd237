package bitbucketd

import "fmt"

// Switch is an option whose default depends on the version.
type Switch int

// The positions of a Switch.
const (
	Default Switch = iota
	On
	Off
)

// String and Set make a Switch the value of a flag.
func (s Switch) String() string { return [...]string{"", "on", "off"}[s] }

// Set sets the switch to "on" or "off".
func (s *Switch) Set(text string) error {
	switch text {
	case "on":
		*s = On
	case "off":
		*s = Off
	default:
		return fmt.Errorf("want on or off, not %q", text)
	}
	return nil
}

// Type is what help calls the value.
func (*Switch) Type() string { return "on|off" }

func (s Switch) or(standard bool) bool {
	if s == Default {
		return standard
	}
	return s == On
}
