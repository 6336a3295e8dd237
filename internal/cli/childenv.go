package cli

import (
	"slices"
	"strings"
)

// childEnv returns what a browser is given of our environment: what it needs to
// open on this desktop, by name. All else stays here, as it may be a secret: the
// Vault token, and whatever the files or a CI job keep in a variable.
func childEnv(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !forBrowsers(strings.ToUpper(name))
	})
}

func forBrowsers(name string) bool {
	switch name {
	case "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH",
		"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "BROWSER", "DESKTOP_SESSION", "DBUS_SESSION_BUS_ADDRESS",
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "APPDATA", "LOCALAPPDATA",
		"USERNAME", "USERDOMAIN", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "PROGRAMDATA", "PUBLIC", "ALLUSERSPROFILE":
		return true
	}
	for _, family := range []string{"LC_", "XDG_", "GTK_", "GDK_", "QT_", "KDE_", "GNOME_", "MOZ_", "WSL", "PROGRAMFILES", "COMMONPROGRAMFILES"} {
		if strings.HasPrefix(name, family) {
			return true
		}
	}
	return false
}
