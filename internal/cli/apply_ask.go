package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// savable is appended to the error when there is no terminal to confirm on.
const savable = ", or plan --out FILE and apply FILE"

// ask returns nil when the user says yes.
func (a *app) ask(otherwise string) error {
	if !isTerminal(a.stdin) {
		return &exitError{code: exitUsage, err: fmt.Errorf("no terminal to confirm on: use --auto-approve%s", otherwise)}
	}
	a.tellf("Apply these changes? Only \"yes\" will be accepted: ")
	return a.answered("yes")
}

// askName returns nil when the user types the fleet's name.
func (a *app) askName(name string) error {
	if !isTerminal(a.stdin) {
		return &exitError{code: exitUsage, err: fmt.Errorf("no terminal to confirm on: use --confirm %s", name)}
	}
	a.tellf("This cannot be undone. Enter the fleet's name, %q, to remove these connections: ", name)
	return a.answered(name)
}

// answered returns nil when the next line of standard input is the answer.
func (a *app) answered(answer string) error {
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != answer {
		return &exitError{code: exitFailure, err: errors.New("not confirmed; nothing was changed")}
	}
	return nil
}
