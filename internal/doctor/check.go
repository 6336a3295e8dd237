package doctor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
)

func ok(name, format string, args ...any) Check {
	return Check{Name: name, Status: OK, Found: fmt.Sprintf(format, args...)}
}

func failed(name, found, cause, remedy string) Check {
	return Check{Name: name, Status: Failed, Found: found, Cause: cause, Remedy: remedy}
}

func warning(name, found, cause, remedy string) Check {
	return Check{Name: name, Status: Warning, Found: found, Cause: cause, Remedy: remedy}
}

func unknown(name, cause, remedy string) Check {
	return Check{Name: name, Status: Unknown, Found: "not known", Cause: cause, Remedy: remedy}
}

// failure is a check that failed with an error. Where the error has no hint, the
// remedy is where to look: nobody is left with a cause alone.
func failure(name, found string, err error) Check {
	cause, remedy := explain(err)
	if remedy == "" {
		remedy = "mend what the cause names, and run bbsync doctor again; docs/troubleshooting.md has the messages"
	}
	return failed(name, found, cause, remedy)
}

// doubt is a check that an error kept from being made.
func doubt(name string, err error) Check {
	cause, remedy := explain(err)
	return unknown(name, cause, remedy)
}

// explain takes an adapter's error apart into what happened and what to do.
func explain(err error) (cause, remedy string) {
	if err == nil {
		return "", ""
	}
	var problem *bitbucket.OAuthProblem
	var bb *bitbucket.Error
	var tf *tfe.Error
	var va *vault.Error
	switch {
	case errors.As(err, &problem):
		return join(problem.Cause, brief(problem.Detail)), problem.Advice
	case errors.As(err, &bb):
		bare := *bb
		bare.Advice = ""
		return rest(err, bb) + bare.Error(), bb.Advice
	case errors.As(err, &tf):
		bare := *tf
		bare.Hint = ""
		return rest(err, tf) + bare.Error(), tf.Hint
	case errors.As(err, &va):
		bare := *va
		bare.Hint = ""
		return rest(err, va) + bare.Error(), va.Hint
	}
	return err.Error(), ""
}

// brief drops what a person does not read: Bitbucket repeats the whole text that
// it computed the signature of.
func brief(detail string) string {
	if len(detail) > 200 {
		return ""
	}
	return detail
}

// rest is what an error says before the one that it wraps.
func rest(err, inner error) string {
	before, found := strings.CutSuffix(err.Error(), inner.Error())
	if !found {
		return ""
	}
	return before
}

// join joins what is not empty.
func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "; ")
}
