package bitbucket

import (
	"errors"
	"testing"
	"time"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

func TestLicense(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bitbucketd.Options{})
	set := func(l bitbucketd.License) {
		must(t, w.Configure(func(s *bitbucketd.Settings) { s.License = l }))
	}
	end := time.Now().AddDate(0, 0, 20).UTC().Truncate(time.Millisecond)
	set(bitbucketd.License{Expires: end.UnixMilli(), Grace: end.AddDate(0, 0, 14).UnixMilli()})
	have, err := w.client.License(t.Context())
	if err != nil || !have.Expires.Equal(end) || !have.Grace.Equal(end.AddDate(0, 0, 14)) || !have.Maintenance.IsZero() || have.Created.IsZero() {
		t.Errorf("%+v, %v", have, err)
	}
	set(bitbucketd.License{Perpetual: true})
	if have, err := w.client.License(t.Context()); err != nil || !have.Expires.IsZero() {
		t.Errorf("without an end: %+v, %v", have, err)
	}
	set(bitbucketd.License{Missing: true})
	if _, err := w.client.License(t.Context()); !errors.Is(err, ErrNotFound) {
		t.Errorf("without a licence: %v", err)
	}
}
