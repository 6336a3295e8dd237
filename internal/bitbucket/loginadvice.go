package bitbucket

import (
	"fmt"
	"strings"
	"time"
)

// adviseLogin names the ways to let an account use Basic authentication again: the
// page, the REST resource (both from 7.12 on) and the property of the JVM.
func adviseLogin(username string) string {
	return strings.Join([]string{
		"have a system administrator allow Basic authentication for " + quote(username) + ": in Administration, Accounts, Authentication methods",
		"by the list allowed-users of PUT /rest/basicauth/latest/config (exact and case-sensitive; * and ? are wildcards)",
		"or for everyone with the JVM property -Dcom.atlassian.plugins.authentication.basic.auth.filter.force.allow=true",
	}, ", ")
}

func (c *Client) adviseCredentials() string {
	return "check the username and the password of " + quote(c.username) + " and that it is licensed to use Bitbucket; stopped using this account to avoid locking it"
}

func (c *Client) adviseCaptcha() string {
	return "have " + quote(c.username) + " log in once in a browser and solve the CAPTCHA, or an administrator clear it" +
		" (Administration, Users), then check the password; stopped using this account"
}

// adviseCode says why a code of the second factor may be refused: it depends on the
// secret, the time, and on nobody else's having used it.
func (c *Client) adviseCode() string {
	text := "check that totp holds the secret of " + quote(c.username) + ", and that no other run logs in as it at the same moment: a code is valid once"
	if skew, known := c.Clock(); known && skew.Abs() >= time.Minute {
		text += fmt.Sprintf("; Bitbucket's clock is %s from this machine's, which was allowed for", skew.Abs().Round(time.Second))
	}
	return text + "; stopped using this account to avoid locking it"
}

const adviseSticky = "a load balancer in front of several nodes must send a session to the node that opened it (sticky sessions), and nothing may drop cookies"
