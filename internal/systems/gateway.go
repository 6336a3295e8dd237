package systems

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/schema"
)

// gateway fetches what a gateway in front of a server wants.
func (s *Systems) gateway(ctx context.Context, want schema.Gateway) (httpx.Gateway, error) {
	var g httpx.Gateway
	for _, h := range want.Headers {
		header := httpx.Header{Name: h.Name, Value: secret.New(h.Value), Public: true}
		if h.Secret != nil {
			value, err := s.headerValue(ctx, *h.Secret)
			if err != nil {
				return g, fmt.Errorf("the header %s: %w", h.Name, err)
			}
			header.Value, header.Public = value, false
		}
		g.Headers = append(g.Headers, header)
	}
	if want.Certificate == nil || want.Key == nil {
		return g, nil
	}
	var err error
	g.Certificate, err = s.clientCertificate(ctx, *want.Certificate, *want.Key)
	return g, err
}

// vaultGateway is gateway for Vault itself, with the files that the vault command
// takes from its environment.
func (s *Systems) vaultGateway(want schema.Gateway) (httpx.Gateway, error) {
	certificate, key := s.env.Getenv("VAULT_CLIENT_CERT"), s.env.Getenv("VAULT_CLIENT_KEY")
	switch {
	case want.Certificate != nil:
	case certificate != "" && key != "":
		want.Certificate, want.Key = &schema.SecretRef{File: certificate}, &schema.SecretRef{File: key}
	case certificate != "" || key != "":
		return httpx.Gateway{}, errors.New("VAULT_CLIENT_CERT and VAULT_CLIENT_KEY: one of them is not set")
	}
	return s.gateway(context.Background(), want)
}

func (s *Systems) headerValue(ctx context.Context, ref schema.SecretRef) (secret.Text, error) {
	value, err := s.Credential(ctx, ref)
	if err != nil {
		return secret.Text{}, err
	}
	if err := httpx.CheckHeaderValue(value); err != nil {
		return secret.Text{}, fmt.Errorf("%s %w", refName(ref), err)
	}
	return value, nil
}

func (s *Systems) clientCertificate(ctx context.Context, certificate, key schema.SecretRef) (*tls.Certificate, error) {
	chain, err := s.Secret(ctx, certificate)
	if err != nil {
		return nil, fmt.Errorf("client_certificate: %w", err)
	}
	private, err := s.Secret(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("client_key: %w", err)
	}
	pair, err := httpx.ClientCertificate(chain, private)
	if err != nil {
		return nil, fmt.Errorf("client_certificate (%s) and client_key (%s): %w", refName(certificate), refName(key), err)
	}
	return pair, nil
}
