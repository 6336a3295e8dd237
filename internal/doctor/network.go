package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/reach"
)

// soon is when a certificate's end is worth a word.
const soon = 30 * 24 * time.Hour

// network judges a server's name and port, seen from here.
func network(s reach.Sight, err error) Check {
	const name = "network"
	switch {
	case err != nil:
		return failed(name, "not checked", err.Error(), "correct the address or ca_file")
	case s.Name != nil:
		return failed(name, s.Address+" cannot be looked up from here", s.Name.Error(), "check the address for typing mistakes, and this machine's name service")
	case s.Port != nil && strings.HasPrefix(s.Address, "unix://"):
		return failed(name, s.Address+" takes no connection", s.Port.Error(), "check that the Vault Agent or Proxy runs, and that its socket may be used by this user")
	case s.Port != nil && s.Proxy != "":
		return failed(name, "the proxy "+s.Proxy+" cannot be reached from here", s.Port.Error(), "check HTTPS_PROXY and NO_PROXY")
	case s.Port != nil:
		return failed(name, s.Address+" takes no connection from here", s.Port.Error(), "check the port in the address, that the server runs, and the firewalls in between")
	case s.Proxy != "":
		return ok(name, "reached through the proxy %s, seen from here", s.Proxy)
	}
	if strings.HasPrefix(s.Address, "unix://") {
		return ok(name, "%s answers", s.Address)
	}
	return ok(name, "%s answers, seen from here", strings.Join(s.IPs, ", "))
}

// certificate judges the chain that a server shows.
func certificate(s reach.Sight, err error, now time.Time) Check {
	const name = "certificate"
	switch {
	case err != nil || s.Name != nil || s.Port != nil:
		return unknown(name, "there is no connection", "see network")
	case strings.HasPrefix(s.Address, "http://"):
		return ok(name, "none: plain http on this machine")
	case strings.HasPrefix(s.Address, "unix://"):
		return ok(name, "none: a socket on this machine")
	case s.TLS != nil:
		return failed(name, shown(s), s.TLS.Error(), certificateRemedy(s))
	}
	first := s.Chain[0]
	for _, c := range s.Chain {
		if c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	if left := first.NotAfter.Sub(now); left < soon {
		return warning(name, fmt.Sprintf("ends on %s", day(first.NotAfter)), "the certificate of "+first.Subject+" is valid for "+expiry.Days(left)+" more",
			"renew it: Terraform stops reaching Bitbucket, and bbsync both, when it ends")
	}
	return ok(name, "verifies, valid until %s, issued by %s", day(first.NotAfter), s.Chain[0].Issuer)
}

func shown(s reach.Sight) string {
	if len(s.Chain) == 0 {
		return "no certificate was seen"
	}
	return fmt.Sprintf("the server shows a certificate of %s, issued by %s", s.Chain[0].Subject, s.Chain[0].Issuer)
}

// certificateRemedy knows that Terraform has to trust the certificate too, which
// nothing here can see.
func certificateRemedy(s reach.Sight) string {
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(s.TLS, &name):
		return "use the name that the certificate is for (" + strings.Join(s.Chain[0].Names, ", ") + "), or get one for this name"
	case errors.As(s.TLS, &invalid) && invalid.Reason == x509.Expired:
		return "renew the certificate, and set the clock of this machine by NTP"
	case errors.As(s.TLS, &unknown):
		return "name the authority's file in ca_file, and have the server show its intermediate certificates; Terraform must trust the authority too: " +
			"Terraform Enterprise has a CA bundle, HCP Terraform takes public authorities only"
	case httpx.Advice(s.TLS) != "":
		return httpx.Advice(s.TLS)
	case len(s.Chain) == 0:
		return "check the port and the scheme: this does not look like TLS"
	}
	return "have the server's certificate corrected"
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
