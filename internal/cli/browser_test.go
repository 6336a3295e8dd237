package cli

import (
	"slices"
	"testing"
)

func TestBrowserCommand(t *testing.T) {
	t.Parallel()
	const link = "https://app.terraform.io/auth/1?organization_id=7"
	for _, c := range []struct {
		name, goos string
		env        map[string]string
		programs   []string
		want       []string
	}{
		{"Linux with a desktop", "linux", map[string]string{"DISPLAY": ":0"}, []string{"xdg-open"}, []string{"xdg-open", link}},
		{"Wayland", "linux", map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, []string{"xdg-open"}, []string{"xdg-open", link}},
		{"Linux without a desktop", "linux", nil, []string{"xdg-open"}, nil},
		{"Linux without xdg-open", "linux", map[string]string{"DISPLAY": ":0"}, nil, nil},
		{"WSL", "linux", map[string]string{"WSL_DISTRO_NAME": "Debian"}, []string{"wslview"}, []string{"wslview", link}},
		{"macOS", "darwin", nil, nil, []string{"open", link}},
		{"macOS over SSH", "darwin", map[string]string{"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, nil, nil},
		// Not "cmd /c start": it would take the & of a link for its own.
		{"Windows", "windows", nil, nil, []string{"rundll32", "url.dll,FileProtocolHandler", link}},
	} {
		have := browserCommand(c.goos, func(name string) string { return c.env[name] }, func(name string) bool { return slices.Contains(c.programs, name) }, link)
		if !slices.Equal(have, c.want) {
			t.Errorf("%s: have %q, want %q", c.name, have, c.want)
		}
	}
}
