package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// savable is appended to the error when there is no terminal to confirm on.
const savable = ", or save it with plan --out and apply the file"

// ask returns nil when the user says yes.
func (a *app) ask(otherwise string) error {
	if !isTerminal(a.stdin) {
		return &exitError{code: exitUsage, err: fmt.Errorf("nobody can be asked here: review the plan and run with --auto-approve%s", otherwise)}
	}
	a.tellf("Carry these steps out? Only \"yes\" is a yes: ")
	return a.answered("yes")
}

// askName returns nil when the user types the fleet's name.
func (a *app) askName(name string) error {
	if !isTerminal(a.stdin) {
		return &exitError{code: exitUsage, err: fmt.Errorf("nobody can be asked here: review the above and run with --confirm %s", name)}
	}
	a.tellf("This cannot be undone. Type the fleet's name, %q, to remove these connections: ", name)
	return a.answered(name)
}

// answered returns nil when the next line of standard input is the answer.
func (a *app) answered(answer string) error {
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != answer {
		return &exitError{code: exitFailure, err: errors.New("nothing was changed")}
	}
	return nil
}
