package bitbucket

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestLinkID(t *testing.T) {
	// The first two were computed apart from this code; the others are the same
	// URL as far as the server is concerned, or another.
	const main, org = "9355acee-2f33-3128-aaf3-73ac3bf1fdb6", "bfa5e1ce-b0bf-36cb-946b-5be8e45c8577"
	for url, want := range map[string]string{
		"https://app.terraform.io":                     main,
		"https://app.terraform.io/app/my-org":          org,
		"https://app.terraform.io/":                    main,
		"https://app.terraform.io/./":                  main,
		"https://app.terraform.io/app/my-org/":         org,
		"https://app.terraform.io/app/x/../my-org":     org,
		"https://app.terraform.io/app/./my-org/.":      org,
		"https://app.terraform.io//app//my-org":        org,
		"https://app.terraform.io/app/my-org/x/..":     org,
		"https://App.terraform.io":                     "",
		"https://app.terraform.io:443":                 "",
		"https://app.terraform.io/app/my-org?a=/../b/": "",
	} {
		id, err := LinkID(url)
		switch {
		case err != nil:
			t.Errorf("%s: %v", url, err)
		case want == "" && (id == main || id == org):
			t.Errorf("%s: the id of another URL", url)
		case want != "" && id != want:
			t.Errorf("%s: %s, want %s", url, id, want)
		case !uuid.MatchString(id):
			t.Errorf("%s: %s is no UUID", url, id)
		}
	}
	for _, url := range []string{"", "terraform", "/app/my-org", "https://", "mailto:a@b", "https://a\x7f"} {
		if id, err := LinkID(url); err == nil {
			t.Errorf("%q has the id %s", url, id)
		}
	}
}

func TestJavaURI(t *testing.T) {
	for text, want := range map[string]string{
		"http://h":            "http://h",
		"http://h/..":         "http://h/..",
		"http://h/../a":       "http://h/../a",
		"http://h/a/..":       "http://h",
		"http://h/a/b/../../": "http://h",
		"http://h/ä":          "http://h/%C3%A4",
		"http://h/a\u0308":    "http://h/%C3%A4", // composed first
		"http://h/%7Ea/":      "http://h/%7Ea",
		"http://h/a?b=c/./d":  "http://h/a?b=c/./d",
	} {
		if have := javaURI(text); have != want {
			t.Errorf("%s: %s, want %s", text, have, want)
		}
	}
}

func TestReadLinks(t *testing.T) {
	recorded := Link{
		ID: "227dd1d7-f6d6-34a5-b046-5663fb518691", Name: "Terraform (my-org)", URL: "https://terraform.example.com/app/my-org",
		DisplayURL: "https://terraform.example.com/my-org", Type: "generic",
	}
	older := Link{ID: "2841b105-5904-3c0a-9710-1ff26ae88206", Name: "JIRA", URL: "https://<destination>", DisplayURL: "https://localhost", Type: "jira", Primary: true}
	const entity = `{"id":"x","typeId":"generic","name":"n","rpcUrl":"https://h","displayUrl":"https://d","isPrimary":true,"isSystem":true}`
	one := Link{ID: "x", Name: "n", URL: "https://h", DisplayURL: "https://d", Type: "generic", Primary: true, System: true}
	const inXML = `<applicationLink><id>x</id><typeId>generic</typeId><name>n</name><rpcUrl>https://h</rpcUrl>` +
		`<displayUrl>https://d</displayUrl><isPrimary>true</isPrimary><isSystem>true</isSystem><link href="https://bb" rel="self"/></applicationLink>`
	for name, test := range map[string]struct {
		body string
		want []Link
	}{
		"recorded 3.0":  {string(fixture(t, "applinks_3.0_applinks_list.json")), []Link{recorded}},
		"recorded 1.0":  {string(fixture(t, "applinks_listApplicationlinks_1.0.json")), []Link{older}},
		"latest":        {`{"applicationLinks":[` + entity + `]}`, []Link{one}},
		"latest, none":  {`{"applicationLinks":[]}`, []Link{}},
		"none":          {`[]`, []Link{}},
		"XML":           {`<?xml version="1.0"?><applicationLinks>` + inXML + `</applicationLinks>`, []Link{one}},
		"XML, wrapped":  {`<list><item><application>` + inXML + `</application></item></list>`, []Link{one}},
		"XML, none":     {`<?xml version="1.0"?><applicationLinks/>`, []Link{}},
		"not a list":    {`{"message":"no"}`, nil},
		"a page":        {page200, nil},
		"without an id": {`[{"name":"a"}]`, nil},
		"cut XML":       {`<applicationLinks>` + inXML, nil},
		"null":          {`null`, nil},
	} {
		have, err := readLinks([]byte(test.body))
		if (err == nil) != (test.want != nil) || len(have) != len(test.want) {
			t.Errorf("%s: %+v, %v", name, have, err)
			continue
		}
		for i := range have {
			if have[i] != test.want[i] {
				t.Errorf("%s: %+v, want %+v", name, have[i], test.want[i])
			}
		}
	}
}

