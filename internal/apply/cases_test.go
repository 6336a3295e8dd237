package apply

import (
	"maps"
)

func all(before ...func(*world)) func(*world) {
	return func(w *world) {
		for _, f := range before {
			f(w)
		}
	}
}

func allSteps() map[string]stepCase {
	out := map[string]stepCase{}
	for _, some := range []map[string]stepCase{keySteps(), sshSteps(), rotationSteps(), linkSteps(), swapSteps(), clientSteps(), tokenSteps(), recordSteps(), workspaceSteps(), sharedSteps()} {
		maps.Copy(out, some)
	}
	return out
}
