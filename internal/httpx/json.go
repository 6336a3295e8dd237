package httpx

import (
	"encoding/json"
	"reflect"

	fast "github.com/go-json-experiment/json"
	v1 "github.com/go-json-experiment/json/v1"
)

// Unmarshal is json.Unmarshal in a third of the time. It decodes with the package
// meant to replace encoding/json; what that refuses, encoding/json decides, and words
// the error. After an error, into has its zero value: nothing of a broken answer is
// left for the next one.
func Unmarshal(body []byte, into any) error {
	// The option saves a pass over the body that looks for errors of syntax.
	if fast.Unmarshal(body, into, v1.DefaultOptionsV1(), v1.ReportErrorsWithLegacySemantics(false)) == nil {
		return nil
	}
	reflect.ValueOf(into).Elem().SetZero()
	err := json.Unmarshal(body, into)
	if err != nil {
		reflect.ValueOf(into).Elem().SetZero()
	}
	return err
}