func TestLinksOfOlderServers(t *testing.T) {
	s := newScript(t, says(404, page200), says(404, `{"message":"null for uri","status-code":404}`),
		says(200, string(fixture(t, "applinks_listApplicationlinks_1.0.json"))))
	links, err := client(t, s.url).Links(t.Context())
	if err != nil || len(links) != 1 || links[0].Type != "jira" {
		t.Errorf("%+v, %v", links, err)
	}
}

func TestCreatedID(t *testing.T) {
	for name, want := range map[string]string{
		"applinks_put_201.json":       "bfa5e1ce-b0bf-36cb-946b-5be8e45c8577",
		"applinks_put_201.xml":        "bfa5e1ce-b0bf-36cb-946b-5be8e45c8577",
		"applinks_duplicate_400.json": "",
		"oauth_problem_401.txt":       "",
	} {
		if have := createdID(fixture(t, name)); have != want {
			t.Errorf("%s: %q", name, have)
		}
	}
}

const (
	orgURL  = "https://app.terraform.io/app/my-org"
	orgID   = "bfa5e1ce-b0bf-36cb-946b-5be8e45c8577"
	orgLink = `{"id":"` + orgID + `","typeId":"generic","name":"tf","rpcUrl":"` + orgURL + `","displayUrl":"` + orgURL + `"}`
	renamed = `{"id":"` + orgID + `","typeId":"generic","name":"tf - 2","rpcUrl":"` + orgURL + `","displayUrl":"` + orgURL + `"}`
)

func TestCreateLinkSettlesByReading(t *testing.T) {
	created := says(201, string(fixture(t, "applinks_put_201.json")))
	duplicate := says(400, string(fixture(t, "applinks_duplicate_400.json")))
	gone := []http.HandlerFunc{says(500, `{"message":"oops"}`), says(200, "[]")}
	for name, test := range map[string]struct {
		steps []http.HandlerFunc
		name  string
		want  error
		count int
	}{
		"created":                     {[]http.HandlerFunc{created, says(200, orgLink)}, "tf", nil, 2},
		"created, renamed":            {[]http.HandlerFunc{created, says(200, renamed)}, "tf - 2", nil, 2},
		"created, read lags":          {append(append([]http.HandlerFunc{created}, gone...), says(200, orgLink)), "tf", nil, 4},
		"exists":                      {[]http.HandlerFunc{duplicate, says(200, renamed)}, "tf - 2", ErrExists, 2},
		"400 for another reason":      {append([]http.HandlerFunc{duplicate}, gone...), "", &Error{}, 3},
		"lost, made":                  {[]http.HandlerFunc{hangsUp, says(200, orgLink)}, "tf", nil, 2},
		"lost, not made, then made":   {append(append([]http.HandlerFunc{says(503, "")}, gone...), created, says(200, orgLink)), "tf", nil, 5},
		"lost, another's":             {[]http.HandlerFunc{says(502, ""), says(200, renamed)}, "tf - 2", ErrExists, 2},
		"500 after the write":         {[]http.HandlerFunc{says(500, ""), says(200, orgLink)}, "tf", nil, 2},
		"not permitted":               {[]http.HandlerFunc{says(401, `{"status-code":401,"message":"no"}`)}, "", ErrForbidden, 1},
		"created by the older module": {[]http.HandlerFunc{says(404, page200), created, says(200, orgLink)}, "tf", nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, test.steps...)
			link, err := client(t, s.url).CreateLink(t.Context(), "tf", orgURL)
			var e *Error
			switch {
			case test.want == nil && err != nil, test.want != nil && !errors.As(err, &e):
				t.Errorf("error %v", err)
			case errors.Is(test.want, ErrExists) != errors.Is(err, ErrExists), errors.Is(test.want, ErrForbidden) != errors.Is(err, ErrForbidden):
				t.Errorf("error %v", err)
			}
			if link.Name != test.name || s.count() != test.count {
				t.Errorf("link %+v after %v", link, s.asked)
			}
		})
	}
}

