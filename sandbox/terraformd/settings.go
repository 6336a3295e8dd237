package terraformd

import (
	"encoding/json"
	"maps"
	"slices"
)

// settings are attributes that are kept and shown as they were set, by name. They have
// no effect here: the sandbox runs no Terraform.
type settings map[string]json.RawMessage

// with returns the settings with changes made to them.
func (s settings) with(changes settings) settings {
	all := maps.Clone(s)
	if all == nil {
		all = settings{}
	}
	maps.Copy(all, changes)
	return all
}

// defaults are the settings of a kind of resource, with their values before anyone sets
// them, as JSON.
type defaults map[string]string

// take moves the settings out of a request's attributes. A value must be of its
// default's type, or null.
func (d defaults) take(have map[string]json.RawMessage) (settings, error) {
	taken := settings{}
	for _, name := range slices.Sorted(maps.Keys(d)) {
		raw, given := have[name]
		if !given {
			continue
		}
		if !sameType(raw, json.RawMessage(d[name])) {
			return nil, invalid(name, name+" has the wrong type")
		}
		taken[name] = raw
		delete(have, name)
	}
	return taken, nil
}

// sameType compares the first characters of two JSON values, which tell their types.
func sameType(a, b json.RawMessage) bool {
	kind := func(raw json.RawMessage) byte {
		switch first := raw[0]; first {
		case 't', 'f':
			return 'b'
		case '{', '[', '"', 'n':
			return first
		}
		return '0'
	}
	return kind(a) == kind(b) || kind(a) == 'n' || kind(b) == 'n'
}

// settled are attributes that the sandbox knows, and settings beside them.
type settled struct {
	known    any
	defaults defaults
	settings settings
}

// MarshalJSON writes both as one object.
func (s settled) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(s.known)
	if err != nil {
		return nil, err
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for name, value := range s.defaults {
		all[name] = json.RawMessage(value)
	}
	maps.Copy(all, s.settings)
	return json.Marshal(all)
}
