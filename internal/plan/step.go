package plan

import (
	"fmt"
	"strings"
)

// AnyStep is a step, of a connection or of a Bitbucket: one idempotent write to, or
// proof on, one system. It holds no secret; a key is named by its role in the record.
// Its String is the only text that shows it.
type AnyStep interface {
	fmt.Stringer
	// Type returns what the step has in common with all of its type.
	Type() StepType
}

// StepType is what machines read of a step. It does not change when a Go type is
// renamed.
type StepType struct {
	Kind   string // names the type: create_link
	Symbol string // + creates, ~ changes, - removes, ? proves, ! is manual
	Object string // kind of object that it changes, by which drift is counted
}

// Step is a step of a connection. With the Target of its plan it is complete: carrying
// it out takes the systems and nothing else.
//
//sumtype:decl
type Step interface {
	AnyStep
	// effect changes the world as the step does: nothing in it that was there before is
	// written to, but copied.
	effect(w *World)
}

// SharedStep is a step of a Bitbucket, for all of its connections.
//
//sumtype:decl
type SharedStep interface {
	AnyStep
	shared()
}

// A ChangeOf is a step and why it is there.
type ChangeOf[S AnyStep] struct {
	Step    S
	Because []Reason
}

type (
	// Change is a change of a connection.
	Change = ChangeOf[Step]
	// SharedChange is a change of a Bitbucket.
	SharedChange = ChangeOf[SharedStep]
)

// A Role is the place of an SSH key in the record.
type Role string

// The roles of an SSH key.
const (
	Pending  Role = "pending"
	Current  Role = "current"
	Previous Role = "previous"
)

func paren(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
