package bitbucket

import (
	"fmt"
	"strings"
	"time"
)

// An OAuthProblem is a refusal of Bitbucket's OAuth 1.0a provider.
type OAuthProblem struct { //nolint:errname // the field's own word
	Op       string // what was being done: "proving the OAuth consumer"
	Consumer string // consumer key that the request was made with
	Problem  string // "consumer_key_unknown", "signature_invalid", ...; escaped
	Detail   string // what else the server said about it; escaped
	Cause    string // what it means
	Advice   string // what to do about it
	Status   int

	Skew      time.Duration // of the server's clock, ahead of ours
	SkewKnown bool
}

// Error says what the problem is and how to fix it.
func (p *OAuthProblem) Error() string {
	text := fmt.Sprintf("%s %s: Bitbucket's OAuth provider answered %s (%d)", p.Op, quote(p.Consumer), p.Problem, p.Status)
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	return text + "; " + p.Cause + ": " + p.Advice
}

// Explain implements fault.Explainer. The cause says what the problem means: the
// server's own detail may be the whole string that it computed the signature of.
func (p *OAuthProblem) Explain() (cause, fix string) {
	cause = p.Cause
	if p.Detail != "" && len(p.Detail) <= shortDetail {
		cause += "; " + p.Detail
	}
	return cause, p.Advice
}

// shortDetail is the length up to which a detail helps a reader.
const shortDetail = 200

// Unwrap returns the fault that fits.
func (p *OAuthProblem) Unwrap() error {
	switch p.Problem {
	case "consumer_key_unknown":
		return ErrNotFound
	case "permission_denied", "permission_unknown", "user_refused":
		return ErrForbidden
	case "signature_invalid", "token_used", "token_expired", "token_rejected":
		return ErrSignature
	}
	return ErrInvalid
}

// newProblem returns the problem in the fields, nil if there is none.
func newProblem(a answer, fields map[string]string) *OAuthProblem {
	problem := escape(fields["oauth_problem"])
	if problem == "" {
		return nil
	}
	var detail []string
	for _, name := range []string{
		"oauth_problem_advice", "oauth_acceptable_timestamps", "oauth_acceptable_versions",
		"oauth_parameters_absent", "oauth_parameters_rejected", "oauth_signature_base_string",
	} {
		if value := fields[name]; value != "" {
			detail = append(detail, strings.TrimPrefix(name, "oauth_")+" "+escape(value))
		}
	}
	return &OAuthProblem{Problem: problem, Detail: strings.Join(detail, ", "), Status: a.status}
}

// clockMatters is the skew from which on the clock is named in any problem; the
// provider's window is not documented, five minutes in its library.
const clockMatters = 2 * time.Minute

// explain fills in what to do.
func (p *OAuthProblem) explain(consumer string, skew time.Duration, known bool, now time.Time) *OAuthProblem {
	p.Consumer, p.Skew, p.SkewKnown = consumer, skew, known
	p.Cause, p.Advice = remedy(p.Problem)
	switch {
	case !known:
	case skew.Abs() >= clockMatters || p.Problem == "timestamp_refused":
		p.Cause += fmt.Sprintf(" (Bitbucket's clock is %s, ours says %s)", ahead(skew), now.UTC().Format(time.RFC3339))
	}
	return p
}

func ahead(skew time.Duration) string {
	switch {
	case skew > 0:
		return skew.String() + " ahead of ours"
	case skew < 0:
		return (-skew).String() + " behind ours"
	}
	return "the same as ours"
}

// remedy says what each problem that the provider has means, and what to do.
func remedy(problem string) (cause, advice string) {
	switch problem {
	case "consumer_key_unknown":
		return "Bitbucket has no consumer with this key, as the application link was deleted or its incoming consumer was changed by hand",
			"apply sets it again"
	case "signature_invalid":
		return "the consumer on Bitbucket has another public key than the one that belongs to our private key, or a proxy rewrites scheme, host, port or path " +
				"so that Bitbucket computes another signature",
			"compare the public keys, then Bitbucket's configured base URL and its proxy settings (server.proxy-name, server.proxy-port, server.scheme)"
	case "timestamp_refused":
		return "the clocks are too far apart", "set both by NTP"
	case "nonce_used":
		return "the same request came twice, as something between bbsync and Bitbucket repeats requests", "try again"
	case "signature_method_rejected":
		return "the consumer does not take RSA-SHA1, as it was not made with a public key", "apply sets it again"
	case "version_rejected":
		return "Bitbucket does not take OAuth version 1.0", "check that the url is that of Bitbucket Server or Data Center"
	case "parameter_absent", "parameter_rejected":
		return "something between bbsync and Bitbucket drops or changes the Authorization header", "look at the proxies in between"
	case "permission_denied":
		return "the consumer may not ask users for access (three-legged OAuth is off for it)", "delete the application link by hand and apply again"
	case "permission_unknown":
		return "nobody has allowed this yet", "authorize the connection as the service user"
	case "user_refused":
		return "somebody clicked Deny", "authorize the connection again, as the service user"
	case "token_used", "token_expired", "token_rejected":
		return "the token is spent, too old or revoked", "authorize the connection again, as the service user"
	}
	return "the problem is not one that OAuth 1.0a names", "see Bitbucket's log for the reason"
}
