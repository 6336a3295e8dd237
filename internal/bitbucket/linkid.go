package bitbucket

import (
	"crypto/md5" //nolint:gosec // the server's own derivation, no protection
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// LinkID returns the id that Bitbucket gives to the generic link with this URL:
// a name-based UUID (MD5, no namespace) of the URL without dot segments and
// trailing slash, in ASCII. Scheme, host and port are taken as they are: that
// they are in canonical form is the caller's business, as it is not Bitbucket's.
func LinkID(rpcURL string) (string, error) {
	u, err := url.Parse(rpcURL)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "", errors.New("the application link's url is not an absolute URL")
	}
	sum := md5.Sum([]byte(javaURI(rpcURL))) //nolint:gosec // see above
	sum[6] = sum[6]&0x0f | 0x30
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:]), nil
}

// javaURI does what java.net.URI's normalize and toASCIIString do, and strips
// the trailing slash. The text is kept, not re-encoded.
func javaURI(text string) string {
	end := len(text)
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		end = i
	}
	begin := strings.Index(text, "://") + 3
	if i := strings.IndexByte(text[begin:end], '/'); i >= 0 {
		begin += i
	} else {
		begin = end
	}
	text = ascii(text[:begin] + withoutDots(text[begin:end]) + text[end:])
	return strings.TrimRight(text, "/")
}

// withoutDots removes ".", ".." with what it takes back, and doubled slashes.
func withoutDots(path string) string {
	if path == "" {
		return ""
	}
	var kept []string
	parts := strings.Split(path[1:], "/")
	for _, part := range parts {
		switch {
		case part == "" || part == ".":
		case part == ".." && len(kept) > 0 && kept[len(kept)-1] != "..":
			kept = slices.Delete(kept, len(kept)-1, len(kept))
		default: // a ".." with nothing before it stays
			kept = append(kept, part)
		}
	}
	if last := parts[len(parts)-1]; len(kept) > 0 && (last == "" || last == "." || last == "..") && kept[len(kept)-1] != ".." {
		kept = append(kept, "")
	}
	return "/" + strings.Join(kept, "/")
}

func ascii(text string) string {
	var b strings.Builder
	for _, c := range []byte(norm.NFC.String(text)) {
		if c < 0x80 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}
