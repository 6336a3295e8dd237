package plan_test

import (
	"encoding/json"
	"fmt"

	"github.com/bbsync/bbsync/internal/plan"
)

func encoded(s plan.AnyStep) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("%T: %v", s, err))
	}
	return string(text)
}
