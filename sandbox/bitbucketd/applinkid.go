package bitbucketd

import (
	"crypto/md5" //nolint:gosec // the formula of the identifiers, no security
	"fmt"
	"net/url"
	"path"
	"strings"
)

// linkID is the identifier that a generic link gets: the name-based UUID of its
// address, without namespace (as Java's UUID.nameUUIDFromBytes). Dot segments are
// removed; the case of scheme and host, default ports and queries are not touched.
func linkID(rpcURL string) string {
	sum := md5.Sum([]byte(normalized(rpcURL)))
	sum[6] = sum[6]&0x0f | 0x30
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:])
}

func normalized(rpcURL string) string {
	u, err := url.Parse(rpcURL)
	if err != nil {
		return strings.TrimRight(rpcURL, "/")
	}
	prefix, rest, ok := strings.Cut(rpcURL, u.Host)
	if !ok || u.Host == "" {
		return strings.TrimRight(rpcURL, "/")
	}
	p, tail := rest, ""
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		p, tail = rest[:i], rest[i:]
	}
	if strings.HasPrefix(p, "/") {
		p = path.Clean(p)
	}
	return strings.TrimRight(prefix+u.Host+p+tail, "/")
}
