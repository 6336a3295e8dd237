package tfe

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// nothing takes the answer to deletions and to changed relationships: 204 without
// a body.
func nothing(x exchange) error {
	if x.status != http.StatusNoContent || len(x.body) > 0 {
		return errors.New("expected 204 and no body")
	}
	return nil
}

// object takes the answer to creations and updates: a document whose data is an
// object of the kind, and with the id unless that is "".
func object(kind, id string) func(exchange) error {
	return func(x exchange) error {
		var have one
		if json.Unmarshal(x.body, &have) != nil || have.Data == nil ||
			have.Data.Type != kind || have.Data.ID == "" || id != "" && have.Data.ID != id {
			return fmt.Errorf("expected an object of type %s", kind)
		}
		return nil
	}
}
