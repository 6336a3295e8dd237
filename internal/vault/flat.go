package vault

import (
	"encoding/json"
	"time"
)

// flat is an answer that holds a KV version 2 secret with nothing but texts in
// it, as records have. It is read in one pass over the answer, where the way
// that takes anything needs six; a fleet is thousands of these.
type flat struct {
	fields  map[string]string
	version Version
	deletes time.Time
}

// readFlat reads one. It reports false for whatever else the answer may be, a
// null or an empty text in it included: then the general way decides.
func readFlat(body []byte) (*flat, bool) {
	var have struct {
		Data struct {
			Data     map[string]string `json:"data"`
			Metadata struct {
				Version Version  `json:"version"`
				Deletes deletion `json:"deletion_time"`
			} `json:"metadata"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &have) != nil || have.Data.Metadata.Version < 1 || len(have.Data.Data) == 0 {
		return nil, false
	}
	for _, text := range have.Data.Data {
		if text == "" { // a null looks like this too
			return nil, false
		}
	}
	return &flat{fields: have.Data.Data, version: have.Data.Metadata.Version, deletes: have.Data.Metadata.Deletes.Time}, true
}

// decodeFlat is decode for a flat answer, whose fields it takes.
func decodeFlat(f *flat) (Record, error) { return (&reader{flat: f.fields}).record() }
