package bitbucketd

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// accepted is one entry of an Accept header.
type accepted struct {
	media   string
	quality float64
}

// specificity is 0 for */*, 1 for type/*, and 2 for a whole media type.
func (a accepted) specificity() int { return 2 - strings.Count(a.media, "*") }

// accepts returns the entries of the Accept headers, the ones wanted most first.
func accepts(r *http.Request) []accepted {
	var list []accepted
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		a := accepted{media: media, quality: 1}
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			a.quality = q
		}
		list = append(list, a)
	}
	slices.SortStableFunc(list, func(a, b accepted) int {
		return cmp.Or(cmp.Compare(b.quality, a.quality), cmp.Compare(b.specificity(), a.specificity()))
	})
	return list
}

// wantedMedia chooses among JSON, XML and text: by Accept, else by the media type of
// the request, else JSON.
func wantedMedia(r *http.Request) string {
	offered := []string{"application/json", "application/xml", "text/plain"}
	for _, a := range accepts(r) {
		for _, media := range offered {
			group, _, _ := strings.Cut(media, "/")
			if a.media == media || a.media == group+"/*" || a.media == "*/*" {
				return media
			}
		}
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && slices.Contains(offered, media) {
		return media
	}
	return offered[0]
}