func TestRenameLink(t *testing.T) {
	link := Link{ID: orgID, Name: "old", URL: orgURL, DisplayURL: orgURL, Type: "generic"}
	other := strings.Replace(orgLink, orgID, "9355acee-2f33-3128-aaf3-73ac3bf1fdb6", 1)
	for name, test := range map[string]struct {
		steps []http.HandlerFunc
		want  error
	}{
		"done":          {[]http.HandlerFunc{hangsUp, says(200, updated)}, nil},
		"a page, done":  {[]http.HandlerFunc{says(200, page200), says(200, orgLink)}, nil},
		"a page, not":   {[]http.HandlerFunc{says(200, page200), says(200, renamed)}, ErrBadAnswer},
		"name is taken": {[]http.HandlerFunc{says(400, "{}"), says(200, "["+renamed+","+other+"]")}, ErrExists},
		"gone":          {[]http.HandlerFunc{says(400, "{}"), says(200, "[]")}, ErrNotFound},
		"not permitted": {[]http.HandlerFunc{says(403, "{}")}, ErrForbidden},
	} {
		s := newScript(t, test.steps...)
		if err := client(t, s.url).RenameLink(t.Context(), link, "tf"); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeleteLink(t *testing.T) {
	done := says(200, string(fixture(t, "applinks_delete_200.json")))
	noLink := says(404, `{"errors":[{"summary":"no such link"}]}`)
	for name, test := range map[string]struct {
		steps []http.HandlerFunc
		fails bool
	}{
		"done":                {[]http.HandlerFunc{done, noLink}, false},
		"answer lost":         {[]http.HandlerFunc{hangsUp, says(404, `{"status-code":404,"message":"no such link"}`), noLink}, false},
		"a page, and gone":    {[]http.HandlerFunc{says(200, page200), noLink}, false},
		"done, still listed":  {[]http.HandlerFunc{done, says(200, orgLink)}, true},
		"done, then a page":   {[]http.HandlerFunc{done, says(404, page200), says(404, page200)}, true},
		"not there, 500":      {[]http.HandlerFunc{says(500, "{}"), says(404, page200), says(200, "[]")}, false},
		"404 but still there": {[]http.HandlerFunc{says(404, "{}"), says(200, "["+orgLink+"]")}, true},
		"no such resource":    {[]http.HandlerFunc{says(404, page200), says(404, page200), says(200, "["+orgLink+"]")}, true},
	} {
		s := newScript(t, test.steps...)
		if err := client(t, s.url).DeleteLink(t.Context(), orgID); (err != nil) != test.fails {
			t.Errorf("%s: %v after %v", name, err, s.asked)
		}
	}
}

func TestReadConsumers(t *testing.T) {
	list, err := readConsumers(fixture(t, "applinks_oauth_consumer_get_200.json"))
	if err != nil || len(list) != 1 || list[0].Key != "f0e1d2c3b4a5968778695a4b3c2d1e0f" || !strings.HasPrefix(list[0].PublicKey, "-----BEGIN PUBLIC KEY") {
		t.Errorf("%+v, %v", list, err)
	}
	list, err = readConsumers([]byte(`<consumers><consumers><key>k</key><name>n</name><publicKey>-----BEGIN
x</publicKey></consumers></consumers>`))
	if err != nil || len(list) != 1 || list[0] != (Consumer{Key: "k", Name: "n", PublicKey: "-----BEGIN\nx"}) {
		t.Errorf("%+v, %v", list, err)
	}
	for _, body := range []string{"", "{}", "[]", page200, `{"consumers":null}`} {
		if _, err := readConsumers([]byte(body)); err == nil {
			t.Errorf("%q is a list of consumers", body)
		}
	}
}

func TestConsumerFallsBackOnlyWhereTheModuleIsMissing(t *testing.T) {
	s := newScript(t, says(404, `{"status-code":404,"message":"no consumer"}`))
	if _, err := client(t, s.url).Consumer(t.Context(), orgID); !errors.Is(err, ErrNotFound) || s.count() != 1 {
		t.Errorf("no consumer: %v after %v", err, s.asked)
	}
	s = newScript(t, says(404, page200), says(200, string(fixture(t, "applinks_oauth_consumer_get_200.json"))))
	if have, err := client(t, s.url).Consumer(t.Context(), orgID); err != nil || have.Key == "" || !strings.Contains(s.asked[1], "/rest/applinks/2.0/") {
		t.Errorf("older module: %+v, %v after %v", have, err, s.asked)
	}
	s = newScript(t, says(200, `{"consumers":[]}`))
	if _, err := client(t, s.url).Consumer(t.Context(), orgID); !errors.Is(err, ErrNotFound) {
		t.Errorf("an empty list: %v", err)
	}
}

func FuzzReadLinks(f *testing.F) {
	f.Add(fixture(f, "applinks_3.0_applinks_list.json"))
	f.Add(fixture(f, "applinks_listApplicationlinks_1.0.json"))
	f.Add(fixture(f, "applinks_put_201.xml"))
	f.Add([]byte(`<applicationLinks><applicationLink id="x"><rpcUrl>https://h</rpcUrl></applicationLink></applicationLinks>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		links, err := readLinks(body)
		for _, l := range links {
			if err != nil || l.ID == "" {
				t.Errorf("%+v, %v", l, err)
			}
		}
		if id := createdID(body); id != "" && !uuid.MatchString(id) {
			t.Errorf("created %q", id)
		}
	})
}

func FuzzReadConsumers(f *testing.F) {
	f.Add(fixture(f, "applinks_oauth_consumer_get_200.json"))
	f.Add([]byte(`<consumers><consumers><key>k</key><publicKey>p</publicKey></consumers></consumers>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if list, err := readConsumers(body); err != nil && list != nil {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func FuzzLinkID(f *testing.F) {
	f.Add("https://app.terraform.io/app/../x//y?z#w")
	f.Fuzz(func(t *testing.T, url string) {
		id, err := LinkID(url)
		if err == nil && !uuid.MatchString(id) {
			t.Errorf("%q: %q", url, id)
		}
	})
}
