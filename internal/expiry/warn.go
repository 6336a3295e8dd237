package expiry

import (
	"fmt"
	"strings"
	"time"
)

// most is how many things of a kind are warned of one by one.
const most = 3

// A Warning says that something has ended or ends soon.
type Warning struct {
	ID   string // the same from day to day
	Text string
}

// Warnings returns a warning for each thing that has ended or ends soon, the nearest
// first. Of a kind with many of them, such as OAuth tokens that were all authorized on
// one day, the first stands for the others.
func Warnings(ends []End, now time.Time) []Warning {
	var near []End
	count := map[Kind]int{}
	for _, e := range ends {
		if s := e.State(now); s == Soon || s == Past {
			near = append(near, e)
			count[e.What]++
		}
	}
	Sort(near)
	var out []Warning
	told := map[Kind]bool{}
	for _, e := range near {
		text := e.Title() + " " + e.When(now)
		if n := count[e.What]; n > most {
			if told[e.What] {
				continue
			}
			text += fmt.Sprintf(", and %d more like it soon (bbsync drift --json lists them)", n-1)
		}
		told[e.What] = true
		if e.Renew != "" {
			text += ": " + e.Renew
		}
		out = append(out, Warning{ID: strings.Join([]string{string(e.What), e.Of, e.Name}, " "), Text: text})
	}
	return out
}
