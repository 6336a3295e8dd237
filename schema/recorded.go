package schema

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// mostRecorded is the length in bytes up to which the value of a variable is
// recorded as it is: a reviewer reads no more.
const mostRecorded = 1000

// recordVariables fills the fleet's Variables.
func (l *loader) recordVariables(values map[string]cty.Value) {
	l.fleet.Variables = make(map[string]string, len(values))
	for name, value := range values {
		l.fleet.Variables[name] = l.recorded(name, value)
	}
}

// recorded returns a variable's value as a plan file may show it: a string as it
// is, anything else as JSON. What may be a secret, and what is too long to be read,
// becomes its SHA-256.
func (l *loader) recorded(name string, value cty.Value) string {
	if !value.IsWhollyKnown() {
		return "" // there is an error about it, and no fleet
	}
	var text string
	if value.Type() == cty.String && !value.IsNull() {
		text = value.AsString()
	} else if encoded, err := ctyjson.Marshal(value, value.Type()); err == nil {
		text = string(encoded)
	}
	if len(text) <= mostRecorded && !secretName.MatchString(name) && l.mask.text(text) == text {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}
