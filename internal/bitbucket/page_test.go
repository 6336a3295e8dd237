package bitbucket

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const key1, key2 = `{"id":1,"text":"ssh-rsa AAAA a","label":"a"}`, `{"id":2,"text":"ssh-rsa BBBB b","label":"b"}`

func onPage(start, next int, values string) string {
	if next < 0 {
		return fmt.Sprintf(`{"size":1,"limit":25,"isLastPage":true,"start":%d,"values":[%s],"nextPageStart":null}`, start, values)
	}
	return fmt.Sprintf(`{"size":1,"limit":25,"isLastPage":false,"start":%d,"values":[%s],"nextPageStart":%d}`, start, values, next)
}

func TestPages(t *testing.T) {
	first, last := says(200, onPage(0, 40, key1)), says(200, onPage(40, -1, key2))
	for name, steps := range map[string][]http.HandlerFunc{
		"two pages":                {first, last},
		"a page that repeats":      {first, first, last},
		"a truncated page":         {first, says(200, onPage(40, -1, key2)[:50]), last},
		"a page that leads back":   {first, says(200, onPage(40, 0, key2)), last},
		"a page that leads to it":  {first, says(200, onPage(40, 40, key2)), last},
		"a page that leads off":    {first, says(200, `{"isLastPage":false,"values":[]}`), last},
		"another kind of document": {says(200, `{"errors":[]}`), first, says(200, `[]`), last},
		"no start in it":           {says(200, `{"isLastPage":false,"values":[`+key1+`],"nextPageStart":40}`), last},
	} {
		s := newScript(t, steps...)
		list, err := client(t, s.url).SSHKeys(t.Context(), "svc")
		ids := []int{}
		for _, k := range list {
			ids = append(ids, k.ID)
		}
		if err != nil || !slices.Equal(ids, []int{1, 2}) {
			t.Errorf("%s: %v, %v", name, ids, err)
		}
		if last := s.asked[len(s.asked)-1]; !strings.Contains(last, "start=40") {
			t.Errorf("%s: the second page was asked as %s", name, last)
		}
	}
}

func TestPagesThatNeverGetRight(t *testing.T) {
	for name, body := range map[string]string{
		"repeats for ever": onPage(0, 40, key1),
		"leads nowhere":    `{"isLastPage":false,"values":[]}`,
		"no list":          `{}`,
		"bad key":          onPage(0, -1, `{"id":0}`),
		"bad date":         onPage(0, -1, `{"id":1,"text":"a","createdDate":"tomorrow"}`),
	} {
		s := newScript(t, says(200, body))
		if list, err := client(t, s.url).SSHKeys(t.Context(), "svc"); !errors.Is(err, ErrBadAnswer) || list != nil {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
}

func TestSSHKeyFields(t *testing.T) {
	at := time.UnixMilli(1630041546434).UTC()
	for name, test := range map[string]struct {
		fields string
		want   SSHKey
	}{
		"before 8.7":   {"", SSHKey{}},
		"as sent":      {`,"createdDate":1630041546434,"lastAuthenticated":"1630041546434","expiryDays":30`, SSHKey{Created: at, LastAuthenticated: at, ExpiryDays: 30, HasUsage: true}},
		"as described": {`,"createdDate":"2021-08-27T05:19:06.434Z","lastAuthenticated":1630041546434`, SSHKey{Created: at, LastAuthenticated: at, HasUsage: true}},
		"never used":   {`,"createdDate":1630041546434,"lastAuthenticated":null,"expiryDays":null`, SSHKey{Created: at, HasUsage: true}},
		"left out":     {`,"createdDate":1630041546434`, SSHKey{Created: at, HasUsage: true}},
	} {
		s := newScript(t, says(200, onPage(0, -1, `{"id":1,"text":"ssh-rsa AAAA","label":"l"`+test.fields+`}`)))
		list, err := client(t, s.url).SSHKeys(t.Context(), "svc")
		test.want.ID, test.want.Line, test.want.Label = 1, "ssh-rsa AAAA", "l"
		if err != nil || len(list) != 1 || list[0] != test.want {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
	}
	if k := (SSHKey{Created: at, ExpiryDays: 30}); !k.Expires().Equal(at.Add(30 * 24 * time.Hour)) {
		t.Errorf("expires %s", k.Expires())
	}
}

func FuzzReadPage(f *testing.F) {
	f.Add(fixture(f, "gfleury_GetSSHKeys.json"), 0)
	f.Add([]byte(onPage(0, 40, key1)), 0)
	f.Add([]byte(onPage(40, -1, key1)), 40)
	f.Fuzz(func(t *testing.T, body []byte, start int) {
		var p page[sshKeyWire]
		err := readPage(answer{body: body}, start, &p)
		if err == nil && !*p.IsLastPage && *p.NextPageStart <= start {
			t.Errorf("from %d back to %d", start, *p.NextPageStart)
		}
		for _, w := range p.Values {
			_, _ = w.key()
		}
	})
}
