package bitbucketd

import (
	"strconv"
	"time"
)

// A cluster: several nodes behind a load balancer that keeps a client on one node by
// a cookie. A session lives on the node that began it; a login that is remembered,
// and everything else, on all.

// nodeCookie is the load balancer's.
const nodeCookie = "SERVERID"

// chooseNode returns the node that answers the call: the cookie's, else the next.
func (c *call) chooseNode() int {
	if c.opts.Nodes < 2 {
		return 0
	}
	if cookie, err := c.r.Cookie(nodeCookie); err == nil {
		if n, err := strconv.Atoi(cookie.Value); err == nil && n >= 0 && n < c.opts.Nodes {
			return n
		}
	}
	c.nextNode = (c.nextNode + 1) % c.opts.Nodes
	c.setCookie(nodeCookie, strconv.Itoa(c.nextNode), 0)
	return c.nextNode
}

// basicReread is how often a node reads the settings of Basic authentication.
const basicReread = time.Minute

// basicSeen is what a node knows of them.
type basicSeen struct {
	set BasicAuth
	at  time.Time
}

// basicSettings are the settings that count on the call's node now.
func (c *call) basicSettings() BasicAuth {
	if c.opts.Nodes < 2 {
		return c.st.Settings.BasicAuth
	}
	seen, ok := c.basicKnown[c.node]
	if !ok || c.now().Sub(seen.at) >= basicReread {
		c.rereadBasic()
	}
	return c.basicKnown[c.node].set
}

// rereadBasic makes the call's node read the settings.
func (c *call) rereadBasic() {
	c.basicKnown[c.node] = basicSeen{c.st.Settings.BasicAuth, c.now()}
}
