package bitbucket

import (
	"errors"
	"fmt"
	"net/http"
)

// nothing takes the answer to grants and to deleted SSH keys: 204 without a body.
func nothing(a answer) error {
	if a.status != http.StatusNoContent || len(a.body) > 0 {
		return errors.New("expected 204 and no body")
	}
	return nil
}

// confirmed takes the answer to writes of application links: a status document,
// in JSON or XML, whose own status-code is that of the answer.
func confirmed(a answer) error {
	if code := parseErrorBody(a).code; code == 0 || code != a.status {
		return fmt.Errorf("expected a document with status-code %d", a.status)
	}
	return nil
}

// enabledPlugin takes the answer to enabling a plugin: the plugin, enabled.
func enabledPlugin(a answer) error {
	p, _, err := readPlugin(a)
	if err == nil && !p.Enabled {
		err = errors.New("the plugin is still disabled")
	}
	return err
}

// enabledHook takes the answer to enabling a hook: the hook, enabled.
func enabledHook(a answer) error {
	h, err := readHook(a)
	if err == nil && !h.Enabled {
		err = errors.New("the hook is still disabled")
	}
	return err
}
