package front

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// log writes one line: time, server, method, path, status, duration. Of a query
// only the names are written, since passwords and tokens travel in values; bodies
// and headers never are.
func (f *Front) log(r *http.Request, status int, took time.Duration) {
	if f.opts.Log == nil {
		return
	}
	line := fmt.Sprintf("%s %s %s %s %d %dms\n", f.opts.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		f.opts.Name, r.Method, loggedPath(r), status, took.Milliseconds())
	f.logMu.Lock()
	defer f.logMu.Unlock()
	_, _ = f.opts.Log.Write([]byte(line)) // a full disk under the log must not stop the server
}

func loggedPath(r *http.Request) string {
	path := r.URL.EscapedPath() // no control characters
	var names []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		// A part without "=" may itself be a secret.
		if name, _, ok := strings.Cut(pair, "="); ok && printable(name) {
			names = append(names, name+"=")
		}
	}
	if len(names) == 0 {
		return path
	}
	slices.Sort(names)
	return path + "?" + strings.Join(slices.Compact(names), "&")
}

func printable(s string) bool {
	for _, c := range s {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(s) <= 64
}
