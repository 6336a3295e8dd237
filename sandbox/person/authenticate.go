package person

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// authenticate does what the script of Bitbucket's newer login page does, and returns
// the request for the page that comes next.
func (p *Person) authenticate(ctx context.Context, f *form, base *url.URL) (*http.Request, error) {
	action, err := base.Parse(f.action)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{
		"username": f.fields.Get("username"), "password": f.fields.Get("password"), "rememberMe": false, "targetUrl": f.next,
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, action.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := p.browser.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	var said struct{ Next, Message string }
	if err := json.NewDecoder(res.Body).Decode(&said); err != nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("logging in to Bitbucket as %s was refused: %s %s", f.fields.Get("username"), res.Status, said.Message)
	}
	next, err := base.Parse(said.Next)
	if err != nil {
		return nil, err
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, next.String(), nil)
}
